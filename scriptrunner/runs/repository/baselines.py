"""Baselines by name, and the metrics of attempts that a cost is summed over."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from scriptrunner.storage.tables import attempts, baselines

_FIND = select(baselines.c.metrics).where(baselines.c.name == bindparam("wanted"))
_UPDATE = (
    update(baselines)
    .where(baselines.c.name == bindparam("wanted"))
    .values({name: bindparam(name) for name in ("metrics", "run_id", "saved_at")})
)
_INSERT = baselines.insert()
_METRICS = (
    select(attempts.c.metrics)
    .where(attempts.c.run_id == bindparam("run_id"), attempts.c.n < bindparam("before"))
    .order_by(attempts.c.n)
)


def find(connection: Connection, name: str) -> Mapping[str, Any] | None:
    """Return the metrics that were saved last under ``name``, or None."""
    metrics: Mapping[str, Any] | None = connection.execute(
        _FIND, {"wanted": name}
    ).scalar()
    return metrics


def save(
    connection: Connection,
    name: str,
    metrics: Mapping[str, Any],
    *,
    run_id: str,
    at: datetime,
) -> None:
    """Keep metrics under ``name``, in place of earlier ones.

    The transaction must have reserved its change numbers before: that keeps two writers
    of one name apart.
    """
    values = {"metrics": dict(metrics), "run_id": run_id, "saved_at": at}
    if not connection.execute(_UPDATE, {"wanted": name, **values}).rowcount:
        connection.execute(_INSERT, {"name": name, **values})


def list_earlier_metrics(
    connection: Connection, run_id: str, before: int
) -> list[Mapping[str, Any]]:
    """Return the metrics of a run's attempts before number ``before``, in order."""
    rows = connection.execute(_METRICS, {"run_id": run_id, "before": before})
    return [metrics for (metrics,) in rows if metrics is not None]
