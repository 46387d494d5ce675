"""What changed in the record of runs since some change."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from scriptrunner.runs.models import RunListItem
from scriptrunner.runs.repository.items import ITEM_COLUMNS, to_items
from scriptrunner.storage.changes import get_current, reserve
from scriptrunner.storage.tables import deleted_runs, runs

__all__ = ["get_current", "list_changed", "list_deleted", "reserve"]

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
