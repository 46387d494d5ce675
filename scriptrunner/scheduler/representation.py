"""Tasks as JSON: the keys and values of the API, in plain dictionaries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scriptrunner.clock import to_text
from scriptrunner.scheduler.models import EventState, Fire, Task, TaskDefinition
from scriptrunner.scheduler.streaks import RecentRuns
from scriptrunner.scheduler.triggers import due_time, find_trigger

#: Fields of a definition that are times.
_TIMES = ("run_at", "start_at", "end_at")
_LISTS = ("script_args", "dependencies", "events")


def time_to_json(moment: datetime | None) -> str | None:
    """Return a UTC time as RFC 3339 with six digits and ``Z``; None stays None."""
    return None if moment is None else to_text(moment)


def definition_to_json(definition: TaskDefinition) -> dict[str, Any]:
    """Return what people have said about a task; secret values are ``***``."""
    return {
        "task_id": definition.task_id,
        "script_path": definition.script_path,
        "schedule": definition.schedule,
        "cron_expr": definition.cron_expr,
        "run_at": time_to_json(definition.run_at),
        "enabled": definition.enabled,
        "script_args": list(definition.script_args),
        "dependencies": list(definition.dependencies),
        "events": list(definition.events),
        "timezone": definition.timezone,
        "misfire_policy": definition.misfire_policy,
        "misfire_grace_seconds": definition.misfire_grace_seconds,
        "misfire_limit": definition.misfire_limit,
        "overlap_policy": definition.overlap_policy,
        "run_options": dict(definition.run_options),
        "start_at": time_to_json(definition.start_at),
        "end_at": time_to_json(definition.end_at),
        "delay_seconds": definition.delay_seconds,
        "jitter_seconds": definition.jitter_seconds,
        "max_runs": definition.max_runs,
        "description": definition.description,
    }


def task_to_json(
    task: Task, *, now: datetime, waiting_for: Mapping[str, str], recent: RecentRuns
) -> dict[str, Any]:
    """Return a task as the API shows it.

    Args:
        task: The task.
        now: The time.
        waiting_for: Why, by the id of each dependency that holds a fire of it.
        recent: How its last runs ended.
    """
    return {
        **definition_to_json(task.definition),
        "last_run": time_to_json(task.last_run_at),
        "next_run": time_to_json(next_run(task, now=now)),
        "last_status": task.last_status,
        "run_count": task.run_count,
        "last_run_id": task.last_run_id,
        "state": task.state,
        "waiting_for": sorted(waiting_for),
        "paused_reason": task.paused_reason,
        "created_at": time_to_json(task.created_at),
        "principal": task.principal,
        "streak": recent.streak_to_json(),
        "recent_statuses": list(recent.statuses),
    }


def next_run(task: Task, *, now: datetime) -> datetime | None:
    """Return when a task is acted on next; in the past only while a fire of it waits."""
    if task.waiting_since is not None:
        return task.waiting_since
    if task.definition.enabled:
        return task.due_at
    # Switched off, it stands still: this is what its times would be.
    trigger = find_trigger(task.definition, created_at=task.created_at)
    if trigger is None or task.is_used_up:
        return None
    following = trigger.next_after(now)
    return None if following is None else due_time(task.definition, following)


def fire_to_json(fire: Fire) -> dict[str, Any]:
    """Return a decision about a fire."""
    return {
        "task_id": fire.task_id,
        "fire_time": time_to_json(fire.fire_time),
        "trigger": fire.trigger,
        "state": fire.state,
        "decided_at": time_to_json(fire.decided_at),
        "reason": fire.reason,
        "run_id": fire.run_id,
        "ended_at": time_to_json(fire.ended_at),
        "run_status": fire.run_status,
        "event": fire.event,
        "principal": fire.principal,
    }


def event_to_json(event: EventState) -> dict[str, Any]:
    """Return an event with those who listen."""
    return {
        "event": event.event,
        "tasks": list(event.tasks),
        "last_fired": time_to_json(event.last_fired),
        "fire_count": event.fire_count,
    }


def to_definition(values: Mapping[str, Any]) -> TaskDefinition:
    """Return the definition of checked values by their names; lists become tuples."""
    converted: dict[str, Any] = {
        name: tuple(value) if name in _LISTS else value
        for name, value in values.items()
    }
    return TaskDefinition(**converted)
