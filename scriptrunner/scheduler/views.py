"""What only looks at tasks: lists, what is due, why, the graph, the calendar."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from scriptrunner.clock import Clock, to_text
from scriptrunner.scheduler import policy
from scriptrunner.scheduler.errors import TaskNotFoundError
from scriptrunner.scheduler.models import Fire, FireState, Task, TaskState, Upstream
from scriptrunner.scheduler.repository import fires, tasks
from scriptrunner.scheduler.representation import (
    fire_to_json,
    next_run,
    task_to_json,
    time_to_json,
)
from scriptrunner.scheduler.streaks import COUNTED, RecentRuns
from scriptrunner.scheduler.triggers import due_time, find_trigger
from scriptrunner.storage.database import Connection, Database

#: Nodes of a graph that are told; beyond that it says so.
MAX_NODES = 2_000
#: Planned times of one task in a calendar.
MAX_TIMES_PER_TASK = 100
#: Entries of a calendar.
MAX_ENTRIES = 5_000
#: Recent decisions that ``why`` shows.
RECENT = 10
#: Changes that one answer of ``list_changes`` holds.
CHANGES_AT_ONCE = 200


class TaskViews:
    """Looks at tasks. Threads may share it.

    Args:
        database: The migrated database.
        clock: Tells the time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Hold nothing."""
        self._database = database
        self._clock = clock

    def get(self, task_id: str) -> Task:
        """Return a task.

        Raises:
            TaskNotFoundError: If there is no such task.
        """
        with self._database.read() as connection:
            return _get(connection, task_id)

    def describe(self, task: Task) -> dict[str, Any]:
        """Return a task as the API shows it."""
        with self._database.read() as connection:
            return self._describe_all(connection, [task])[0]

    def list_tasks(
        self, *, search: str | None = None, limit: int | None = None, offset: int = 0
    ) -> tuple[list[dict[str, Any]], int]:
        """Return tasks as the API shows them, by id, and how many match in all."""
        with self._database.read() as connection:
            found = tasks.list_all(
                connection, search=search, limit=limit, offset=offset
            )
            total = tasks.count(connection, search=search)
            return self._describe_all(connection, found), total

    def list_definitions(self) -> list[Task]:
        """Return all tasks, by id."""
        with self._database.read() as connection:
            return tasks.list_all(connection)

    def _describe_all(
        self, connection: Connection, found: Sequence[Task]
    ) -> list[dict[str, Any]]:
        now = self._clock.utc_now()
        held = _list_held(connection, found)
        ids = [each.task_id for each in found]
        ends = fires.list_ends(connection, ids, limit=COUNTED + 1)
        return [
            task_to_json(
                each,
                now=now,
                waiting_for=held.get(each.task_id, {}),
                recent=RecentRuns.from_newest(ends.get(each.task_id, ())),
            )
            for each in found
        ]

    def list_due(self) -> list[dict[str, Any]]:
        """Return tasks whose time has come and that have not been started yet."""
        now = self._clock.utc_now()
        with self._database.read() as connection:
            found = {
                each.task_id: each
                for each in (
                    *tasks.list_due(connection, now=now, limit=1_000),
                    *tasks.list_waiting(connection),
                )
            }
            held = _list_held(connection, list(found.values()))
        return [
            {
                "task_id": task_id,
                "script_path": task.definition.script_path,
                "next_run": time_to_json(next_run(task, now=now)),
                "waiting_for": sorted(held.get(task_id, {})),
            }
            for task_id, task in sorted(found.items())
        ]

    def list_fires(
        self, task_id: str, *, limit: int = 50, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Return the decisions about a task, newest first.

        Raises:
            TaskNotFoundError: If there is no such task.
        """
        with self._database.read() as connection:
            _get(connection, task_id)
            found = fires.list_newest(connection, task_id, limit=limit, offset=offset)
        return [fire_to_json(each) for each in found]

    def explain(self, task_id: str) -> dict[str, Any]:
        """Return why a task did or did not run, why it is late, when it will run.

        Raises:
            TaskNotFoundError: If there is no such task.
        """
        now = self._clock.utc_now()
        with self._database.read() as connection:
            task = _get(connection, task_id)
            recent = fires.list_newest(connection, task_id, limit=RECENT)
            unmet = _list_held(connection, [task]).get(task_id, {})
        at = next_run(task, now=now)
        late = 0.0
        if task.definition.enabled and at is not None:
            late = max(0.0, (now - at).total_seconds())
        return {
            "task_id": task_id,
            "state": task.state,
            "summary": _summarise(task, recent, unmet, now),
            "next_run": time_to_json(at),
            "late_seconds": round(late, 6),
            "waiting_for": [
                {"task_id": name, "reason": reason} for name, reason in unmet.items()
            ],
            "paused_reason": task.paused_reason,
            "last_decision": fire_to_json(recent[0]) if recent else None,
            "recent": [fire_to_json(each) for each in recent],
        }

    def draw_graph(self) -> dict[str, Any]:
        """Return tasks and what waits for what, at most 2 000 tasks.

        Tasks that neither wait nor are waited for are left out first.
        """
        with self._database.read() as connection:
            edges = tasks.list_edges(connection)
            linked = {name for edge in edges for name in edge}
            found = tasks.list_all(connection)
        known = {each.task_id: each for each in found}
        ordered = sorted(found, key=lambda t: (t.task_id not in linked, t.task_id))
        shown = {each.task_id for each in ordered[:MAX_NODES]}
        upstream = {name: _as_upstream(task) for name, task in known.items()}
        return {
            "nodes": [_node(known[name]) for name in sorted(shown)],
            "edges": [
                {
                    "from": before,
                    "to": after,
                    "is_met": before
                    not in policy.find_unmet(
                        known[after],
                        [upstream[before]] if before in upstream else [],
                    ),
                    "is_missing": before not in known,
                }
                for after, before in sorted(edges)
                if after in shown
            ],
            "events": [
                {"event": event, "to": each.task_id}
                for each in found
                if each.task_id in shown
                for event in each.definition.events
            ],
            "count": len(found),
            "truncated": len(found) > len(shown),
        }

    def draw_calendar(self, since: datetime, until: datetime) -> dict[str, Any]:
        """Return what was decided and what is planned with since <= time < until.

        At most 100 planned times per task and 5 000 entries in all; ``truncated`` says
        whether there are more.
        """
        now = self._clock.utc_now()
        with self._database.read() as connection:
            found = tasks.list_all(connection)
            past = fires.list_between(connection, since, until, limit=MAX_ENTRIES + 1)
        entries = [_past_entry(each) for each in past]
        truncated = False
        for task in found:
            times = list(_iter_planned(task, max(since, now), until))
            truncated |= len(times) > MAX_TIMES_PER_TASK
            entries += [
                {
                    "task_id": task.task_id,
                    "at": time_to_json(at),
                    "state": "planned",
                    "reason": None,
                    "run_id": None,
                    "run_status": None,
                }
                for at in times[:MAX_TIMES_PER_TASK]
            ]
        entries.sort(key=lambda each: (str(each["at"]), str(each["task_id"])))
        return {
            "since": time_to_json(since),
            "until": time_to_json(until),
            "fires": entries[:MAX_ENTRIES],
            "truncated": truncated or len(entries) > MAX_ENTRIES,
        }

    def list_changes(
        self, after: int
    ) -> tuple[list[tuple[int, dict[str, Any]]], list[tuple[int, str]], int | None]:
        """Return what changed after ``after``, for streams.

        Returns:
            ``(change, task)`` and ``(change, id)`` of deleted ones, each in order; and
            where to go on from if there is more, else None.
        """
        limit = CHANGES_AT_ONCE
        with self._database.read() as connection:
            changed = tasks.list_changed(connection, after=after, limit=limit)
            deleted = tasks.list_deleted(connection, after=after, limit=limit)
            shown = self._describe_all(connection, changed)
        more = None
        if len(changed) == limit:
            more = changed[-1].change
        if len(deleted) == limit:
            more = min(more or deleted[-1][0], deleted[-1][0])
        pairs = [(t.change, s) for t, s in zip(changed, shown, strict=True)]
        if more is not None:
            pairs = [each for each in pairs if each[0] <= more]
            deleted = [each for each in deleted if each[0] <= more]
        return pairs, deleted, more


