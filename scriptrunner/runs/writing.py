"""Changes of runs, written: rows, events, results, and what hangs on them.

Every statement here takes the rows of many runs at once, because one transaction often
ends many.
"""

from collections.abc import Sequence
from typing import Any

from scriptrunner.history.recording import record
from scriptrunner.history.rows import to_row
from scriptrunner.runs.models import TASK_TRIGGERS
from scriptrunner.runs.repository import baselines, events, records, state, tasks
from scriptrunner.runs.transitions import RunChange
from scriptrunner.storage.database import Connection


def write(
    connection: Connection, changes: Sequence[RunChange], numbers: Sequence[int]
) -> None:
    """Write changes of different runs; each takes one of the reserved ``numbers``.

    Raises:
        LostRaceError: If a row was not as it had been read; nothing may be committed.
    """
    fresh = [change for change in changes if change.has_changed]
    rows: list[dict[str, Any]] = []
    for change, number in zip(fresh, numbers, strict=False):
        run = change.run
        run.change = number
        drafts = change.diary.events
        rows += events.to_rows(run.id, run.event_count + 1, drafts)
        run.event_count += len(drafts)
    state.save(connection, [(change.run, change.before) for change in fresh])
    _write_attempts(connection, fresh)
    _write_endings(connection, fresh)
    _write_history(connection, fresh)
    results = [change.result for change in fresh if change.result is not None]
    records.insert_results(connection, results)
    events.insert(connection, rows)
    ended = [change.run for change in fresh if change.result is not None]
    tasks.note_ends(
        connection, [each for each in ended if each.trigger in TASK_TRIGGERS]
    )
    for change in fresh:
        for warning in change.diary.warnings:
            records.add_warning(connection, change.run.id, warning)


def _write_attempts(connection: Connection, changes: Sequence[RunChange]) -> None:
    new = [each.new_attempt for each in changes if each.new_attempt is not None]
    records.insert_attempts(connection, [row for row in new if "reason" not in row])
    records.insert_attempts(connection, [row for row in new if "reason" in row])
    ended = [each.ended_attempt for each in changes if each.ended_attempt is not None]
    records.end_attempts(connection, ended)


def _write_history(connection: Connection, changes: Sequence[RunChange]) -> None:
    """Keep what ended runs measured; the number of the change is that of the row."""
    rows = []
    for change in changes:
        if change.finished is not None and change.result is not None:
            number = change.run.change
            change.result["result"]["execution_id"] = number
            rows.append(to_row(change.finished, number))
    record(connection, rows)


def _write_endings(connection: Connection, changes: Sequence[RunChange]) -> None:
    """Store what the steps of runs leave behind besides the result."""
    for change in changes:
        ending = change.ending
        if ending is not None and ending.saved_baseline is not None:
            name, metrics = ending.saved_baseline
            at = change.run.finished_at or change.run.queued_at
            baselines.save(connection, name, metrics, run_id=change.run.id, at=at)
        change.store_alerts(connection)
