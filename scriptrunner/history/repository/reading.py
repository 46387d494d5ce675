"""Reading a history: pages, series of one metric, versions, figures."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal, select, text

from scriptrunner.history.models import Cursor, HistoryFilter, Point
from scriptrunner.history.repository.conditions import (
    NEWEST_FIRST,
    TIME_ORDER,
    is_after,
    is_before,
    iter_conditions,
)
from scriptrunner.history.rows import path_key
from scriptrunner.storage.tables import executions

_C = executions.c
_NAMES = tuple(column.name for column in executions.columns)
_IDENTITY = (
    _C.id,
    _C.run_id,
    _C.started_at,
    _C.script_path,
    _C.script_sha256,
    _C.args_key,
    _C.python_version,
    _C.platform,
)


def list_rows(
    connection: Connection,
    wanted: HistoryFilter,
    *,
    limit: int,
    before: Cursor | None = None,
) -> list[dict[str, Any]]:
    """Return whole executions, newest first."""
    statement = select(executions).where(*iter_conditions(wanted))
    if before is not None:
        statement = statement.where(is_before(before))
    rows = connection.execute(statement.order_by(*NEWEST_FIRST).limit(limit))
    return [dict(zip(_NAMES, row, strict=True)) for row in rows]


def count_rows(connection: Connection, wanted: HistoryFilter) -> int:
    """Return how many executions match."""
    statement = select(func.count()).select_from(executions)
    return int(
        connection.execute(statement.where(*iter_conditions(wanted))).scalar_one()
    )


def has_rows(connection: Connection, script_path: str) -> bool:
    """Return whether there is any execution of the script at ``script_path``."""
    statement = select(literal(1)).where(_C.script_key == path_key(script_path))
    return connection.execute(statement.limit(1)).first() is not None


def read_series(
    connection: Connection, wanted: HistoryFilter, metrics: Sequence[str], *, limit: int
) -> list[tuple[Any, ...]]:
    """Return the newest executions that know the first of ``metrics``, oldest first.

    Each is a tuple of what makes a ``Point``, without the value, and then the metrics.
    """
    columns = [_C[name] for name in metrics]
    statement = (
        select(*_IDENTITY, *columns)
        .where(*iter_conditions(wanted), columns[0].is_not(None))
        .order_by(*NEWEST_FIRST)
        .limit(limit)
    )
    found = [tuple(row) for row in connection.execute(statement)]
    found.reverse()
    return found


def to_point(row: tuple[Any, ...], value: float) -> Point:
    """Return the point of a row of ``read_series``."""
    number, run_id, at, path, sha256, key, python, system = row[: len(_IDENTITY)]
    return Point(number, run_id, at, value, path, sha256, key, python, system)


#: Place of the first metric in a row of ``read_series``.
FIRST_METRIC = len(_IDENTITY)


def find_first_seen(
    connection: Connection, *, script_path: str, column: str, value: Any
) -> tuple[datetime, str] | None:
    """Return time and run of the first execution of a script with a value in a column."""
    statement = (
        select(_C.started_at, _C.run_id)
        .where(_C.script_key == path_key(script_path), _C[column] == value)
        .order_by(*TIME_ORDER)
        .limit(1)
    )
    found = connection.execute(statement).first()
    return None if found is None else (found[0], found[1])


def find_args(connection: Connection, execution_id: int) -> list[str]:
    """Return the kept arguments of an execution."""
    statement = select(_C.script_args).where(_C.id == execution_id)
    return list(connection.execute(statement).scalar() or [])


def get_totals(connection: Connection) -> Any:
    """Return count, sums and range over all executions, out of one index."""
    return connection.execute(
        select(
            func.count().label("executions"),
            func.coalesce(func.sum(_C.metric_count), 0).label("metrics"),
            func.coalesce(func.sum(_C.alert_count), 0).label("alerts"),
            func.coalesce(func.sum(_C.execution_time_seconds), 0.0).label("seconds"),
            func.min(_C.started_at).label("oldest"),
            func.max(_C.started_at).label("newest"),
        )
    ).one()


def list_script_keys(connection: Connection) -> list[int]:
    """Return the key of every script, by one step in the index per script."""
    first = select(func.min(_C.script_key).label("script_key")).cte(
        "keys", recursive=True
    )
    following = (
        select(func.min(_C.script_key))
        .where(_C.script_key > first.c.script_key)
        .scalar_subquery()
    )
    keys = first.union_all(select(following).where(first.c.script_key.is_not(None)))
    found = connection.execute(select(keys.c.script_key)).scalars()
    return [key for key in found if key is not None]


def read_chunk(
    connection: Connection,
    wanted: HistoryFilter,
    columns: Sequence[str],
    *,
    limit: int,
    after: Cursor | None = None,
) -> list[tuple[Any, ...]]:
    """Return the next executions in the order of time: start, number, ``columns``."""
    chosen = [_C.started_at, _C.id, *(_C[name] for name in columns)]
    statement = select(*chosen).where(*iter_conditions(wanted))
    if after is not None:
        statement = statement.where(is_after(after))
    rows = connection.execute(statement.order_by(*TIME_ORDER).limit(limit))
    return [tuple(row) for row in rows]


def get_size(connection: Connection) -> int:
    """Return the bytes that the whole database takes on disk."""
    if connection.dialect.name == "sqlite":
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        return int(pages * connection.execute(text("PRAGMA page_size")).scalar_one())
    size = select(func.pg_database_size(func.current_database()))
    return int(connection.execute(size).scalar_one())
