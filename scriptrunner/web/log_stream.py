"""The event stream of one run's output: every byte once, attempt by attempt, to the end."""

import re
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any

from starlette.concurrency import run_in_threadpool

from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.runs.logs import STREAMS, OutputState
from scriptrunner.runs.models import TERMINAL_STATUSES, RunListItem
from scriptrunner.web.live import LOST_RING_SECONDS, Watcher, concerns
from scriptrunner.web.runtime import Runtime
from scriptrunner.web.sse import EventWriter
from scriptrunner.web.tailing import Tail

EVENT_ID = re.compile(r"(\d{1,9}):o(\d{1,18}):e(\d{1,18})")
#: Seconds between two looks at the files of a running attempt.
LOOK_SECONDS = 0.05
#: Open streams of this worker beyond which each looks less often.
BUSY_STREAMS = 100


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader stands: the attempt, and the next byte of each stream."""

    attempt: int = 1
    stdout: int = 0
    stderr: int = 0

    def __str__(self) -> str:
        """Return the position as the id of a message."""
        return f"{self.attempt}:o{self.stdout}:e{self.stderr}"


def parse_position(event_id: str | None) -> Position:
    """Return the position that ``Last-Event-ID`` names, or the beginning."""
    found = EVENT_ID.fullmatch(event_id or "")
    if found is None:
        return Position()
    return Position(max(1, int(found[1])), int(found[2]), int(found[3]))


def look_seconds(runtime: Runtime) -> float:
    """Return how long to wait between two looks at files, given how many streams look."""
    return LOOK_SECONDS * max(1.0, runtime.workers.own_streams / BUSY_STREAMS)


class LogStream:
    """Writes the output of one run to one reader.

    Args:
        runtime: The application's parts.
        run_id: The run; it exists.
        streams: ``stdout``, ``stderr`` or both.
        position: Where to begin.
    """

    def __init__(
        self,
        runtime: Runtime,
        run_id: str,
        *,
        streams: Sequence[str],
        position: Position,
    ) -> None:
        """Prepare; nothing is opened yet."""
        self._runtime = runtime
        self._runs = runtime.services.runs
        self._run_id = run_id
        self._streams = streams
        self._position = position

    async def produce(self, writer: EventWriter) -> None:
        """Write all output, then ``end``; return when the run is over or gone."""
        async with self._runtime.bell.listening() as ear:
            watcher = Watcher(ear, self._runtime.feed)
            try:
                item = await self._write_attempts(writer, watcher)
            except RunNotFoundError:
                await writer.event("deleted", {"ids": [self._run_id]})
                return
        await writer.event("end", describe_end(item), event_id=str(self._position))

    async def _write_attempts(
        self, writer: EventWriter, watcher: Watcher
    ) -> RunListItem:
        """Write attempt after attempt and return the run once it is over."""
        while True:
            watcher.change, item, state = await run_in_threadpool(self._look)
            if state is not None:
                await self._write_attempt(writer, watcher, state)
                item = await run_in_threadpool(self._get_item)
            if item.attempt > self._position.attempt:
                self._position = Position(self._position.attempt + 1)
                number = {"attempt": self._position.attempt}
                await writer.event("attempt", number, event_id=str(self._position))
            elif item.status in TERMINAL_STATUSES:
                return item
            else:
                await self._wait_for_change(writer, watcher)

    async def _wait_for_change(self, writer: EventWriter, watcher: Watcher) -> None:
        while True:
            await watcher.wait(LOST_RING_SECONDS)
            changes = await watcher.find_changes()
            if changes is not None and concerns(changes, self._run_id):
                return
            await writer.beat()

    def _look(self) -> tuple[int, RunListItem, OutputState | None]:
        """Return change, run, and the state of the attempt that comes next."""
        change = self._runs.current_change()
        item = self._get_item()
        if item.attempt < self._position.attempt:
            return change, item, None
        return change, item, self._get_state()

    def _get_item(self) -> RunListItem:
        return self._runs.get_run(self._run_id).item

    def _get_state(self) -> OutputState:
        return self._runs.get_log_state(self._run_id, self._position.attempt)

    async def _write_attempt(
        self, writer: EventWriter, watcher: Watcher, state: OutputState
    ) -> None:
        """Write the output of one attempt until nothing more will come."""
        begin = {"stdout": self._position.stdout, "stderr": self._position.stderr}
        with ExitStack() as stack:
            tails = [
                stack.enter_context(
                    closing(Tail(self._runs.logs, state, stream, begin[stream]))
                )
                for stream in STREAMS
                if stream in self._streams
            ]
            while not await self._write_pieces(writer, tails, state):
                await watcher.wait(look_seconds(self._runtime))
                changes = await watcher.find_changes()
                if changes is not None and concerns(changes, self._run_id):
                    state = await run_in_threadpool(self._get_state)
                await writer.beat()

    async def _write_pieces(
        self, writer: EventWriter, tails: Sequence[Tail], state: OutputState
    ) -> bool:
        """Write all that has come; return whether nothing more will."""
        todo = list(tails)
        while todo:
            for tail in list(todo):
                piece = tail.take(state)
                if piece is None:
                    todo.remove(tail)
                    continue
                self._position = replace(self._position, **{tail.stream: tail.offset})
                position = str(self._position)
                await writer.event("output", piece.to_json(), event_id=position)
        return state.is_complete


def describe_end(item: RunListItem) -> dict[str, Any]:
    """Return the data of an ``end`` message."""
    return {
        "status": item.status,
        "run_status": item.run_status,
        "exit_code": item.exit_code,
    }
