"""The counter that orders all changes of the record, and what changed since."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from scriptrunner.runs.models import RunListItem
from scriptrunner.runs.repository.items import ITEM_COLUMNS, to_items
from scriptrunner.storage.tables import counters, deleted_runs, runs

_RESERVE = (
    update(counters)
    .where(counters.c.name == "change")
    .values(value=counters.c.value + bindparam("count"))
    .returning(counters.c.value)
)
_CURRENT = select(counters.c.value).where(counters.c.name == "change")
_CHANGED = (
    select(*ITEM_COLUMNS)
    .where(runs.c.change > bindparam("after"))
    .order_by(runs.c.change)
    .limit(bindparam("limit"))
)
_DELETED = (
    select(deleted_runs.c.change, deleted_runs.c.id)
    .where(deleted_runs.c.change > bindparam("after"))
    .order_by(deleted_runs.c.change)
    .limit(bindparam("limit"))
)


def reserve(connection: Connection, count: int) -> range:
    """Take ``count`` (>= 1) change numbers, and the turn to write, in one statement.

    Numbers that are not used after all are left out; nobody minds.
    """
    last = connection.execute(_RESERVE, {"count": count}).scalar_one()
    return range(last - count + 1, last + 1)


def get_current(connection: Connection) -> int:
    """Return the number of the newest change."""
    value: int = connection.execute(_CURRENT).scalar_one()
    return value


def list_changed(
    connection: Connection, *, after: int, limit: int
) -> Sequence[RunListItem]:
    """Return runs whose last change is later than ``after``, in order of change."""
    rows = connection.execute(_CHANGED, {"after": after, "limit": limit}).all()
    return to_items(connection, rows)


def list_deleted(
    connection: Connection, *, after: int, limit: int
) -> Sequence[tuple[int, str]]:
    """Return ``(change, id)`` of runs deleted later than ``after``, in order."""
    rows = connection.execute(_DELETED, {"after": after, "limit": limit})
    return [(row.change, row.id) for row in rows]
