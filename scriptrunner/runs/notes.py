"""What the supervisor notes about a run besides its course."""

from collections.abc import Mapping
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.engine import events as engine_events
from scriptrunner.engine.events import EventType
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import events, state
from scriptrunner.storage.database import Connection, Database

#: Events beyond which notes of the supervisor are only counted.
MAX_NOTES = engine_events.MAX_EVENTS - 100


class NoteWriter:
    """Adds events to runs. Threads may share it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Note nothing yet."""
        self._database = database
        self._clock = clock

    def add(
        self, run_id: str, event_type: str, level: str, data: Mapping[str, Any]
    ) -> None:
        """Add an event to a run; a run that is gone is ignored."""
        self._database.retrying(
            lambda each: self._write(each, run_id, event_type, level, data)
        )

    def _write(
        self,
        connection: Connection,
        run_id: str,
        event_type: str,
        level: str,
        data: Mapping[str, Any],
    ) -> None:
        change_counter.reserve(connection, 1)
        found = state.load_for_change(connection, [run_id]).get(run_id)
        if found is None:
            return
        run = found[0]
        log_level = run.request["log_level"]
        if not engine_events.is_stored(event_type, level, log_level=log_level):
            return
        now = self._clock.utc_now()
        if run.event_count >= MAX_NOTES:
            events.drop(connection, run_id, run.event_count, now)
            return
        ids = {"correlation_id": run.correlation_id, "attempt_number": run.attempt}
        draft = events.EventDraft(
            timestamp=now, event_type=event_type, level=level, data={**ids, **data}
        )
        events.append(connection, run_id, run.event_count, draft)

    def count_recovery_failure(self, run_id: str, attempt: int, error: str) -> int:
        """Count a failed recovery of a run and return the new count."""
        return self._database.retrying(
            lambda each: self._count(each, run_id, attempt, error)
        )

    def _count(
        self, connection: Connection, run_id: str, attempt: int, error: str
    ) -> int:
        change_counter.reserve(connection, 1)
        failures = state.count_recovery_failure(connection, run_id, attempt)
        if failures:
            data = {"error": error[:500], "failures": failures}
            self._write(connection, run_id, EventType.RECOVERY_FAILED, "ERROR", data)
        return failures
