"""What is about to become of tasks, prepared before the transaction that decides it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from scriptrunner.engine.plan import RunOptions
from scriptrunner.errors import ScriptRunnerError, StorageFullError
from scriptrunner.runs.models import Trigger
from scriptrunner.runs.task_runs import Origin, TaskRun, TaskRuns
from scriptrunner.scheduler import policy, secrets
from scriptrunner.scheduler.models import Fire, Task
from scriptrunner.scheduler.secrets import TaskSecrets
from scriptrunner.scheduler.triggers import due_time, find_trigger

logger = logging.getLogger(__name__)

#: What may be wrong with a stored task; it is that task's affair alone.
BROKEN = (ScriptRunnerError, OSError, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A fire that is about to be decided."""

    fire_time: datetime
    trigger: Trigger
    #: Why it fires, in words.
    reason: str
    principal: str
    #: Why it does not run whatever else there is, or None.
    skip_reason: str | None = None
    event: str | None = None
    payload: Any = None
    #: The run that it may become; None if it will certainly not run.
    run: TaskRun | None = None
    #: The fire it was before, if it has been waiting.
    waiting: Fire | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is about to become of one task."""

    #: As it was read; if it has changed since, the step is void.
    task: Task
    intents: Sequence[Intent] = ()
    #: The next planned time after this step.
    next_fire_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the next fire is acted on."""
        if self.next_fire_at is None:
            return None
        return due_time(self.task.definition, self.next_fire_at)

    @property
    def runs(self) -> list[TaskRun]:
        """The runs that were prepared for it."""
        return [each.run for each in self.intents if each.run is not None]


@dataclass(frozen=True, slots=True)
class Preparer:
    """Prepares steps: reads files, computes times, writes nothing to the database."""

    runs: TaskRuns
    secrets: TaskSecrets

    def options_of(self, task: Task) -> RunOptions:
        """Return the options of a task's runs, with their real values."""
        definition = task.definition
        values = secrets.join(definition.run_options, self.secrets.read(task.secrets))
        return RunOptions.from_json({**values, "args": list(definition.script_args)})

    def prepare_due(self, task: Task, *, now: datetime) -> Step:
        """Return the step of a task whose time has come.

        A task that cannot be understood any more fires no more, and says why; it holds up
        no other.
        """
        try:
            return self._prepare_due(task, now)
        except StorageFullError:
            raise
        except BROKEN as error:
            logger.exception("task %s cannot be prepared", task.task_id)
            words = f"the task cannot be understood any more: {error}"
            fire_time = task.next_fire_at or now
            return Step(task=task, intents=[self._refuse(task, fire_time, words)])

    def _refuse(self, task: Task, fire_time: datetime, words: str) -> Intent:
        return Intent(
            fire_time=fire_time,
            trigger=Trigger.SCHEDULE,
            reason="",
            skip_reason=words,
            principal=task.principal,
        )

    def _prepare_due(self, task: Task, now: datetime) -> Step:
        trigger = find_trigger(task.definition, created_at=task.created_at)
        if trigger is None:
            return Step(task=task)
        due = policy.find_due(task, trigger, now=now)
        intents = [self._prepare_planned(task, each) for each in due.fires]
        return Step(task=task, intents=intents, next_fire_at=due.next_fire_at)

    def _prepare_planned(self, task: Task, planned: policy.Planned) -> Intent:
        run, problem = None, planned.skip_reason
        if problem is None:
            try:
                run = self.prepare_run(task, Trigger.SCHEDULE, planned.fire_time)
            except StorageFullError:
                raise
            except BROKEN as error:
                problem = f"its run cannot be made: {error}"
        return Intent(
            fire_time=planned.fire_time,
            trigger=Trigger.SCHEDULE,
            reason=planned.reason,
            skip_reason=problem,
            principal=task.principal,
            run=run,
        )

    def prepare_look(self, task: Task, waiting: Fire | None, *, now: datetime) -> Step:
        """Return the step of a task some of whose dependencies have ended."""
        try:
            return self._prepare_look(task, waiting, now)
        except StorageFullError:
            raise
        except BROKEN as error:
            logger.exception("task %s cannot be prepared", task.task_id)
            words = f"the task cannot be understood any more: {error}"
            refused = self._refuse(task, now, words)
            if waiting is not None:
                refused = replace(refused, waiting=waiting, fire_time=waiting.fire_time)
            following = task.next_fire_at
            return Step(task=task, intents=[refused], next_fire_at=following)

    def _prepare_look(self, task: Task, waiting: Fire | None, now: datetime) -> Step:
        intents: list[Intent] = []
        if waiting is not None:
            intents.append(self._prepare_waiting(task, waiting))
        elif task.definition.dependencies and not task.definition.has_times:
            run = self.prepare_run(task, Trigger.DEPENDENCY, now)
            intents.append(
                Intent(
                    fire_time=now,
                    trigger=Trigger.DEPENDENCY,
                    reason="its dependencies have succeeded",
                    principal=task.principal,
                    run=run,
                )
            )
        return Step(task=task, intents=intents, next_fire_at=task.next_fire_at)

    def _prepare_waiting(self, task: Task, waiting: Fire) -> Intent:
        trigger = Trigger(waiting.trigger)
        return Intent(
            fire_time=waiting.fire_time,
            trigger=trigger,
            reason="its dependencies have succeeded",
            principal=waiting.principal,
            event=waiting.event,
            payload=waiting.payload,
            waiting=waiting,
            run=self.prepare_run(
                task,
                trigger,
                waiting.fire_time,
                event=waiting.event,
                payload=waiting.payload,
                principal=waiting.principal,
            ),
        )

    def prepare_run(
        self,
        task: Task,
        trigger: Trigger,
        fire_time: datetime,
        *,
        event: str | None = None,
        payload: Any = None,
        principal: str | None = None,
    ) -> TaskRun:
        """Return a run of a task, ready to be queued.

        Raises:
            StorageFullError: If its files find no room.
            InvalidInputError, MalformedInputError: If its options are not understood.
        """
        origin = Origin(
            principal=principal or task.principal,
            trigger=trigger,
            task_id=task.task_id,
            fire_time=fire_time,
            event=event,
            event_payload=payload,
        )
        path = task.definition.script_path
        return self.runs.prepare(path, self.options_of(task), origin)


@dataclass(slots=True)
class Outcome:
    """What became of steps."""

    #: ``(task id, run id)`` of each run that was queued.
    started: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    #: ``(task id, reason)``.
    skipped: list[tuple[str, str]] = field(default_factory=list)
    #: Tasks that had changed since they were read, or found no room in the queue.
    void: list[str] = field(default_factory=list)
    #: Whether the queue had no room for all of them.
    is_full: bool = False
