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
    func,
    literal,
    select,
    true,
    type_coerce,
)

from scriptrunner.history.models import HistoryFilter, Outcome
from scriptrunner.history.repository.conditions import NEWEST_FIRST, iter_conditions
from scriptrunner.storage.tables import executions

_C = executions.c
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
) -> list[Any]:
    """Return key, executions and completed ones of each script, also of those without."""
    given = _table_of(connection, keys)

    def count(which: HistoryFilter) -> Any:
        statement = select(func.count()).where(
            _C.script_key == given.c.value, *iter_conditions(which)
        )
        return statement.correlate(given).scalar_subquery()

    completed = replace(wanted, outcome=Outcome.SUCCESS)
    is_failed = wanted.outcome is Outcome.FAILED
    statement = select(
        given.c.value.label("script_key"),
        count(wanted).label("executions"),
        (literal(0) if is_failed else count(completed)).label("successes"),
    )
    return list(connection.execute(statement))


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
