"""All scripts at once: how often each ran, and its newest executions.

With a million executions of 500 scripts, grouping would walk through all of them. Here
each script is one short walk in its index, which SQLite and PostgreSQL want asked in
slightly different words.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    bindparam,
    case,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)

from scriptrunner.history.models import HistoryFilter
from scriptrunner.history.repository.conditions import NEWEST_FIRST, iter_conditions
from scriptrunner.storage.tables import executions

_C = executions.c
_HALF_BITS = 32
_LOWER_HALF = (1 << _HALF_BITS) - 1
#: What a completed execution adds: one completed, and one.
_COMPLETED = (1 << _HALF_BITS) + 1
#: What is told of an execution; times are microseconds, to be converted if needed.
_NEWEST = (
    _C.script_key,
    type_coerce(_C.started_at, BigInteger).label("started_at"),
    _C.script_path,
    _C.run_id,
    _C.status,
    _C.success,
    _C.execution_time_seconds,
    _C.memory_max_mb,
    _C.script_sha256,
)


def _table_of(connection: Connection, keys: Sequence[int]) -> Any:
    """Return the keys as a table with the column ``value``."""
    if connection.dialect.name == "sqlite":
        return func.json_each(json.dumps(list(keys))).table_valued("value")
    array = bindparam("keys", list(keys), type_=ARRAY(BigInteger))
    return func.unnest(array).table_valued("value").render_derived()


def count_by_script(
    connection: Connection, keys: Sequence[int], wanted: HistoryFilter
) -> list[tuple[int, int, int]]:
    """Return key, executions and completed ones of each script that has any.

    Cancelled ones never count. Both numbers come out of one walk, as one sum: a completed
    execution adds to the upper half, and each to the lower.
    """
    given = _table_of(connection, keys)
    weight = case(
        (_C.status == "completed", literal_column(str(_COMPLETED))),
        (_C.status == "failed", literal_column("1")),
    )
    total = (
        select(func.sum(weight))
        .where(
            _C.script_key == given.c.value,
            *iter_conditions(replace(wanted, with_cancelled=True)),
        )
        .correlate(given)
        .scalar_subquery()
    )
    rows = connection.execute(select(given.c.value, total))
    return [
        (key, int(value) & _LOWER_HALF, int(value) >> _HALF_BITS)
        for key, value in rows
        if value
    ]


def list_newest(
    connection: Connection, keys: Sequence[int], wanted: HistoryFilter, *, limit: int
) -> list[Any]:
    """Return the newest executions of each script, in no certain order.

    Args:
        connection: To read with.
        keys: Of the scripts.
        wanted: Which executions.
        limit: Of each script.
    """
    given = _table_of(connection, keys)
    if connection.dialect.name == "sqlite":
        inner = executions.alias("inner_executions")
        numbers = (
            select(inner.c.id)
            .where(
                inner.c.script_key == given.c.value,
                *iter_conditions(wanted, inner.c),
            )
            .order_by(inner.c.started_at.desc(), inner.c.id.desc())
            .limit(limit)
            .correlate(given)
        )
        source = given.join(executions, _C.id.in_(numbers.scalar_subquery()))
        return list(connection.execute(select(*_NEWEST).select_from(source)))
    newest = (
        select(*_NEWEST)
        .where(_C.script_key == given.c.value, *iter_conditions(wanted))
        .order_by(*NEWEST_FIRST)
        .limit(limit)
        .lateral("newest")
    )
    source = given.join(newest, true())
    return list(connection.execute(select(newest).select_from(source)))
