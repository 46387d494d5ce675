"""Taking executions out of a history, a batch at a time, and counting what would go.

Alerts go with the execution of their run. Those of runs that left none here, because they
kept no history or kept it in a file, go by their own age.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    exists,
    func,
    select,
)

from scriptrunner.history.models import Removed
from scriptrunner.history.repository.conditions import NEWEST_FIRST, TIME_ORDER
from scriptrunner.storage.tables import alerts, executions, runs
from scriptrunner.storage.tables.execution import REAL_METRICS, WHOLE_METRICS

_C = executions.c
#: Bytes of a row beyond its texts: numbers, heads, and its places in three indexes.
ROW_OVERHEAD_BYTES = 330
#: Executions from which the size of one is estimated.
SIZE_SAMPLE = 1_000
_TEXTS = (
    "run_id",
    "script_path",
    "script_sha256",
    "script_args",
    "python_version",
    "platform",
    "correlation_id",
    "trigger",
    "status",
    "run_status",
    "reason",
)

_HAS_EXECUTION = exists().where(_C.run_id == alerts.c.run_id)
#: A rule may be met days before the run ends, and is not met again then.
_IS_ACTIVE = exists().where(runs.c.id == alerts.c.run_id, runs.c.finished_at.is_(None))
_ALONE = (
    alerts.c.triggered_at < bindparam("cutoff"),
    ~_HAS_EXECUTION,
    ~_IS_ACTIVE,
)
_COUNT_ALONE = select(func.count()).select_from(alerts).where(*_ALONE)
_OLDEST_ALONE = (
    select(alerts.c.id)
    .where(*_ALONE)
    .order_by(alerts.c.triggered_at, alerts.c.id)
    .limit(bindparam("limit"))
)


def count_before(connection: Connection, cutoff: datetime) -> Removed:
    """Return what lies before ``cutoff``."""
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(_C.metric_count), 0),
            func.coalesce(func.sum(_C.alert_count), 0),
        ).where(_C.started_at < cutoff)
    ).one()
    return Removed(*(int(value) for value in row))


def delete_before(
    connection: Connection, cutoff: datetime, *, limit: int
) -> tuple[Removed, list[str]]:
    """Remove the oldest executions before ``cutoff``, at most ``limit``.

    Returns:
        What was removed, and the ids of the runs it told of.
    """
    oldest = connection.execute(
        select(_C.id, _C.run_id, _C.metric_count, _C.alert_count)
        .where(_C.started_at < cutoff)
        .order_by(*TIME_ORDER)
        .limit(limit)
    ).all()
    if not oldest:
        return Removed(), []
    connection.execute(delete(executions).where(_C.id.in_([row.id for row in oldest])))
    removed = Removed(
        len(oldest),
        sum(row.metric_count for row in oldest),
        sum(row.alert_count for row in oldest),
    )
    return removed, [row.run_id for row in oldest]


def delete_alerts(connection: Connection, run_ids: Sequence[str]) -> int:
    """Remove the alerts of runs, with their deliveries, and return how many."""
    return connection.execute(
        delete(alerts).where(alerts.c.run_id.in_(run_ids))
    ).rowcount


def count_alerts_alone(connection: Connection, cutoff: datetime) -> int:
    """Return how many alerts before ``cutoff`` are of runs without an execution."""
    return connection.execute(_COUNT_ALONE, {"cutoff": cutoff}).scalar_one()


def delete_alerts_alone(connection: Connection, cutoff: datetime, *, limit: int) -> int:
    """Remove the oldest of those, at most ``limit``, and return how many."""
    oldest = connection.execute(_OLDEST_ALONE, {"cutoff": cutoff, "limit": limit})
    ids = oldest.scalars().all()
    if ids:
        connection.execute(delete(alerts).where(alerts.c.id.in_(ids)))
    return len(ids)


def find_start_of(connection: Connection, *, place: int) -> datetime | None:
    """Return the start of the execution that is ``place`` behind the newest (from 0)."""
    statement = select(_C.started_at).order_by(*NEWEST_FIRST).offset(place).limit(1)
    found: datetime | None = connection.execute(statement).scalar()
    return found


def count_all(connection: Connection) -> int:
    """Return how many executions there are."""
    count = select(func.count()).select_from(executions)
    return int(connection.execute(count).scalar_one())


def estimate_row_bytes(connection: Connection) -> float:
    """Return about how many bytes an execution takes, judged by the newest ones."""
    length: ColumnElement[int] = func.coalesce(func.length(_C[_TEXTS[0]]), 0)
    for name in _TEXTS[1:]:
        length = length + func.coalesce(func.length(_C[name]), 0)
    newest = select((length + 8 * _C.metric_count).label("bytes"))
    sample = newest.order_by(*NEWEST_FIRST).limit(SIZE_SAMPLE).subquery()
    mean = connection.execute(select(func.avg(sample.c.bytes))).scalar()
    return ROW_OVERHEAD_BYTES + float(mean or 0.0)


#: Every metric that has a column.
METRIC_COLUMNS = (*WHOLE_METRICS, *REAL_METRICS)
