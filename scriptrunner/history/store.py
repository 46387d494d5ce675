"""One history to read and to clean: the service's own, or a history file.

Nothing here records; that goes with the end of a run (``recording``). Reads are short
transactions, a chunk each, so that a long export holds up nobody.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

from scriptrunner.history.models import (
    Cursor,
    HistoryFilter,
    HistoryStats,
    NewestExecution,
    Point,
    Removed,
    ScriptFigures,
)
from scriptrunner.history.repository import reading, removal, scripts
from scriptrunner.history.representation import row_to_item
from scriptrunner.history.rows import path_key
from scriptrunner.storage.database import Connection, Database

#: Executions that are removed in one transaction: some ten milliseconds.
BATCH = 500
#: Seconds at least between two batches, in which others get their turn to write.
PAUSE_SECONDS = 0.01
#: Executions that are read at once while all are gone through.
CHUNK = 1_000
#: Beyond it a value was not measured but made up; its square would be no number.
MAX_VALUE = 1e100


class HistoryStore:
    """A history. Threads may share it; the database belongs to whoever made it.

    Args:
        database: The migrated service database, or a history file.
        has_alerts: Whether the alerts of the runs lie in the same database; they are
            removed with the executions.
    """

    def __init__(self, database: Database, *, has_alerts: bool = False) -> None:
        """Open nothing yet."""
        self._database = database
        self._has_alerts = has_alerts

    def list_items(
        self, wanted: HistoryFilter, *, limit: int, before: Cursor | None = None
    ) -> tuple[list[dict[str, Any]], Cursor | None]:
        """Return executions as the API shows them, newest first.

        Returns:
            The items, and where the next page begins if there may be one.
        """
        with self._database.read() as connection:
            rows = reading.list_rows(connection, wanted, limit=limit, before=before)
        items = [row_to_item(row) for row in rows]
        if len(rows) < limit:
            return items, None
        return items, Cursor(rows[-1]["started_at"], rows[-1]["id"])

    def count(self, wanted: HistoryFilter) -> int:
        """Return how many executions match."""
        with self._database.read() as connection:
            return reading.count_rows(connection, wanted)

    def has_script(self, script_path: str) -> bool:
        """Return whether there is any execution of this (canonical) script."""
        with self._database.read() as connection:
            return reading.has_rows(connection, script_path)

    def list_points(
        self, metric: str, wanted: HistoryFilter, *, limit: int
    ) -> list[Point]:
        """Return the newest values of a metric in the order of time, oldest first.

        Executions that do not know the metric are left out.

        Args:
            metric: Its own name, one with a column.
            wanted: Which executions.
            limit: Values at most.
        """
        with self._database.read() as connection:
            rows = reading.read_series(connection, wanted, [metric], limit=limit)
        place = reading.FIRST_METRIC
        return [
            reading.to_point(row, float(row[place]))
            for row in rows
            if abs(row[place]) <= MAX_VALUE
        ]

    def list_columns(
        self, metrics: Sequence[str], wanted: HistoryFilter, *, limit: int
    ) -> list[list[float]]:
        """Return the known values of each metric over the newest executions.

        The executions are those that know the first metric; oldest first.
        """
        with self._database.read() as connection:
            rows = reading.read_series(connection, wanted, metrics, limit=limit)
        places = range(reading.FIRST_METRIC, reading.FIRST_METRIC + len(metrics))
        return [
            [
                float(row[place])
                for row in rows
                if row[place] is not None and abs(row[place]) <= MAX_VALUE
            ]
            for place in places
        ]

    def find_first_seen(
        self, script_path: str, column: str, value: Any
    ) -> tuple[datetime, str] | None:
        """Return when, and in which run, a script first had ``value`` in ``column``."""
        with self._database.read() as connection:
            return reading.find_first_seen(
                connection, script_path=script_path, column=column, value=value
            )

    def find_args(self, execution_id: int) -> list[str]:
        """Return the kept arguments of an execution."""
        with self._database.read() as connection:
            return reading.find_args(connection, execution_id)

    def get_stats(self) -> HistoryStats:
        """Return figures over everything there is."""
        with self._database.read() as connection:
            totals = reading.get_totals(connection)
            scripts = len(reading.list_script_keys(connection))
            size = reading.get_size(connection)
        file = self._database.file
        return HistoryStats(
            executions=totals.executions,
            metrics=int(totals.metrics),
            alerts=int(totals.alerts),
            scripts=scripts,
            execution_time_seconds=float(totals.seconds),
            database_file=(
                file.name if file is not None else self._database.url.database or ""
            ),
            database_size_bytes=size,
            oldest=totals.oldest,
            newest=totals.newest,
        )

    def list_scripts(
        self, wanted: HistoryFilter, *, newest: int
    ) -> list[ScriptFigures]:
        """Return every script with its counts and its newest executions.

        Args:
            wanted: Which executions count.
            newest: Executions at most of each script.
        """
        only = wanted.script_path
        with self._database.read() as connection:
            keys = reading.list_script_keys(connection)
            if only is not None:
                keys = [key for key in keys if key == path_key(only)]
            counts = scripts.count_by_script(connection, keys, wanted)
            keys = [key for key, _, _ in counts]
            rows = scripts.list_newest(connection, keys, wanted, limit=newest)
        by_key: dict[int, list[Any]] = {key: [] for key in keys}
        for row in rows:
            by_key[row[0]].append(row)
        return [
            ScriptFigures(
                executions=count,
                successes=completed,
                newest=[
                    NewestExecution(*each[1:])
                    for each in sorted(by_key[key], key=itemgetter(1))
                ],
            )
            for key, count, completed in counts
            if by_key[key]
        ]

    def iter_chunks(
        self, wanted: HistoryFilter, columns: Sequence[str]
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield all that match in the order of time, in lists of rows.

        A row is start, number, and then ``columns``. What is added meanwhile may be
        missing or there; nothing comes twice.
        """
        after: Cursor | None = None
        while True:
            with self._database.read() as connection:
                rows = reading.read_chunk(
                    connection, wanted, columns, limit=CHUNK, after=after
                )
            if rows:
                yield rows
            if len(rows) < CHUNK:
                return
            after = Cursor(rows[-1][0], rows[-1][1])

    # Removal

    def count_before(self, cutoff: datetime) -> Removed:
        """Return what ``remove_before`` would remove."""
        with self._database.read() as connection:
            found = removal.count_before(connection, cutoff)
            if not self._has_alerts:
                return found
            return found + Removed(
                alerts=removal.count_alerts_alone(connection, cutoff)
            )

    def remove_before(
        self, cutoff: datetime, *, stop: threading.Event | None = None
    ) -> Removed:
        """Remove all executions that began before ``cutoff``, in small transactions.

        Alerts of that time go, too, if no execution tells of their run.

        Args:
            cutoff: UTC.
            stop: Ends it early, after a whole batch.
        """
        stop = stop or threading.Event()
        steps = [self._remove_executions]
        if self._has_alerts:
            steps.append(self._remove_alerts)
        total = Removed()
        while steps:
            began, step = time.monotonic(), steps[0]
            removed, is_all = self._database.retrying(partial(step, cutoff=cutoff))
            total += removed
            if is_all:
                del steps[0]
            # The lock is free for at least half of the time.
            pause = max(PAUSE_SECONDS, time.monotonic() - began)
            if steps and stop.wait(pause):
                break
        return total

    def _remove_executions(
        self, connection: Connection, *, cutoff: datetime
    ) -> tuple[Removed, bool]:
        """Remove a batch; return what it was, and whether there are no more."""
        removed, run_ids = removal.delete_before(connection, cutoff, limit=BATCH)
        is_all = removed.executions < BATCH
        if not self._has_alerts or not run_ids:
            return removed, is_all
        alerts = removal.delete_alerts(connection, run_ids)
        return Removed(removed.executions, removed.metrics, alerts), is_all

    def _remove_alerts(
        self, connection: Connection, *, cutoff: datetime
    ) -> tuple[Removed, bool]:
        """Remove a batch of alerts without an execution, likewise."""
        count = removal.delete_alerts_alone(connection, cutoff, limit=BATCH)
        return Removed(alerts=count), count < BATCH

    def count_all(self) -> int:
        """Return how many executions there are."""
        with self._database.read() as connection:
            return removal.count_all(connection)

    def find_start_of(self, place: int) -> datetime | None:
        """Return the start of the execution ``place`` behind the newest (0 is it)."""
        with self._database.read() as connection:
            return removal.find_start_of(connection, place=place)

    def estimate_row_bytes(self) -> float:
        """Return about how many bytes one execution takes on disk."""
        with self._database.read() as connection:
            return removal.estimate_row_bytes(connection)