def _get(connection: Connection, task_id: str) -> Task:
    task = tasks.find(connection, task_id)
    if task is None:
        raise TaskNotFoundError
    return task


def _list_held(
    connection: Connection, found: Iterable[Task]
) -> dict[str, Mapping[str, str]]:
    """Return why fires wait, by dependency, by task; only tasks that wait are there."""
    waiting = [each for each in found if each.waiting_since is not None]
    names = {name for each in waiting for name in each.definition.dependencies}
    if not names:
        return {}
    upstream = list(tasks.list_upstream(connection, names).values())
    return {each.task_id: policy.find_unmet(each, upstream) for each in waiting}


def _as_upstream(task: Task) -> Upstream:
    return Upstream(
        task_id=task.task_id,
        last_ended_at=task.last_ended_at,
        last_end_status=task.last_end_status,
    )


def _node(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.task_id,
        "script_path": task.definition.script_path,
        "state": task.state,
        "enabled": task.definition.enabled,
        "last_status": task.last_status,
        "next_run": time_to_json(task.due_at),
    }


def _past_entry(fire: Fire) -> dict[str, Any]:
    return {
        "task_id": fire.task_id,
        "at": time_to_json(fire.fire_time),
        "state": fire.state,
        "reason": fire.reason,
        "run_id": fire.run_id,
        "run_status": fire.run_status,
    }


