"""What wakes open streams and waiting requests: a bell, and the feed of changes.

Whichever process changed the record of a run rings (``supervisor/wakeup.py``). A ring may
get lost, so the bell also rings by itself once a second. All streams of a worker that
stand at the same place share one query.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from scriptrunner.runs.models import Changes
from scriptrunner.supervisor.wakeup import Listener

#: Seconds after which the bell rings although nobody announced anything.
LOST_RING_SECONDS = 1.0


class Ear:
    """One event loop's listener; ``ring`` is the event of the next ring.

    Take ``ring`` first, look at the record second, wait for that ``ring`` third: then no
    change falls between.
    """

    def __init__(self, listener: Listener) -> None:
        """Listen in the running event loop."""
        self.users = 0
        self.ring = asyncio.Event()
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(listener.fileno(), self._on_announcement)
        self._timer = self._loop.call_later(LOST_RING_SECONDS, self._on_time)

    def _on_announcement(self) -> None:
        self._listener.drain()
        self._ring()

    def _on_time(self) -> None:
        self._timer = self._loop.call_later(LOST_RING_SECONDS, self._on_time)
        self._ring()

    def _ring(self) -> None:
        heard, self.ring = self.ring, asyncio.Event()
        heard.set()

    async def wait(self, ring: asyncio.Event, seconds: float) -> None:
        """Return when ``ring`` has rung or ``seconds`` have passed."""
        with suppress(TimeoutError):
            # Not ``wait_for``: before Python 3.12 it may swallow a cancellation.
            async with asyncio.timeout(max(0.0, seconds)):
                await ring.wait()

    def close(self) -> None:
        """Stop listening; called in the same event loop."""
        self._timer.cancel()
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()


class Bell:
    """The ears of one web worker: usually one; tests have an event loop per request."""

    def __init__(self, data_dir: Path) -> None:
        """Listen in ``data_dir`` as soon as somebody wants to hear."""
        self._data_dir = data_dir
        self._ears: dict[asyncio.AbstractEventLoop, Ear] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Ear]:
        """Yield the ear of this event loop; it is closed with its last user."""
        loop = asyncio.get_running_loop()
        ear = self._ears.get(loop)
        if ear is None:
            ear = self._ears[loop] = Ear(Listener(self._data_dir))
        ear.users += 1
        try:
            yield ear
        finally:
            ear.users -= 1
            if ear.users == 0:
                del self._ears[loop]
                ear.close()


@dataclass(slots=True)
class _Answer:
    """The answer for all who stood at ``change`` when ``ring`` was the next ring."""

    ring: asyncio.Event
    change: int
    task: "asyncio.Task[Changes]" = field(repr=False)


class ChangeFeed:
    """Reads the changes of the record once for everybody who stands at the same place."""

    def __init__(self, read: Callable[[int], Changes]) -> None:
        """Read by ``read(change)``: what changed after ``change``; it may block."""
        self._read = read
        self._answers: dict[asyncio.AbstractEventLoop, _Answer] = {}

    async def after(self, change: int, ring: asyncio.Event) -> Changes:
        """Return what changed after ``change``; ``ring`` is the ear's next ring."""
        loop = asyncio.get_running_loop()
        answer = self._answers.get(loop)
        if answer is None or answer.ring is not ring or answer.change != change:
            task = loop.create_task(run_in_threadpool(self._read, change))
            answer = self._answers[loop] = _Answer(ring, change, task)
            task.add_done_callback(lambda _: self._drop_failed(loop))
        return await asyncio.shield(answer.task)

    def _drop_failed(self, loop: asyncio.AbstractEventLoop) -> None:
        answer = self._answers.get(loop)
        if answer is None or not answer.task.done():
            return
        if answer.task.cancelled() or answer.task.exception() is not None:
            del self._answers[loop]

    def forget(self) -> None:
        """Forget the answers of event loops that have ended."""
        for loop in [each for each in self._answers if each.is_closed()]:
            del self._answers[loop]


class Watcher:
    """Tells one stream or request what has changed since it last asked."""

    def __init__(self, ear: Ear, feed: ChangeFeed) -> None:
        """Listen from now on; say where to stand before the first question."""
        self.change = 0
        self._ear = ear
        self._feed = feed
        self._ring = ear.ring
        self._has_more = False

    def stand_at(self, change: int, *, newest: int) -> None:
        """Stand at ``change``, which may lie before the ``newest`` one."""
        self.change = change
        self._has_more = change != newest

    async def wait(self, seconds: float) -> None:
        """Return when something may have changed, or ``seconds`` have passed."""
        if not self._has_more:
            await self._ear.wait(self._ring, seconds)

    async def find_changes(self) -> Changes | None:
        """Return what has changed after ``change``, and stand there; None if nothing rang."""
        if not self._ring.is_set() and not self._has_more:
            return None
        # Before the look: a ring that comes while we look is heard by the next wait.
        self._ring = self._ear.ring
        changes = await self._feed.after(self.change, self._ring)
        self.change, self._has_more = changes.change, changes.more
        return changes


def concerns(changes: Changes, run_id: str) -> bool:
    """Return whether ``changes`` may be about a run: it changed, is gone, or who knows."""
    return (
        changes.reset
        or any(item.id == run_id for item in changes.items)
        or any(gone == run_id for _, gone in changes.deleted)
    )
