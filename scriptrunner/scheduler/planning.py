"""What a task must be to be stored, and what follows when it is: secrets, checks, times."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.engine.plan import RunOptions
from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.task_runs import TaskRuns
from scriptrunner.scheduler import secrets as secret_values
from scriptrunner.scheduler.checking import list_faults
from scriptrunner.scheduler.errors import fault
from scriptrunner.scheduler.models import FireState, Task, TaskDefinition
from scriptrunner.scheduler.repository import fires, tasks
from scriptrunner.scheduler.secrets import TaskSecrets
from scriptrunner.scheduler.triggers import due_time, find_trigger
from scriptrunner.storage.database import Connection

#: Next times that are told when a task is made.
NEXT_RUNS = 5


class TaskPlanner:
    """Checks tasks and computes what belongs to them. Threads may share it.

    Args:
        runs: Knows which scripts and options may be used.
        secrets: Keeps secret values.
        clock: Tells the time.
    """

    def __init__(self, runs: TaskRuns, secrets: TaskSecrets, clock: Clock) -> None:
        """Hold nothing."""
        self._runs = runs
        self._secrets = secrets
        self._clock = clock

    def take_secrets(
        self, definition: TaskDefinition, earlier: Mapping[str, Any]
    ) -> tuple[TaskDefinition, str | None]:
        """Check the options and put their secrets aside.

        Args:
            definition: As it was given; masked values stand for earlier ones.
            earlier: The secret values that the task has had so far.

        Returns:
            The definition as it may be stored, and the name of the new file of secrets.

        Raises:
            MalformedInputError: If an option has the wrong type or range.
            InvalidInputError: If the script or an option may not be used.
        """
        shown, found = secret_values.split(definition.run_options, earlier)
        real = secret_values.join(shown, found)
        options = RunOptions.from_json({**real, "args": list(definition.script_args)})
        self._runs.check(definition.script_path, options)
        return replace(definition, run_options=shown), self._secrets.write(found)

    def check(
        self,
        connection: Connection,
        changed: Sequence[Task],
        *,
        named: bool = False,
        may_miss: bool = False,
        must_fire: bool = True,
    ) -> None:
        """Refuse tasks that cannot be; what they depend on is looked at inside.

        Args:
            connection: Of the transaction that is to store them.
            changed: The tasks.
            named: Whether each fault names its task.
            may_miss: Whether tasks that are switched off may depend on missing ones.
            must_fire: Whether a task with times must have one ahead.

        Raises:
            MalformedInputError: With every fault.
        """
        edges: dict[str, list[str]] = {}
        if any(each.definition.dependencies for each in changed):
            edges = {name: [] for name in tasks.list_ids(connection)}
            for task_id, upstream in tasks.list_edges(connection):
                edges[task_id].append(upstream)
            for each in changed:
                edges[each.task_id] = list(each.definition.dependencies)
        faults = []
        for each in changed:
            is_loose = may_miss and not each.definition.enabled
            found = list_faults(each.definition, edges, may_miss=is_loose)
            if must_fire and not found:
                found += self._plan_faults(each)
            faults += [_named(one, each.task_id) if named else one for one in found]
        if faults:
            raise MalformedInputError(faults)

    def _plan_faults(self, task: Task) -> Iterable[dict[str, object]]:
        """Yield what keeps a task from ever coming due."""
        definition = task.definition
        trigger = find_trigger(definition, created_at=task.created_at)
        if trigger is None or not definition.enabled:
            return
        if trigger.next_after(self._clock.utc_now()) is None and not task.is_used_up:
            field = "run_at" if definition.run_at is not None else "end_at"
            yield fault(field, f"{field} leaves no time at which the task fires")

    def plan(self, task: Task) -> None:
        """Compute the next time of a task, counted from now."""
        definition = task.definition
        trigger = find_trigger(definition, created_at=task.created_at)
        following = None
        if trigger is not None and not task.is_used_up:
            following = trigger.next_after(self._clock.utc_now())
        task.next_fire_at = following
        task.due_at = None if following is None else due_time(definition, following)
        task.is_pending = bool(definition.dependencies) and definition.enabled

    def list_next_runs(self, task: Task, count: int = NEXT_RUNS) -> list[datetime]:
        """Return the next times at which a task is acted on, at most ``count``."""
        trigger = find_trigger(task.definition, created_at=task.created_at)
        if trigger is None:
            return []
        planned = trigger.iter_after(self._clock.utc_now())
        return [due_time(task.definition, each) for each in islice(planned, count)]

    def switch(
        self,
        connection: Connection,
        task: Task,
        *,
        was_on: bool,
        principal: str,
        reason: str | None = None,
    ) -> None:
        """Do what belongs to switching a task on or off."""
        is_on = task.definition.enabled
        if is_on:
            task.paused_reason = None
            task.is_pending = bool(task.definition.dependencies)
        elif was_on or reason is not None:
            task.paused_reason = reason or f"paused by {principal}"
        if not is_on:
            self._give_up_waiting(connection, task)

    def _give_up_waiting(self, connection: Connection, task: Task) -> None:
        for fire in fires.find_waiting(connection, [task.task_id]).values():
            words = f"the task was switched off: {task.paused_reason}"
            fires.decide_waiting(
                connection,
                fire,
                state=FireState.SKIPPED,
                reason=words,
                now=self._clock.utc_now(),
            )
        task.waiting_since = None
        task.is_pending = False


def _named(found: Mapping[str, object], task_id: str) -> dict[str, object]:
    return {**found, "msg": f"{task_id}: {found['msg']}"}
