"""What the ends of runs mean to the tasks that made them, and which runs a task has.

Written in the transaction that ends a run, so a task never shows anything else than its
runs do, and nothing is lost however the service ends. Runs without a task cost nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, or_, select, text, update

from scriptrunner.engine.outcomes import ACTIVE_STATUSES, Status
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.storage.tables import (
    counters,
    runs,
    task_dependencies,
    task_fires,
    tasks,
)

_END_FIRE = (
    update(task_fires)
    .where(task_fires.c.run_id == bindparam("of_run"))
    .values(ended_at=bindparam("at"), run_status=bindparam("how"))
    .returning(task_fires.c.task_id)
)
_is_newest = or_(
    tasks.c.last_ended_at.is_(None), tasks.c.last_ended_at <= bindparam("at")
)
_END_OF_TASK = (
    update(tasks)
    .where(tasks.c.id == bindparam("of_task"))
    .values(
        change=bindparam("number"),
        last_ended_at=case(
            (_is_newest, bindparam("at", type_=tasks.c.last_ended_at.type)),
            else_=tasks.c.last_ended_at,
        ),
        last_end_status=case(
            (_is_newest, bindparam("how")), else_=tasks.c.last_end_status
        ),
        last_status=case(
            (tasks.c.last_run_id == bindparam("of_run"), bindparam("how")),
            else_=tasks.c.last_status,
        ),
    )
)
_dependents = select(task_dependencies.c.task_id).where(
    task_dependencies.c.depends_on == bindparam("of_task")
)
_LOOK_AT_DEPENDENTS = (
    update(tasks)
    .where(tasks.c.id.in_(_dependents), tasks.c.enabled)
    .values(is_pending=True)
)
_TELL_TICKER = (
    update(counters)
    .where(counters.c.name == "tasks")
    .values(value=counters.c.value + 1)
)
_ACTIVE = (
    select(runs.c.task_id, runs.c.id, runs.c.status, runs.c.waiting_for)
    .where(
        # Written out: else no database would use the partial index.
        and_(text("runs.task_id IS NOT NULL")),
        runs.c.task_id.in_(bindparam("ids", expanding=True)),
        runs.c.status.in_(sorted(ACTIVE_STATUSES)),
    )
    .order_by(runs.c.queued_at, runs.c.id)
)


def note_ends(connection: Connection, ended: Sequence[StoredRun]) -> None:
    """Tell the tasks of ``ended`` how their runs went, and have dependents looked at."""
    told = False
    for run in ended:
        how = run.run_status or run.status
        if run.status == Status.COMPLETED:
            how = "success"
        elif run.status == Status.CANCELLED:
            how = "cancelled"
        elif how == "success":  # it ran well, and a gate failed
            how = "failed"
        values: dict[str, Any] = {"of_run": run.id, "at": run.finished_at, "how": how}
        task_id = connection.execute(_END_FIRE, values).scalar()
        if task_id is not None:
            values |= {"of_task": task_id, "number": run.change}
            connection.execute(_END_OF_TASK, values)
            connection.execute(_LOOK_AT_DEPENDENTS, {"of_task": task_id})
            told = True
    if told:
        connection.execute(_TELL_TICKER)


def list_active(
    connection: Connection, task_ids: Iterable[str]
) -> list[tuple[str, str, str, bool]]:
    """Return the runs of tasks that are not over, oldest first.

    Returns:
        Task id, run id, status, and whether it waits for another run.
    """
    wanted = sorted(task_ids)
    if not wanted:
        return []
    rows = connection.execute(_ACTIVE, {"ids": wanted})
    return [
        (row.task_id, row.id, row.status, row.waiting_for is not None) for row in rows
    ]
