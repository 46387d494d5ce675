"""A reader of endless answers: TestClient waits for an answer's end, this does not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp


@dataclass
class Message:
    """One server-sent event."""

    event: str
    data: Any
    id: str | None = None


@dataclass
class Stream:
    """An open stream, read as it comes."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    #: Everything that came so far.
    text: str = ""
    _rest: str = ""
    _came: "asyncio.Queue[str | None]" = field(default_factory=asyncio.Queue)

    async def next(self, *events: str) -> Message:
        """Return the next message, or the next of the named kinds, within 10 s."""
        async with asyncio.timeout(10):
            while True:
                block, found, rest = self._rest.partition("\n\n")
                if not found:
                    await self._read_on()
                    continue
                self._rest = rest
                message = parse(block)
                if message is not None and (not events or message.event in events):
                    return message

    async def read_to_end(self) -> str:
        """Return the whole text once the answer has ended."""
        async with asyncio.timeout(10):
            while (piece := await self._came.get()) is not None:
                self.text += piece
        return self.text

    async def _read_on(self) -> None:
        piece = await self._came.get()
        assert piece is not None, "the stream has ended"
        self.text += piece
        self._rest += piece


def parse(block: str) -> Message | None:
    """Return the message in the lines of ``block``, or None for comments and settings."""
    lines = (line.split(": ", 1) for line in block.splitlines() if ": " in line)
    fields = dict(lines)
    if "data" not in fields:
        return None
    return Message(
        fields.get("event", "message"), json.loads(fields["data"]), fields.get("id")
    )


@asynccontextmanager
async def open_stream(app: ASGIApp, path: str, **headers: str) -> AsyncIterator[Stream]:
    """Open ``path`` of ``app`` as a local caller; leave at the end of the block."""
    stream, has_left = Stream(), asyncio.Event()
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if requests:
            return requests.pop()
        await has_left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            stream.status = message["status"]
            stream.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            return
        if message["body"]:
            stream._came.put_nowait(message["body"].decode())
        if not message.get("more_body"):
            stream._came.put_nowait(None)

    task = asyncio.ensure_future(app(_scope(path, headers), receive, send))
    try:
        async with asyncio.timeout(10):
            while not stream.status and not task.done():
                await asyncio.sleep(0)
        yield stream
    finally:
        has_left.set()
        async with asyncio.timeout(10):
            await task


def _scope(path: str, headers: dict[str, str]) -> dict[str, Any]:
    plain, _, query = path.partition("?")
    sent = {
        "host": "testserver",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in sent.items()],
        "client": ("testclient", 50_000),
        "server": ("testserver", 80),
        "state": {},
    }
