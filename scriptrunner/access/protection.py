"""Protected mode: who asks is settled here, before any routing, for every request.

Plain ASGI, outside everything else that does work. The order of the checks is part of
the promise (see ``docs/explanation/security.md``):

a. in process? then local, b is not asked
b. Host names this service (loopback requests only)
c. credentials, if there are any, decide: wrong ones are never "then local"
d. the socket says loopback
e. no proxy or tunnel left a header
f. not HTTP/1.0, and a process of our own user (switched rules)
g. no foreign page: unsafe methods and streams by local identity or cookie
"""

import asyncio
import uuid
from collections.abc import Callable

from scriptrunner.access import cookies, locality
from scriptrunner.access.answers import (
    App,
    Message,
    Receive,
    Send,
    send_bytes,
    send_error,
)
from scriptrunner.access.facts import Facts, Scope, read_facts
from scriptrunner.access.locality import Refusal
from scriptrunner.access.models import Caller, Proof, Role, UnknownTokenError
from scriptrunner.access.rules import LocalRules
from scriptrunner.access.service import AccessService

#: The only paths that answer anybody: liveness, and the way in.
HEALTH_PATH = "/api/health"
LOGIN_PATH = "/login"
LOGIN_STYLE_PATH = "/login.css"
ANONYMOUS_PATHS = frozenset({HEALTH_PATH, LOGIN_PATH, LOGIN_STYLE_PATH})
LOCAL_PRINCIPAL = "local"
BEARER = "bearer "
#: Seconds after which an open stream is asked again whether its caller is still known.
RECHECK_SECONDS = 10.0

#: Gives the HTML of the login page for a request that was refused: scope and detail in.
LoginPage = Callable[[Scope, str], bytes]


