"""Posting JSON to a webhook: one connection to a checked address, no redirects, in time.

The only module that knows the HTTP library. Nothing of the environment counts: a proxy
would resolve the name once more and undo the check.
"""

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from scriptrunner import __version__
from scriptrunner.alerts.errors import DeliveryError
from scriptrunner.alerts.targets import Resolve, Target, find_addresses, to_target

if TYPE_CHECKING:
    import ssl

    import httpx

#: Seconds for all of a try, the name service included.
SECONDS = 5.0
#: Longest wait that a receiver may ask for, in seconds.
MAX_RETRY_AFTER_SECONDS = 3_600.0


def post_json(
    url: str,
    body: Mapping[str, Any],
    *,
    internal: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    resolve: Resolve | None = None,
    trust: "ssl.SSLContext | None" = None,
) -> None:
    """Post ``body`` to ``url``; return when the receiver has taken it (2xx).

    Args:
        url: Of the webhook.
        body: What is sent, as JSON.
        internal: Places on our own network that the administrator lists.
        headers: Further headers.
        seconds: For everything.
        resolve: Asks the name service; tests hand in their own.
        trust: Whose certificates are believed; by default the usual ones.

    Raises:
        DeliveryError: If it was not taken. Its words hold no part of the address but
            the status of the answer.
    """
    deadline = time.monotonic() + seconds
    target = to_target(url, internal=internal)
    addresses = find_addresses(target, seconds=seconds, resolve=resolve)
    content = json.dumps(body, allow_nan=False).encode("utf-8")
    sent_headers = {
        "Host": target.place,
        "Content-Type": "application/json",
        "User-Agent": f"ScriptRunner/{__version__}",
        **(headers or {}),
    }
    _Post(target, content, sent_headers, deadline, trust).to_any(addresses)


class _Post:
    """One try to hand ``content`` to a target."""

    def __init__(
        self,
        target: Target,
        content: bytes,
        headers: Mapping[str, str],
        deadline: float,
        trust: "ssl.SSLContext | None",
    ) -> None:
        self._target = target
        self._content = content
        self._headers = headers
        self._deadline = deadline
        self._trust = trust
        self._streams: list[Any] = []

    def to_any(self, addresses: Sequence[str]) -> None:
        """Post to the first address that takes a connection."""
        import httpx  # noqa: PLC0415 - only those who send need it

        # It would log whole addresses, and these are secrets.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        for left, address in zip(count(len(addresses), -1), addresses, strict=False):
            try:
                with self._cut_off_in_time():
                    self._post(httpx, address, addresses_left=left)
                return
            except httpx.ConnectError as error:
                if "CERTIFICATE" in str(error):
                    words = "The certificate of the receiver is not accepted"
                    raise DeliveryError(words) from None
                continue
            except httpx.TimeoutException:
                break
            except (httpx.HTTPError, OSError) as error:
                if self._remaining() <= 0:
                    break
                words = f"The connection failed ({type(error).__name__})"
                raise DeliveryError(words) from None
        if self._remaining() <= 0:
            raise DeliveryError("The receiver did not answer in time") from None
        raise DeliveryError("The receiver cannot be reached") from None

    def _remaining(self) -> float:
        return self._deadline - time.monotonic()

    @contextlib.contextmanager
    def _cut_off_in_time(self) -> Iterator[None]:
        """End the connection at the deadline, however slowly the other side drips."""
        timer = threading.Timer(max(0.0, self._remaining()), self._cut_off)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._streams.clear()

    def _cut_off(self) -> None:
        for stream in list(self._streams):
            connection = stream.get_extra_info("socket")
            if connection is not None:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _note_stream(self, _step: str, info: Mapping[str, Any]) -> None:
        """Remember the connections of this try: the library tells of each step."""
        stream = info.get("return_value")
        if hasattr(stream, "get_extra_info"):
            self._streams.append(stream)

    def _post(self, httpx: Any, address: str, *, addresses_left: int) -> None:
        target, remaining = self._target, max(0.001, self._remaining())
        host = f"[{address}]" if ":" in address else address
        # One dead address must not take the time of the others.
        timeout = httpx.Timeout(remaining, connect=remaining / addresses_left)
        with (
            httpx.Client(
                timeout=timeout,
                trust_env=False,
                follow_redirects=False,
                verify=True if self._trust is None else self._trust,
            ) as client,
            client.stream(
                "POST",
                f"{target.scheme}://{host}:{target.port}{target.resource}",
                content=self._content,
                headers=self._headers,
                extensions={
                    "sni_hostname": target.host,
                    "trace": self._note_stream,
                },
            ) as answer,
        ):
            self._judge(answer)

    def _judge(self, answer: "httpx.Response") -> None:
        status = answer.status_code
        if 200 <= status < 300:
            return  # what the answer says is nobody's business
        if 300 <= status < 400:
            raise DeliveryError(f"The receiver answered {status}: no redirects here")
        raise DeliveryError(
            f"The receiver answered {status}",
            retry_after_seconds=_read_retry_after(answer.headers.get("Retry-After")),
        )


def _read_retry_after(text: str | None) -> float | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 9:
        return None
    return min(float(text), MAX_RETRY_AFTER_SECONDS)
