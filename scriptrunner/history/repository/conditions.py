"""What is asked for as conditions on the table of executions."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from scriptrunner.history.models import Cursor, HistoryFilter, Outcome
from scriptrunner.history.rows import path_key
from scriptrunner.storage.tables import executions

Columns = ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]
_C = executions.c
#: The order of time; the number settles equal times.
TIME_ORDER = (_C.started_at, _C.id)
NEWEST_FIRST = (_C.started_at.desc(), _C.id.desc())


def iter_conditions(
    wanted: HistoryFilter, columns: Columns = executions.c
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that ``wanted`` makes, on the table or an alias of it."""
    if wanted.script_path is not None:
        yield columns.script_key == path_key(wanted.script_path)
    if wanted.since is not None:
        yield columns.started_at >= wanted.since
    if wanted.until is not None:
        yield columns.started_at < wanted.until
    if wanted.outcome is Outcome.SUCCESS:
        yield columns.status == "completed"
    elif wanted.outcome is Outcome.FAILED:
        yield columns.status == "failed"
    elif not wanted.with_cancelled:
        yield columns.status != "cancelled"


def is_before(cursor: Cursor) -> ColumnElement[bool]:
    """Return whether an execution lies before ``cursor`` in the order of time."""
    same = and_(_C.started_at == cursor.at, _C.id < cursor.execution_id)
    # The first condition is what an index is searched by.
    return and_(_C.started_at <= cursor.at, or_(_C.started_at < cursor.at, same))


def is_after(cursor: Cursor) -> ColumnElement[bool]:
    """Return whether an execution lies after ``cursor`` in the order of time."""
    same = and_(_C.started_at == cursor.at, _C.id > cursor.execution_id)
    return and_(_C.started_at >= cursor.at, or_(_C.started_at > cursor.at, same))
