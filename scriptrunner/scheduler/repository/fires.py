"""Rows of fires: every decision, also those that started nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from scriptrunner.scheduler.models import Fire, FireState
from scriptrunner.storage.tables import task_fires, tasks

#: Decisions kept per task; older ones are forgotten.
KEPT = 1_000
#: Tasks asked about at once: databases bound the parameters of a statement.
_AT_ONCE = 10_000

_FIELDS = tuple(each.name for each in fields(Fire))
_COLUMNS = tuple(task_fires.c[name] for name in _FIELDS)
_of_task = task_fires.c.task_id == bindparam("of_task")
_NEWEST = (
    select(*_COLUMNS)
    .where(_of_task)
    .order_by(task_fires.c.fire_time.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("skip"))
)
_WAITING = select(*_COLUMNS).where(
    task_fires.c.task_id.in_(bindparam("ids", expanding=True)),
    task_fires.c.state == FireState.WAITING,
)
_TAKEN = select(task_fires.c.task_id, task_fires.c.fire_time).where(
    task_fires.c.task_id.in_(bindparam("ids", expanding=True)),
    task_fires.c.fire_time.in_(bindparam("times", expanding=True)),
)
_newest_ends = (
    select(task_fires.c.run_status)
    .where(
        task_fires.c.task_id == tasks.c.id,
        # The run of a fire that is under way has not ended, other fires have no run.
        task_fires.c.run_status != "cancelled",
    )
    .order_by(task_fires.c.fire_time.desc())
    .limit(bindparam("limit"))
    .correlate(tasks)
    .subquery()
)
#: One text per task: the index leads to few rows of each, however many there are.
_ENDS = select(
    tasks.c.id,
    select(func.aggregate_strings(_newest_ends.c.run_status, ","))
    .scalar_subquery()
    .label("statuses"),
).where(tasks.c.id.in_(bindparam("ids", expanding=True)))
_DECIDE = (
    update(task_fires)
    .where(
        _of_task,
        task_fires.c.fire_time == bindparam("of_time"),
        task_fires.c.state == FireState.WAITING,
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        decided_at=bindparam("now"),
        run_id=bindparam("new_run"),
    )
)


def list_newest(
    connection: Connection, task_id: str, *, limit: int, offset: int = 0
) -> list[Fire]:
    """Return the newest decisions about a task, newest first."""
    values = {"of_task": task_id, "limit": limit, "skip": offset}
    return [_to_fire(row) for row in connection.execute(_NEWEST, values)]


def list_between(
    connection: Connection, since: datetime, until: datetime, *, limit: int
) -> list[Fire]:
    """Return decisions about fires with since <= fire time < until, in order."""
    query = (
        select(*_COLUMNS)
        .where(task_fires.c.fire_time >= since, task_fires.c.fire_time < until)
        .order_by(task_fires.c.fire_time)
        .limit(limit)
    )
    return [_to_fire(row) for row in connection.execute(query)]


def list_ends(
    connection: Connection, ids: Iterable[str], *, limit: int
) -> dict[str, list[str]]:
    """Return how the last runs of tasks ended, newest first, by task.

    Cancelled runs are left out, and so are tasks without any other run that ended.

    Args:
        connection: Where to ask.
        ids: The tasks; one statement answers for up to 10 000 of them.
        limit: Runs per task, limit >= 1.
    """
    wanted = sorted(ids)
    found: dict[str, list[str]] = {}
    for begin in range(0, len(wanted), _AT_ONCE):
        values = {"ids": wanted[begin : begin + _AT_ONCE], "limit": limit}
        for row in connection.execute(_ENDS, values):
            if row.statuses:
                found[row.id] = row.statuses.split(",")
    return found


def find_waiting(connection: Connection, ids: Iterable[str]) -> dict[str, Fire]:
    """Return the fire that waits, by task."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    rows = connection.execute(_WAITING, {"ids": wanted})
    return {row.task_id: _to_fire(row) for row in rows}


def list_taken(
    connection: Connection, fires: Sequence[tuple[str, datetime]]
) -> set[tuple[str, datetime]]:
    """Return those of ``fires`` (task, time) that have been decided already."""
    if not fires:
        return set()
    ids = sorted({task_id for task_id, _ in fires})
    times = sorted({at for _, at in fires})
    rows = connection.execute(_TAKEN, {"ids": ids, "times": times})
    return {(row.task_id, row.fire_time) for row in rows}


def find_free_time(connection: Connection, task_id: str, at: datetime) -> datetime:
    """Return ``at``, or the first microsecond after it at which no fire is recorded."""
    while list_taken(connection, [(task_id, at)]):
        at += timedelta(microseconds=1)
    return at


def insert(connection: Connection, fires: Sequence[Fire]) -> None:
    """Record decisions. The unique key refuses a second one about the same fire."""
    if fires:
        rows = [{name: getattr(each, name) for name in _FIELDS} for each in fires]
        connection.execute(task_fires.insert(), rows)


def decide_waiting(
    connection: Connection,
    fire: Fire,
    *,
    state: str,
    reason: str,
    now: datetime,
    run_id: str | None = None,
) -> None:
    """Record what became of a fire that waited."""
    values = {
        "of_task": fire.task_id,
        "of_time": fire.fire_time,
        "new_state": state,
        "new_reason": reason,
        "now": now,
        "new_run": run_id,
    }
    connection.execute(_DECIDE, values)


def prune(connection: Connection, task_id: str) -> None:
    """Forget all but the newest decisions about a task."""
    oldest = connection.execute(
        select(task_fires.c.fire_time)
        .where(task_fires.c.task_id == task_id)
        .order_by(task_fires.c.fire_time.desc())
        .offset(KEPT)
        .limit(1)
    ).scalar()
    if oldest is not None:
        connection.execute(
            delete(task_fires).where(
                task_fires.c.task_id == task_id,
                task_fires.c.fire_time <= oldest,
                task_fires.c.state != FireState.WAITING,
            )
        )


def _to_fire(row: Any) -> Fire:
    values: Mapping[str, Any] = row._mapping
    return Fire(**values)
