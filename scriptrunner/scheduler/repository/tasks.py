"""Rows of tasks and what links them."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from scriptrunner.scheduler.models import Task, TaskDefinition, Upstream
from scriptrunner.storage.tables import (
    counters,
    deleted_tasks,
    task_dependencies,
    task_subscriptions,
    tasks,
)

#: Name of the counter that grows with every change that moves a next time.
REVISION = "tasks"

_DEFINED = tuple(each.name for each in fields(TaskDefinition) if each.name != "task_id")
_STATE = tuple(each.name for each in fields(Task) if each.name != "definition")
_LISTS = ("script_args", "dependencies", "events")
#: Written out, not bound: else no database would use the partial indexes.
_is_due = text("tasks.enabled AND tasks.due_at IS NOT NULL")
_is_pending = text("tasks.is_pending")
_ALL: Select[Any] = select(tasks)
_DUE = (
    _ALL.where(_is_due, tasks.c.due_at <= bindparam("now"))
    .order_by(tasks.c.due_at, tasks.c.id)
    .limit(bindparam("limit"))
)
_PENDING = _ALL.where(_is_pending).order_by(tasks.c.id).limit(bindparam("limit"))
_NEXT_DUE = select(func.min(tasks.c.due_at)).where(_is_due)
_REVISION = select(counters.c.value).where(counters.c.name == REVISION)
_BY_ID = _ALL.where(tasks.c.id.in_(bindparam("ids", expanding=True)))
_LOCKED = _BY_ID.order_by(tasks.c.id).with_for_update()
_UPSTREAM = select(tasks.c.id, tasks.c.last_ended_at, tasks.c.last_end_status).where(
    tasks.c.id.in_(bindparam("ids", expanding=True))
)
_UNDELETE = delete(deleted_tasks).where(deleted_tasks.c.id == bindparam("of_task"))
_SAVE = (
    update(tasks)
    .where(tasks.c.id == bindparam("old_id"))
    .values({name: bindparam(name) for name in _STATE})
)


def find(connection: Connection, task_id: str) -> Task | None:
    """Return a task, or None."""
    row = connection.execute(_BY_ID, {"ids": _askable([task_id])}).first()
    return None if row is None else _to_task(row)


def list_secrets(connection: Connection) -> set[str]:
    """Return the names of all files with secret values that tasks have."""
    query = select(tasks.c.secrets).where(tasks.c.secrets.is_not(None))
    return {name for name in connection.scalars(query) if name is not None}


def list_by_ids(connection: Connection, ids: Iterable[str]) -> list[Task]:
    """Return those of the tasks ``ids`` that there are."""
    rows = connection.execute(_BY_ID, {"ids": _askable(ids)})
    return [_to_task(row) for row in rows]


def list_all(
    connection: Connection,
    *,
    search: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[Task]:
    """Return tasks by id; ``search`` is part of id, script or description."""
    query = _filtered(_ALL, search).order_by(tasks.c.id)
    if limit is not None:
        query = query.limit(limit).offset(offset)
    return [_to_task(row) for row in connection.execute(query)]


def count(connection: Connection, *, search: str | None = None) -> int:
    """Return how many tasks there are."""
    query = _filtered(select(func.count()).select_from(tasks), search)
    found: int = connection.execute(query).scalar_one()
    return found


def _filtered(query: Select[Any], search: str | None) -> Select[Any]:
    if not search:
        return query
    columns = (tasks.c.id, tasks.c.script_path, tasks.c.description)
    return query.where(
        or_(*(each.icontains(search, autoescape=True) for each in columns))
    )


def list_ids(connection: Connection) -> list[str]:
    """Return the ids of all tasks, in order."""
    return list(connection.scalars(select(tasks.c.id).order_by(tasks.c.id)))


def list_due(connection: Connection, *, now: datetime, limit: int) -> list[Task]:
    """Return enabled tasks whose next fire is to be acted on, the longest due first."""
    rows = connection.execute(_DUE, {"now": now, "limit": limit})
    return [_to_task(row) for row in rows]


def list_pending(connection: Connection, *, limit: int) -> list[Task]:
    """Return tasks that wait for something that has changed."""
    return [_to_task(row) for row in connection.execute(_PENDING, {"limit": limit})]


def list_waiting(connection: Connection) -> list[Task]:
    """Return tasks with a fire that waits for dependencies."""
    query = _ALL.where(tasks.c.waiting_since.is_not(None), tasks.c.enabled)
    return [_to_task(row) for row in connection.execute(query.order_by(tasks.c.id))]


def find_next_due(connection: Connection) -> datetime | None:
    """Return when the next fire is to be acted on, or None."""
    moment: datetime | None = connection.execute(_NEXT_DUE).scalar()
    return moment


def get_revision(connection: Connection) -> int:
    """Return a number that grows with every change that moves a next time."""
    return connection.execute(_REVISION).scalar() or 0


def raise_revision(connection: Connection) -> None:
    """Tell tickers to look again. The caller holds the turn to write."""
    raised = (
        update(counters)
        .where(counters.c.name == REVISION)
        .values(value=counters.c.value + 1)
    )
    if connection.execute(raised).rowcount == 0:
        connection.execute(counters.insert(), {"name": REVISION, "value": 1})


def load_for_change(connection: Connection, ids: Iterable[str]) -> dict[str, Task]:
    """Return tasks by id, locked until the end of the transaction."""
    rows = connection.execute(_LOCKED, {"ids": _askable(ids)})
    found = [_to_task(row) for row in rows]
    return {each.task_id: each for each in found}


def list_upstream(connection: Connection, ids: Iterable[str]) -> dict[str, Upstream]:
    """Return what dependents need to know of the tasks ``ids``, by id."""
    rows = connection.execute(_UPSTREAM, {"ids": sorted(ids)})
    return {
        row.id: Upstream(
            task_id=row.id,
            last_ended_at=row.last_ended_at,
            last_end_status=row.last_end_status,
        )
        for row in rows
    }


def list_dependents(connection: Connection, task_id: str) -> list[str]:
    """Return the tasks that wait for ``task_id``."""
    query = select(task_dependencies.c.task_id).where(
        task_dependencies.c.depends_on == task_id
    )
    return sorted(connection.scalars(query))


def list_edges(connection: Connection) -> list[tuple[str, str]]:
    """Return ``(task, task it depends on)`` of all tasks."""
    query = select(task_dependencies.c.task_id, task_dependencies.c.depends_on)
    return [(row.task_id, row.depends_on) for row in connection.execute(query)]


def list_subscribers(connection: Connection, event: str) -> list[str]:
    """Return the ids of tasks that listen to ``event``."""
    query = select(task_subscriptions.c.task_id).where(
        task_subscriptions.c.event == event
    )
    return sorted(connection.scalars(query))


def insert(connection: Connection, new: Sequence[Task]) -> None:
    """Store new tasks with their links."""
    if not new:
        return
    connection.execute(tasks.insert(), [_to_row(each) for each in new])
    connection.execute(_UNDELETE, [{"of_task": each.task_id} for each in new])
    _link(connection, new)


def replace(connection: Connection, task: Task) -> None:
    """Store a changed task, definition and links included."""
    connection.execute(update(tasks).where(tasks.c.id == task.task_id), _to_row(task))
    for table in (task_dependencies, task_subscriptions):
        connection.execute(delete(table).where(table.c.task_id == task.task_id))
    _link(connection, [task])


def _link(connection: Connection, new: Sequence[Task]) -> None:
    for table, column, field in (
        (task_dependencies, "depends_on", "dependencies"),
        (task_subscriptions, "event", "events"),
    ):
        rows = [
            {"task_id": each.task_id, column: name}
            for each in new
            for name in getattr(each.definition, field)
        ]
        if rows:
            connection.execute(table.insert(), rows)


def save(connection: Connection, changed: Sequence[Task]) -> None:
    """Store where tasks stand; their definitions are as they were."""
    if changed:
        connection.execute(
            _SAVE,
            [
                {"old_id": each.task_id, **{n: getattr(each, n) for n in _STATE}}
                for each in changed
            ],
        )


def set_enabled(connection: Connection, task: Task) -> None:
    """Store whether a task is switched on, and where it stands."""
    change = update(tasks).where(tasks.c.id == task.task_id)
    connection.execute(change.values(enabled=task.definition.enabled))
    save(connection, [task])


def remove(connection: Connection, task_id: str, *, change: int, now: datetime) -> None:
    """Delete a task with its fires and links, and remember that for streams."""
    connection.execute(delete(tasks).where(tasks.c.id == task_id))
    row = {"id": task_id, "change": change, "deleted_at": now}
    connection.execute(deleted_tasks.insert(), row)


def forget_deleted(connection: Connection, *, before: datetime) -> None:
    """Forget deletions that no stream asks for any more."""
    connection.execute(delete(deleted_tasks).where(deleted_tasks.c.deleted_at < before))


def list_changed(connection: Connection, *, after: int, limit: int) -> list[Task]:
    """Return tasks that changed later than ``after``, in order of change."""
    query = _ALL.where(tasks.c.change > after).order_by(tasks.c.change).limit(limit)
    return [_to_task(row) for row in connection.execute(query)]


def list_deleted(
    connection: Connection, *, after: int, limit: int
) -> list[tuple[int, str]]:
    """Return ``(change, id)`` of tasks deleted later than ``after``, in order."""
    query = (
        select(deleted_tasks.c.change, deleted_tasks.c.id)
        .where(deleted_tasks.c.change > after)
        .order_by(deleted_tasks.c.change)
        .limit(limit)
    )
    return [(row.change, row.id) for row in connection.execute(query)]


def _askable(ids: Iterable[str]) -> list[str]:
    """Return the ids that a task can have; of a NUL PostgreSQL refuses to be asked."""
    return sorted(each for each in ids if "\0" not in each)


def _to_row(task: Task) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(task, name) for name in _STATE}
    for name in _DEFINED:
        value = getattr(task.definition, name)
        values[name] = list(value) if name in _LISTS else value
    return {"id": task.task_id, **values, "run_options": dict(values["run_options"])}


def _to_task(row: Row[Any]) -> Task:
    values = row._mapping
    defined = {name: values[name] for name in _DEFINED}
    for name in _LISTS:
        defined[name] = tuple(defined[name])
    definition = TaskDefinition(task_id=values["id"], **defined)
    return Task(definition=definition, **{name: values[name] for name in _STATE})
