"""Answers that access gives itself, before any framework has seen the request."""

import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from scriptrunner.access.facts import Scope

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]


async def send_error(
    scope: Scope,
    send: Send,
    *,
    status: int,
    code: str,
    detail: str,
    hint: str | None = None,
    headers: Headers = (),
) -> None:
    """Answer with the JSON body that every error of the service has.

    Args:
        scope: The request; its state names the request id.
        send: Where the answer goes.
        status: HTTP status.
        code: Stable word of the error.
        detail: Sentence for people.
        hint: What to do about it, as a further key.
        headers: Further headers.
    """
    request_id = scope.get("state", {}).get("request_id", "")
    body = {"detail": detail, "code": code, "request_id": request_id}
    if hint:
        body["hint"] = hint
    content = json.dumps(body).encode("ascii")
    await send_bytes(
        scope,
        send,
        status=status,
        content=content,
        kind=b"application/json",
        headers=headers,
    )


async def send_bytes(
    scope: Scope,
    send: Send,
    *,
    status: int,
    content: bytes,
    kind: bytes,
    headers: Headers = (),
) -> None:
    """Answer with ``content`` of media type ``kind``; HEAD gets the headers only."""
    fixed = [(b"content-type", kind), (b"content-length", str(len(content)).encode())]
    await send(
        {"type": "http.response.start", "status": status, "headers": [*fixed, *headers]}
    )
    body = b"" if scope["method"] == "HEAD" else content
    await send({"type": "http.response.body", "body": body})
