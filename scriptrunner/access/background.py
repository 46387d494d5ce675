"""One thread that writes small rows after the request they belong to was answered."""

import atexit
import logging
import threading
from typing import Protocol

#: Seconds in which rows gather before they are written in one transaction.
GROUP_SECONDS = 0.5
#: Seconds before a failed write is tried again.
RETRY_SECONDS = 5.0
#: Seconds that the end of the service waits for the last rows.
CLOSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Sink(Protocol):
    """Something with rows to write."""

    def flush(self, *, final: bool) -> float | None:
        """Write what is due; everything if ``final``.

        Returns:
            Seconds until it wants to be asked again, or None if nothing is pending.
        """


class BackgroundWriter:
    """Calls the sinks when one of them asked for it; threads may share it.

    The thread starts with the first ``wake`` and sleeps without a timer while there is
    nothing to do. Whoever made the writer calls ``close``; the end of the interpreter
    does it too.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._sinks: list[Sink] = []
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()

    def add(self, sink: Sink) -> None:
        """Serve ``sink`` from now on."""
        self._sinks.append(sink)

    def wake(self) -> None:
        """Have all sinks asked soon; returns at once."""
        if not self._wanted.is_set():
            self._wanted.set()
            if self._thread is None:
                self._start_thread()

    def close(self) -> None:
        """Write everything and end the thread; what comes later is not written.

        A database that stays locked is not waited for longer than ``CLOSE_SECONDS``, so
        that the service ends in time.
        """
        self._closing.set()
        self._wanted.set()
        with self._start:
            thread, self._thread = self._thread, None
        if thread is not None:
            atexit.unregister(self.close)
            thread.join(CLOSE_SECONDS)
            if thread.is_alive():
                logger.error("the database is busy: the last access rows are lost")

    def _start_thread(self) -> None:
        with self._start:
            if self._thread is not None or self._closing.is_set():
                return
            self._thread = threading.Thread(
                target=self._work, name="access-writer", daemon=True
            )
            self._thread.start()
            atexit.register(self.close)

    def _work(self) -> None:
        pause: float | None = None
        while not self._closing.is_set():
            self._wanted.wait(pause)
            self._closing.wait(GROUP_SECONDS)
            self._wanted.clear()
            pauses = [self._ask(sink, final=False) for sink in self._sinks]
            pause = min((each for each in pauses if each is not None), default=None)
        for sink in self._sinks:
            self._ask(sink, final=True)

    def _ask(self, sink: Sink, *, final: bool) -> float | None:
        try:
            return sink.flush(final=final)
        except Exception:  # the outermost loop: the rows stay with their sink
            logger.warning("access rows could not be written yet", exc_info=True)
            return RETRY_SECONDS
