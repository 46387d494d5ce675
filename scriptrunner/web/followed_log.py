"""One log topic of ``/api/stream``: it follows the last attempt of its run."""

from typing import Any

from starlette.concurrency import run_in_threadpool

from scriptrunner.runs.logs import OutputState
from scriptrunner.runs.models import TERMINAL_STATUSES, RunListItem
from scriptrunner.web.log_stream import describe_end
from scriptrunner.web.runtime import Runtime
from scriptrunner.web.sse import EventWriter
from scriptrunner.web.tailing import Tail
from scriptrunner.web.topics import Topic

#: Pieces sent before other topics get their turn.
PIECES_AT_ONCE = 8


class FollowedLog:
    """Writes the output of one stream of one run as it comes; ``close`` it."""

    def __init__(self, runtime: Runtime, topic: Topic) -> None:
        """Prepare; ``refresh`` opens it."""
        self.topic = topic
        self._runs = runtime.services.runs
        self._item: RunListItem | None = None
        self._state: OutputState | None = None
        self._tail: Tail | None = None
        self._has_ended = False

    @property
    def is_live(self) -> bool:
        """Whether the script may write at this moment."""
        return self._state is not None and not self._state.is_complete

    async def refresh(self) -> None:
        """Look at the run again.

        Raises:
            RunNotFoundError: If it is gone.
        """
        attempt = None if self._state is None else self._state.attempt
        self._item, self._state = await run_in_threadpool(self._look, attempt)

    def _look(self, attempt: int | None) -> tuple[RunListItem, OutputState]:
        item = self._runs.get_run(self.topic.run_id).item
        # An attempt that is under way is followed to its end before the next one.
        return item, self._runs.get_log_state(self.topic.run_id, attempt or None)

    async def write(self, writer: EventWriter) -> bool:
        """Write what has come; return whether there is more at once."""
        if self._state is None or self._item is None or self._state.attempt == 0:
            return False
        if self._tail is None:
            offset = self.topic.offset or 0
            self._tail = Tail(self._runs.logs, self._state, self.topic.stream, offset)
        for _ in range(PIECES_AT_ONCE):
            piece = self._tail.take(self._state)
            if piece is None:
                return await self._finish_attempt(writer, self._item, self._state)
            data = {**self._place(piece.offset), **piece.to_json()}
            await writer.event("output", data)
        return True

    async def _finish_attempt(
        self, writer: EventWriter, item: RunListItem, state: OutputState
    ) -> bool:
        """Go on to the next attempt, or tell the end; return whether there is more."""
        if not state.is_complete:
            return False
        if item.attempt > state.attempt:
            self._state = await run_in_threadpool(
                self._runs.get_log_state, self.topic.run_id, state.attempt + 1
            )
            self.close()
            self.topic.offset = 0
            await writer.event(
                "attempt", {**self._place(0), "attempt": self._state.attempt}
            )
            return True
        if item.status in TERMINAL_STATUSES and not self._has_ended:
            self._has_ended = True
            offset = self._tail.offset if self._tail is not None else 0
            await writer.event("end", {**self._place(offset), **describe_end(item)})
        return False

    def _place(self, offset: int) -> dict[str, Any]:
        return {"topic": self.topic.name, "offset": offset}

    def close(self) -> None:
        """Close the file."""
        if self._tail is not None:
            self._tail.close()
            self._tail = None
