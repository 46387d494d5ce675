"""One id per request: in the header of every answer, in error bodies and in the log."""

import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"


def get_request_id(scope: Scope) -> str:
    """Return the id of the request; empty for one that did not come through ``RequestId``."""
    request_id: str = scope.get("state", {}).get("request_id", "")
    return request_id


class RequestId:
    """Gives every request an id and puts it on the answer; plain ASGI, outermost."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the wrapped application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = str(uuid.uuid4())
        state = scope.setdefault("state", {})
        state["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                headers.append((HEADER, request_id.encode("ascii")))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_with_id)