def _iter_planned(task: Task, since: datetime, until: datetime) -> Iterable[datetime]:
    """Yield planned times in the span, one more than a calendar shows."""
    if not task.definition.enabled or task.next_fire_at is None:
        return
    trigger = find_trigger(task.definition, created_at=task.created_at)
    if trigger is None:
        return
    begin = max(since, task.next_fire_at) - timedelta(microseconds=1)
    for planned in islice(trigger.iter_after(begin), MAX_TIMES_PER_TASK + 1):
        at = due_time(task.definition, planned)
        if at >= until:
            return
        yield at


def _summarise(
    task: Task, recent: Sequence[Fire], unmet: Mapping[str, str], now: datetime
) -> str:
    """Return where a task stands in one line."""
    words = _describe_state(task, unmet, now)
    if not recent:
        return f"{words}. It has not fired yet."
    last = recent[0]
    verb = {
        FireState.STARTED: "started a run",
        FireState.SKIPPED: "did not run",
        FireState.WAITING: "waits",
    }[FireState(last.state)]
    return f"{words}. Its last fire ({to_text(last.fire_time)}) {verb}: {last.reason}."


def _describe_state(task: Task, unmet: Mapping[str, str], now: datetime) -> str:
    if task.state is TaskState.PAUSED:
        return f"It does not fire: {task.paused_reason or 'it is switched off'}"
    if task.state is TaskState.WAITING:
        why = "; ".join(f"{name} {reason}" for name, reason in unmet.items())
        return (
            f"Its fire of {time_to_json(task.waiting_since)} waits: {why or 'a look'}"
        )
    if task.state is TaskState.SCHEDULED and task.due_at is not None:
        if task.due_at > now:
            return f"It runs next at {to_text(task.due_at)}"
        late = (now - task.due_at).total_seconds()
        return (
            f"It was due at {to_text(task.due_at)} and is {late:.1f} s late: the "
            "supervisor has not come to it, or the queue or the disk is full"
        )
    if task.state is TaskState.FINISHED:
        return f"It fires no more after {task.run_count} runs"
    return "It has no times: it fires by events, by other tasks or by hand"
