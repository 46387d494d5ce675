"""How open streams learn that the service ends.

A server waits for open connections before it tells the application that it ends, so an
open stream would hold it up until a time limit. The lifespan therefore listens in on the
signals that end a server, beside the server's own handlers.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Ending:
    """Says whether the service ends; event loops may wait for it."""

    def __init__(self) -> None:
        """Begin with a service that goes on."""
        self.has_begun = False
        self._waiting: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def renew(self) -> None:
        """Begin once more with a service that goes on."""
        self.has_begun = False

    def begin(self) -> None:
        """Let everybody who waits go on; callable from a signal handler."""
        self.has_begun = True
        for event, loop in list(self._waiting.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def wait(self) -> None:
        """Return when the service ends."""
        event = asyncio.Event()
        self._waiting[event] = asyncio.get_running_loop()
        try:
            if not self.has_begun:
                await event.wait()
        finally:
            del self._waiting[event]

    @contextmanager
    def heard_by_signals(self) -> Iterator[None]:
        """Begin at SIGTERM and SIGINT, in front of the handlers that are there.

        Only where a server has put Python handlers of its own and we are in the main
        thread; elsewhere nothing is touched.
        """
        previous: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler) and handler is not signal.default_int_handler:
                    previous[number] = handler
                    signal.signal(number, self._in_front_of(handler))
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _in_front_of(
        self, handler: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            self.begin()
            handler(number, frame)

        return handle