class Protection:
    """Sets ``scope["state"]["caller"]`` to a ``Caller``, or answers 401 or 403."""

    def __init__(
        self,
        app: App,
        *,
        service: AccessService,
        rules: LocalRules,
        login_page: LoginPage | None = None,
        recheck_seconds: float = RECHECK_SECONDS,
    ) -> None:
        """Wrap ``app``.

        Args:
            app: What answers known callers.
            service: Proves tokens and cookies, and keeps the audit trail.
            rules: Decides who is local.
            login_page: Page shown to browsers instead of a JSON 401; None: always JSON.
            recheck_seconds: How long a stream outlives its token or login at most.
        """
        self.app = app
        self._service = service
        self._rules = rules
        self._login_page = login_page
        self._recheck_seconds = recheck_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the wrapped application, or refuse."""
        if scope["type"] == "websocket":
            await _refuse_websocket(receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        facts = read_facts(scope)
        state = scope.setdefault("state", {})
        request_id = state.setdefault("request_id", str(uuid.uuid4()))
        outcome = await self._judge(facts)
        if isinstance(outcome, Caller):
            state["caller"] = outcome
            if facts.is_stream and outcome.proof in (Proof.TOKEN, Proof.SESSION):
                receive = self._watch(facts, receive)
            await self.app(scope, receive, send)
            return
        nobody = _make_anonymous(facts)
        self._service.audit.count_refusal(
            nobody, outcome.code, outcome.reason, request_id
        )
        await self._answer(scope, send, facts=facts, refusal=outcome)

    async def _judge(self, facts: Facts) -> Caller | Refusal:
        in_process = locality.is_in_process(facts)
        refusal = None if in_process else self._rules.check_host(facts)
        if refusal is None:
            refusal = _check_upgrade(facts)
        if refusal is not None:
            return refusal
        if facts.path in ANONYMOUS_PATHS:
            return locality.check_origin(facts) or _make_anonymous(facts)
        caller = await self._identify(facts, in_process=in_process)
        if isinstance(caller, Caller) and caller.proof is not Proof.TOKEN:
            return locality.check_origin(facts) or caller
        return caller

    async def _identify(self, facts: Facts, *, in_process: bool) -> Caller | Refusal:
        if facts.values(b"authorization"):
            return await self._check_token(facts)
        try:
            cookie = cookies.find_cookie(facts)
        except cookies.MalformedCookieError:
            return locality.refuse_credentials("The login cookie is not valid")
        if cookie is not None:
            return await self._check(self._service.check_cookie, cookie, facts)
        refusal = self._rules.check_local(facts, in_process=in_process)
        return refusal or _make_local(facts, in_process=in_process)

    def _watch(self, facts: Facts, receive: Receive) -> Receive:
        """Return a ``receive`` that ends the stream of a caller who is not known any more.

        A logout or a revoked token would else go on reading what it had opened.
        """

        async def watched() -> Message:
            while True:
                try:
                    async with asyncio.timeout(self._recheck_seconds):
                        return await receive()
                except TimeoutError:
                    known = await self._identify(facts, in_process=False)
                    if not isinstance(known, Caller):
                        return {"type": "http.disconnect"}

        return watched

    async def _check_token(self, facts: Facts) -> Caller | Refusal:
        header = facts.single(b"authorization") or ""
        if header[: len(BEARER)].lower() != BEARER:
            return locality.refuse_credentials(
                "Only `Authorization: Bearer <token>` is understood"
            )
        text = header[len(BEARER) :].strip()
        return await self._check(self._service.check_token, text, facts)

    async def _check(
        self, prove: Callable[..., Caller], secret: str, facts: Facts
    ) -> Caller | Refusal:
        """Prove credentials in a thread: the database may be slow, others must not be."""
        try:
            return await asyncio.to_thread(prove, secret, peer=facts.peer)
        except UnknownTokenError as error:
            return locality.refuse_credentials(error.message)

    async def _answer(
        self, scope: Scope, send: Send, *, facts: Facts, refusal: Refusal
    ) -> None:
        headers: list[tuple[bytes, bytes]] = []
        if refusal.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
            headers.extend(_forget_cookie(facts))
            if self._login_page is not None and _wants_page(facts):
                page = self._login_page(scope, refusal.detail)
                kind = b"text/html; charset=utf-8"
                await send_bytes(
                    scope, send, status=401, content=page, kind=kind, headers=headers
                )
                return
        await send_error(
            scope,
            send,
            status=refusal.status,
            code=refusal.code,
            detail=refusal.detail,
            hint=refusal.hint,
            headers=headers,
        )


def _check_upgrade(facts: Facts) -> Refusal | None:
    """Refuse WebSocket handshakes: none of our addresses speaks them."""
    upgrades = b",".join(facts.values(b"upgrade")).lower()
    if b"websocket" not in upgrades:
        return None
    return Refusal(
        code="forbidden", reason="websocket", detail="There are no WebSockets here"
    )


async def _refuse_websocket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})


def _forget_cookie(facts: Facts) -> list[tuple[bytes, bytes]]:
    """Have the browser drop a cookie that proved nobody, so that it is not stuck."""
    name = cookies.cookie_name(facts.scheme).encode("ascii") + b"="
    if not any(name in header for header in facts.values(b"cookie")):
        return []
    return [(b"set-cookie", cookies.format_removal(facts.scheme).encode("ascii"))]


def _wants_page(facts: Facts) -> bool:
    """Return whether a person looks at the answer, rather than a program."""
    if facts.method != "GET":
        return False
    is_page = not facts.path.startswith(("/api/", "/static/"))
    accepts = b",".join(facts.values(b"accept"))
    return facts.path == "/" or (is_page and b"text/html" in accepts)


def _make_local(facts: Facts, *, in_process: bool) -> Caller:
    return Caller(
        principal=LOCAL_PRINCIPAL,
        role=Role.ADMIN,
        is_local=True,
        peer="in-process" if in_process else facts.peer,
        proof=Proof.LOCAL,
    )


def _make_anonymous(facts: Facts) -> Caller:
    return Caller(
        principal="anonymous",
        role=Role.NONE,
        is_local=False,
        peer=facts.peer,
        proof=Proof.ANONYMOUS,
    )
