"""The values of the scheduler: tasks, their fires, and what decisions are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class MisfirePolicy(StrEnum):
    """What becomes of fires that are later than the grace."""

    #: One run stands for all that were missed.
    RUN_ONCE = "run_once"
    #: None of them runs.
    SKIP = "skip"
    #: Each runs, up to a limit.
    RUN_ALL = "run_all"


class OverlapPolicy(StrEnum):
    """What becomes of a fire while a run of the task is still active."""

    #: It does not run.
    SKIP = "skip"
    #: It waits for the end of the run; one waits at most.
    QUEUE = "queue"
    #: It runs beside the other.
    ALLOW = "allow"
    #: The other is cancelled, and it runs when that is gone.
    CANCEL_RUNNING = "cancel_running"


class FireState(StrEnum):
    """What was decided about a fire."""

    #: Dependencies have to succeed first.
    WAITING = "waiting"
    #: A run was queued for it.
    STARTED = "started"
    #: It does not run; the reason says why.
    SKIPPED = "skipped"


class TaskState(StrEnum):
    """What a task does at the moment."""

    #: It has a next time.
    SCHEDULED = "scheduled"
    #: A fire waits for dependencies.
    WAITING = "waiting"
    #: It is switched off.
    PAUSED = "paused"
    #: It fires by events, by other tasks or by hand only.
    IDLE = "idle"
    #: It had times or a number of runs, and all are used up.
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """What people say about a task; fields are those of the API."""

    task_id: str
    script_path: str
    script_args: tuple[str, ...] = ()
    #: At most one of these three; none: by events, by other tasks or by hand.
    schedule: str | None = None
    cron_expr: str | None = None
    run_at: datetime | None = None
    dependencies: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    timezone: str = "UTC"
    enabled: bool = True
    misfire_policy: str = MisfirePolicy.RUN_ONCE
    misfire_grace_seconds: float = 60.0
    #: Fires made up for under ``run_all``, 1..100.
    misfire_limit: int = 100
    overlap_policy: str = OverlapPolicy.SKIP
    #: Options of its runs by their names; those that are not named have their defaults.
    run_options: Mapping[str, Any] = field(default_factory=dict)
    start_at: datetime | None = None
    #: No fire is planned later.
    end_at: datetime | None = None
    #: Seconds between a planned time and its run.
    delay_seconds: float = 0.0
    #: Longest further delay, different for each fire, the same whoever computes it.
    jitter_seconds: float = 0.0
    #: Runs after which nothing fires any more; None: no end.
    max_runs: int | None = None
    description: str = ""

    @property
    def has_times(self) -> bool:
        """Whether it fires by time at all."""
        given = (self.schedule, self.cron_expr, self.run_at)
        return any(each is not None for each in given)


@dataclass(slots=True, kw_only=True)
class Task:
    """A stored task: what it is, and where it stands."""

    definition: TaskDefinition
    change: int
    created_at: datetime
    principal: str
    #: Name of the file with its secret values, None without any.
    secrets: str | None = None
    paused_reason: str | None = None
    #: The next planned time; None if there is none.
    next_fire_at: datetime | None = None
    #: When that is acted on: after delay and jitter.
    due_at: datetime | None = None
    is_pending: bool = False
    #: Time of the fire that waits for dependencies.
    waiting_since: datetime | None = None
    run_count: int = 0
    last_run_id: str | None = None
    #: When that run was queued.
    last_run_at: datetime | None = None
    #: ``success``, ``failed``, ``timeout``, ``killed``, ``cancelled`` or ``running``.
    last_status: str | None = None
    last_ended_at: datetime | None = None
    last_end_status: str | None = None

    @property
    def task_id(self) -> str:
        """The task's id."""
        return self.definition.task_id

    @property
    def is_used_up(self) -> bool:
        """Whether it has made all the runs it may make."""
        most = self.definition.max_runs
        return most is not None and self.run_count >= most

    @property
    def state(self) -> TaskState:
        """What it does at the moment."""
        if not self.definition.enabled:
            return TaskState.PAUSED
        if self.waiting_since is not None:
            return TaskState.WAITING
        if self.next_fire_at is not None:
            return TaskState.SCHEDULED
        if self.is_used_up or self.definition.has_times:
            return TaskState.FINISHED
        return TaskState.IDLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """A decision about one fire of a task."""

    task_id: str
    #: Planned time, or the moment of the event, order or success that made it.
    fire_time: datetime
    trigger: str
    state: str
    decided_at: datetime
    #: Words for people.
    reason: str
    run_id: str | None = None
    ended_at: datetime | None = None
    run_status: str | None = None
    event: str | None = None
    payload: Any = None
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A task that others depend on, as far as they need to know it."""

    task_id: str
    last_ended_at: datetime | None
    last_end_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventState:
    """An event, who listens, and when it was fired last."""

    event: str
    tasks: Sequence[str]
    last_fired: datetime | None
    fire_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnswer:
    """What an event has started."""

    event: str
    #: ``(task_id, run_id)`` of each run.
    runs: Sequence[tuple[str, str]]
    #: Tasks that wait for dependencies first.
    waiting: Sequence[str]
    #: ``(task_id, reason)`` of those that do not run.
    skipped: Sequence[tuple[str, str]]
    replayed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the answer as the API shows it."""
        return {
            "event": self.event,
            "triggered_tasks": [task_id for task_id, _ in self.runs],
            "runs": [
                {"task_id": task_id, "run_id": run_id} for task_id, run_id in self.runs
            ],
            "waiting": list(self.waiting),
            "skipped": [
                {"task_id": task_id, "reason": reason}
                for task_id, reason in self.skipped
            ],
        }
