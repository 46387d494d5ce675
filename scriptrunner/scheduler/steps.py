"""What is about to become of tasks, prepared before the transaction that decides it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scriptrunner.engine.plan import RunOptions
from scriptrunner.runs.models import Trigger
from scriptrunner.runs.task_runs import Origin, TaskRun, TaskRuns
from scriptrunner.scheduler import policy, secrets
from scriptrunner.scheduler.models import Fire, Task
from scriptrunner.scheduler.secrets import TaskSecrets
from scriptrunner.scheduler.triggers import due_time, find_trigger


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
        """Return the step of a task whose time has come."""
        trigger = find_trigger(task.definition, created_at=task.created_at)
        if trigger is None:
            return Step(task=task)
        due = policy.find_due(task, trigger, now=now)
        intents = [self._prepare_planned(task, each) for each in due.fires]
        return Step(task=task, intents=intents, next_fire_at=due.next_fire_at)

    def _prepare_planned(self, task: Task, planned: policy.Planned) -> Intent:
        run = None
        if planned.skip_reason is None:
            run = self.prepare_run(task, Trigger.SCHEDULE, planned.fire_time)
        return Intent(
            fire_time=planned.fire_time,
            trigger=Trigger.SCHEDULE,
            reason=planned.reason,
            skip_reason=planned.skip_reason,
            principal=task.principal,
            run=run,
        )

    def prepare_look(self, task: Task, waiting: Fire | None, *, now: datetime) -> Step:
        """Return the step of a task some of whose dependencies have ended."""
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
        """Return a run of a task, ready to be queued."""
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
