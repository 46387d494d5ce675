"""Rows of ``runs`` as list items."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    String,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    tuple_,
)

from scriptrunner.runs.models import RunListItem, Status
from scriptrunner.storage.tables import UtcTime, runs

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
    "library_id",
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
    runs.c.priority,
)

# Written out, not bound: else no database would use the partial index.
_is_queued = text("runs.phase = 'queued'")
_place = tuple_(runs.c.queued_at, runs.c.id)
_first = tuple_(
    bindparam("first_at", type_=UtcTime), bindparam("first_id", type_=String)
)
_last = tuple_(bindparam("last_at", type_=UtcTime), bindparam("last_id", type_=String))
#: How many are claimed before the first of some runs.
_AHEAD = (
    select(func.count())
    .select_from(runs)
    .where(
        _is_queued,
        or_(
            runs.c.priority > bindparam("first_priority"),
            and_(runs.c.priority == bindparam("first_priority"), _place < _first),
        ),
    )
)
#: All from the first to the last of them, in the order in which they are claimed.
_BETWEEN = (
    select(runs.c.id)
    .where(
        _is_queued,
        or_(
            runs.c.priority < bindparam("first_priority"),
            and_(runs.c.priority == bindparam("first_priority"), _place >= _first),
        ),
        or_(
            runs.c.priority > bindparam("last_priority"),
            and_(runs.c.priority == bindparam("last_priority"), _place <= _last),
        ),
    )
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


def find_positions(
    connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> Mapping[str, int]:
    """Return the places (from 1) in the queue of those of ``rows`` that are queued.

    Args:
        connection: A reading connection.
        rows: Rows of ``ITEM_COLUMNS``.
    """
    queued = [row for row in rows if row.status == Status.QUEUED]
    if not queued:
        return {}
    queued.sort(key=lambda row: (-row.priority, row.queued_at, row.id))
    first, last = queued[0], queued[-1]
    bounds = {
        "first_priority": first.priority,
        "first_at": first.queued_at,
        "first_id": first.id,
    }
    ahead = connection.execute(_AHEAD, bounds).scalar_one()
    bounds |= {
        "last_priority": last.priority,
        "last_at": last.queued_at,
        "last_id": last.id,
    }
    between = connection.execute(_BETWEEN, bounds).scalars()
    return {run_id: place for place, run_id in enumerate(between, ahead + 1)}


def to_items(
    connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> list[RunListItem]:
    """Return the items of rows of ``ITEM_COLUMNS``, with their places in the queue."""
    positions = find_positions(connection, rows)
    return [to_item(row, positions.get(row.id)) for row in rows]
