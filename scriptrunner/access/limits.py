"""Limits of a request that any server must keep, also one started without our flags.

Plain ASGI. ``HeaderLimits`` looks at URL and headers before anything else does;
``PostRate`` counts per caller once the caller is known; ``IdleBody`` ends a request whose
body stops coming. How large a body may be is for the route to say.
"""

import asyncio
import math
from ipaddress import IPv6Address, ip_address

from scriptrunner.access.answers import App, Message, Receive, Send, send_error
from scriptrunner.access.facts import Scope
from scriptrunner.access.models import Caller, Proof, RateLimitedError
from scriptrunner.access.rates import Rate, Rates
from scriptrunner.errors import MalformedInputError

#: Bytes of path and query together.
URL_BYTES = 8 * 1024
#: Header lines.
HEADER_LINES = 200
#: Bytes of all header lines as they were sent.
HEADER_BYTES = 16 * 1024
#: Bytes that a header line has beside name and value: ``: `` and the line end.
LINE_OVERHEAD_BYTES = 4
#: Seconds without a byte of an unfinished body.
IDLE_SECONDS = 30.0
CLOSE = (b"connection", b"close")


class HeaderLimits:
    """Answers 414 for long addresses, 431 for many headers, 400 for ambiguous framing."""

    def __init__(self, app: App) -> None:
        """Wrap ``app``."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the wrapped application, or refuse."""
        fault = _find_fault(scope) if scope["type"] == "http" else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        status, code, detail = fault
        await send_error(
            scope, send, status=status, code=code, detail=detail, headers=[CLOSE]
        )


def _find_fault(scope: Scope) -> tuple[int, str, str] | None:
    address = len(scope.get("raw_path") or scope["path"].encode("utf-8", "replace"))
    if address + len(scope.get("query_string", b"")) > URL_BYTES:
        return 414, "uri_too_long", f"The address is longer than {URL_BYTES} bytes"
    headers = scope["headers"]
    size = sum(len(name) + len(value) + LINE_OVERHEAD_BYTES for name, value in headers)
    if len(headers) > HEADER_LINES or size > HEADER_BYTES:
        return (
            431,
            "headers_too_large",
            f"More than {HEADER_LINES} header lines or {HEADER_BYTES} bytes of them",
        )
    framing = [name for name, _ in headers if name in FRAMING_HEADERS]
    if len(framing) > 1:
        return (
            400,
            MalformedInputError.code,
            "The length of the body is said more than once",
        )
    return None


FRAMING_HEADERS = (b"content-length", b"transfer-encoding")


class PostRate:
    """Answers 429 to callers that POST too often; the local caller may.

    Counted per token, or per remote address for the login page (an IPv6 network of 64
    bits counts as one address).
    """

    def __init__(self, app: App, *, rates: Rates, post: Rate, login: Rate) -> None:
        """Wrap ``app``; needs the caller that ``Protection`` sets.

        Args:
            app: What answers.
            rates: Counts, shared by all workers.
            post: How often a known caller may POST.
            login: How often one address may try to log in, local or not.
        """
        self.app = app
        self._rates = rates
        self._post = post
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the wrapped application, or refuse."""
        wait = self._count(scope) if scope["type"] == "http" else 0.0
        if wait <= 0:
            await self.app(scope, receive, send)
            return
        seconds = max(1, math.ceil(wait))
        await send_error(
            scope,
            send,
            status=429,
            code=RateLimitedError.code,
            detail=f"Too many requests; try again in {seconds} s",
            headers=[(b"retry-after", str(seconds).encode())],
        )

    def _count(self, scope: Scope) -> float:
        if scope["method"] != "POST":
            return 0.0
        caller: Caller = scope["state"]["caller"]
        if caller.proof is Proof.LOCAL:
            return 0.0
        if caller.proof is Proof.ANONYMOUS:
            return self._rates.take(_group(caller.peer), self._login)
        return self._rates.take(caller.principal, self._post)


def _group(peer: str) -> str:
    """Return what counts as one address."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.packed[:8].hex()
    return peer


class IdleBody:
    """Answers 408 when no byte of an unfinished body has come for a while."""

    def __init__(self, app: App, *, seconds: float = IDLE_SECONDS) -> None:
        """Wrap ``app``; ``seconds`` is the longest pause between two pieces."""
        self.app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the wrapped application until the body stops coming."""
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        body = _Body(receive, send, seconds=self._seconds)
        try:
            await self.app(scope, body.receive, body.send)
        except Exception:
            if not body.is_idle:
                raise
        if body.is_idle and not body.is_answered:
            await send_error(
                scope,
                send,
                status=408,
                code="body_timeout",
                detail=f"No byte of the body came for {self._seconds:g} s",
                headers=[CLOSE],
            )


def _has_body(scope: Scope) -> bool:
    return any(name in FRAMING_HEADERS for name, _ in scope["headers"])


class _Body:
    """One request's body on its way to the application."""

    def __init__(self, receive: Receive, send: Send, *, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._is_whole = False
        self.is_idle = False
        self.is_answered = False

    async def receive(self) -> Message:
        """Return the next piece; a disconnect once the body has been idle too long."""
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            self.is_idle = True
            return {"type": "http.disconnect"}
        self._is_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on, unless it is one to a body that never came."""
        if self.is_idle and not self.is_answered:
            return
        self.is_answered = True
        await self._send(message)
