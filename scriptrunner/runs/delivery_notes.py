"""What the outbox of alerts needs of the record of runs: their webhook, their diary."""

from collections.abc import Mapping
from typing import Any

from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.events import MAX_EVENTS, EventType, build_event
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.repository import events, state
from scriptrunner.storage.database import Connection

#: Events beyond which deliveries are only counted.
MAX_NOTES = MAX_EVENTS - 100


class DeliveryNotes:
    """Implements ``alerts.outbox.RunJournal``. Threads may share it.

    Args:
        folders: The run folders.
        clock: Tests hand in one they can set.
    """

    def __init__(self, folders: RunFolders, *, clock: Clock | None = None) -> None:
        """Touch nothing yet."""
        self._folders = folders
        self._clock = clock or SystemClock()

    def find_webhook(self, run_id: str) -> str | None:
        """Return the real ``slack_webhook`` of a run; None if it has none, or is gone."""
        return self._folders.read_webhook(run_id)

    def note_delivery(
        self, connection: Connection, run_id: str, data: Mapping[str, Any]
    ) -> None:
        """Add an ``alert_delivery`` event to a run; a run that is gone is ignored.

        Args:
            connection: In a transaction that has reserved its change number.
            run_id: The run.
            data: By the keys of that event.
        """
        found = state.load_for_change(connection, [run_id]).get(run_id)
        if found is None:
            return
        run, now = found[0], self._clock.utc_now()
        if run.event_count >= MAX_NOTES:
            events.drop(connection, run_id, run.event_count, now)
            return
        event = build_event(
            EventType.ALERT_DELIVERY,
            correlation_id=run.correlation_id,
            attempt_number=run.attempt or None,
            **data,
        )
        draft = events.EventDraft(
            timestamp=now,
            event_type=event.event_type,
            level=event.level,
            data=event.data,
        )
        events.append(connection, run_id, run.event_count, draft)
