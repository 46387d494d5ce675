"""Requests as servers hand them over, and a door that lets them in or not."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scriptrunner.access.answers import App, Message, Receive, Send
from scriptrunner.access.facts import Scope
from scriptrunner.access.models import Caller
from scriptrunner.access.peer import Peer, PeerKind, PeerLookup

#: User ids of the tests: the service's own, another person's.
OWN_UID = 1000
OTHER_UID = 1001


def make_scope(
    path: str = "/api/runs",
    *,
    method: str = "GET",
    headers: dict[str, str] | Sequence[tuple[str, str]] = (),
    host: str | None = "localhost:9000",
    client: tuple[str, int] | None = ("127.0.0.1", 40_000),
    server: tuple[str, Any] | None = ("127.0.0.1", 9000),
    **changes: Any,
) -> Scope:
    """Return the scope of one request; by default curl on this machine."""
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if host is not None:
        pairs.insert(0, ("host", host))
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "client": client,
        "server": server,
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in pairs],
        **changes,
    }


class FakeLookup(PeerLookup):
    """Says what it was told to, of every connection."""

    def __init__(self, peer: Peer | None = None, *, is_available: bool = True) -> None:
        super().__init__()
        self.peer = peer or Peer(PeerKind.KNOWN, OWN_UID)
        self._is_available = is_available
        self.questions = 0

    def find_peer(
        self,
        client: tuple[str, int],  # noqa: ARG002
        server: tuple[str, int | None],  # noqa: ARG002
    ) -> Peer:
        self.questions += 1
        return self.peer


@dataclass
class Answer:
    """What came back, or who was let in."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    caller: Caller | None = None

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def ask(door: App, scope: Scope, body: Sequence[bytes] = (b"",)) -> Answer:
    """Send a request through ``door`` and return the answer."""
    answer = Answer()
    pieces = list(body)

    async def receive() -> Message:
        if pieces:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    asyncio.run(_call(door, scope, receive, send))
    answer.caller = scope.get("state", {}).get("caller")
    return answer


async def _call(door: App, scope: Scope, receive: Receive, send: Send) -> None:
    await door(scope, receive, send)


async def let_in(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    """Answer 200 to whoever comes through."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})
