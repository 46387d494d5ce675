"""Rows of ``runs`` as list items."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, text

from scriptrunner.runs.models import RunListItem, Status
from scriptrunner.storage.tables import runs

#: Columns that go into an item under their own names.
_NAMES = (
    "id",
    "change",
    "status",
    "run_status",
    "phase",
    "reason",
    "queued_at",
    "started_at",
    "finished_at",
    "next_attempt_at",
    "exit_code",
    "error",
    "duration_seconds",
    "correlation_id",
    "trigger",
    "principal",
    "attempt",
    "attempts_made",
    "script_path",
    "script_name",
    "script_kind",
    "script_sha256",
    "script_size",
    "restarted_from",
    "restarted_as",
    "waiting_for",
    "task_id",
    "fire_time",
    "event",
    "execution_time_seconds",
    "cpu_max",
    "memory_max_mb",
    "dry_run",
    "request_brief",
)
#: What a query must select, in this order, for ``to_item``.
ITEM_COLUMNS = (
    *(runs.c[name] for name in _NAMES),
    runs.c.script_root,
    runs.c.script_relative,
)

#: All that is queued, next to be claimed first; read from the index alone.
_QUEUE = (
    select(runs.c.id)
    # Written out, not bound: else no database would use the partial index.
    .where(text("runs.phase = 'queued'"))
    .order_by(runs.c.priority.desc(), runs.c.queued_at, runs.c.id)
)


def to_item(row: Row[*tuple[Any, ...]], position: int | None = None) -> RunListItem:
    """Return the item of a row of ``ITEM_COLUMNS``.

    Args:
        row: The row; columns beyond ``ITEM_COLUMNS`` do no harm.
        position: Place in the queue from 1, None unless queued.
    """
    values: dict[str, Any] = dict(zip(_NAMES, row, strict=False))
    root, relative = row.script_root, row.script_relative
    found = None if root is None or relative is None else f"{root}/{relative}"
    return RunListItem(**values, script_file=found, queue_position=position)


def find_positions(connection: Connection, ids: Collection[str]) -> Mapping[str, int]:
    """Return the places (from 1) in the queue of those of ``ids`` that are queued."""
    if not ids:
        return {}
    wanted = set(ids)
    queue = connection.execute(_QUEUE).scalars()
    return {each: place for place, each in enumerate(queue, 1) if each in wanted}


def to_items(
    connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> list[RunListItem]:
    """Return the items of rows of ``ITEM_COLUMNS``, with their places in the queue."""
    queued = [row.id for row in rows if row.status == Status.QUEUED]
    positions = find_positions(connection, queued)
    return [to_item(row, positions.get(row.id)) for row in rows]
