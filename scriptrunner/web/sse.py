"""Server-sent events: messages, heartbeats, and readers that are gone, slow, or too many.

A stream is a coroutine that writes to an ``EventWriter``. The response around it ends it
when the reader leaves, when it takes nothing for 30 s, when it is welcome no more, or
when the service ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from scriptrunner.errors import UnavailableError
from scriptrunner.web.answers import to_bytes
from scriptrunner.web.ending import Ending

#: Seconds between comment lines on a quiet stream.
HEARTBEAT_SECONDS = 15.0
#: Seconds after which a reader that takes nothing is dropped.
SLOW_READER_SECONDS = 30.0
#: Seconds between two looks whether a reader may still have what it is sent.
CHECK_SECONDS = 15.0
#: Seconds that a server gets to notice that a connection was closed.
ABORT_SECONDS = 1.0
#: Milliseconds after which a browser reconnects.
RETRY_MILLISECONDS = 2_000
CONTENT_TYPE = "text/event-stream; charset=utf-8"


class SlowReaderError(Exception):
    """The reader took nothing for too long."""


class EventWriter:
    """Writes messages of one stream."""

    def __init__(self, send: Send) -> None:
        """Write by the ASGI callable ``send``, after the headers."""
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()

    async def event(self, name: str, data: Any, *, event_id: str | None = None) -> None:
        """Send one message; ``data`` becomes one line of JSON."""
        identity = f"id: {event_id}\n" if event_id is not None else ""
        head = f"event: {name}\n{identity}data: ".encode()
        await self.write(head + to_bytes(data) + b"\n\n")

    async def beat(self) -> None:
        """Send a comment line if nothing was sent for 15 s."""
        if self._loop.time() - self._last_write >= HEARTBEAT_SECONDS:
            await self.write(b":\n\n")

    async def write(self, content: bytes) -> None:
        """Send ``content`` as it is.

        Raises:
            SlowReaderError: If the reader does not take it within 30 s.
        """
        message = {"type": "http.response.body", "body": content, "more_body": True}
        try:
            # Not ``wait_for``: before Python 3.12 it may swallow a cancellation.
            async with asyncio.timeout(SLOW_READER_SECONDS):
                await self._send(message)
        except TimeoutError:
            raise SlowReaderError from None
        self._last_write = self._loop.time()
        # A fast reader of a long log must not keep all others waiting.
        await asyncio.sleep(0)


#: Writes a whole stream; it returns when there is nothing more to come.
Producer = Callable[[EventWriter], Awaitable[None]]


class EventStream(Response):
    """An answer of server-sent events.

    Args:
        produce: Writes the stream.
        slot: Held from before the first byte until the connection is done with.
        ending: Says when the service ends.
        may_stay: Asked in another thread, every 15 s; the stream ends when it says no.
            None: the reader may stay.
    """

    def __init__(
        self,
        produce: Producer,
        *,
        slot: AbstractContextManager[None],
        ending: Ending,
        may_stay: Callable[[], bool] | None = None,
    ) -> None:
        """Prepare an answer; nothing is sent yet."""
        super().__init__(media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]  # nobody knows it
        self._produce = produce
        self._slot = slot
        self._ending = ending
        self._may_stay = may_stay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until it ends or nobody takes it."""
        with self._slot:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            if await self._run(receive, send):
                await send(
                    {"type": "http.response.body", "body": b"", "more_body": False}
                )
            else:
                await _abort(scope, receive)

    async def _run(self, receive: Receive, send: Send) -> bool:
        """Write the stream and return whether it may be ended in good form."""
        writer = EventWriter(send)
        tasks = [
            asyncio.ensure_future(self._write(writer)),
            asyncio.ensure_future(_wait_for_leave(receive)),
            asyncio.ensure_future(self._ending.wait()),
        ]
        if self._may_stay is not None:
            tasks.append(asyncio.ensure_future(_wait_for_refusal(self._may_stay)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        produced = results[0]
        if isinstance(produced, SlowReaderError):
            return False
        if isinstance(produced, Exception):
            raise produced
        return True

    async def _write(self, writer: EventWriter) -> None:
        await writer.write(f"retry: {RETRY_MILLISECONDS}\n\n".encode())
        await self._produce(writer)


async def _wait_for_refusal(may_stay: Callable[[], bool]) -> None:
    """Return when a reader may not stay; a database out of reach says nothing of it."""
    stays = True
    while stays:
        with suppress(UnavailableError):
            stays = await run_in_threadpool(may_stay)
        if stays:
            await asyncio.sleep(CHECK_SECONDS)


async def _wait_for_leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _abort(scope: Scope, receive: Receive) -> None:
    """Close the connection of a reader that takes nothing, with all that is unsent.

    ASGI has no word for that; the outermost middleware keeps uvicorn's transport.
    Elsewhere the server's own time limit must do.
    """
    transport = scope.get("state", {}).get("transport")
    if transport is None:
        return
    transport.abort()
    with suppress(TimeoutError):
        async with asyncio.timeout(ABORT_SECONDS):
            await _wait_for_leave(receive)
