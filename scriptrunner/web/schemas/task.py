"""Shapes of tasks and events: what is asked, and what is answered."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.representation import to_definition
from scriptrunner.web.schemas.answers import Answer, Count
from scriptrunner.web.schemas.run_request import RunOptionsBody, Text, Whole
from scriptrunner.web.schemas.texts import Storable
from scriptrunner.web.times import parse_time

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
#: Longest text of an imported file, in characters.
MAX_FILE = 1 << 20
#: Most tasks of one file.
MAX_TASKS = 10_000


def _moment(value: object) -> object:
    """Return the time that a text names; YAML has read some already."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if isinstance(value, date):
        value = value.isoformat()
    if not isinstance(value, str):
        return value
    try:
        return parse_time(value)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "datetime_parsing",
            "Input should be a time such as 2026-11-23T10:00:00Z or a date",
        ) from None


Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str)]
Seconds = Annotated[float, Field(allow_inf_nan=False)]


class TaskRunOptions(RunOptionsBody):
    """Options of the runs of a task: those of a run request but script and arguments."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_args(cls, value: Any) -> Any:
        if isinstance(value, dict) and "args" in value:
            raise PydanticCustomError(
                "extra_forbidden", "args is not an option here: use script_args"
            )
        return value


class TaskTimes(BaseModel):
    """When a task fires by time."""

    model_config = _STRICT

    schedule: Annotated[
        str | None, Field(description="Such as `every 5 minutes` or `daily at 14:30`")
    ] = None
    cron_expr: Annotated[
        str | None, Field(description="Five fields, or an alias such as `@daily`")
    ] = None
    run_at: Annotated[Moment | None, Field(description="A single time")] = None
    timezone: Annotated[
        str, Field(description="IANA zone of cron and wall-clock schedules")
    ] = "UTC"
    start_at: Annotated[
        Moment | None, Field(description="No fire before it; anchor of intervals")
    ] = None
    end_at: Annotated[Moment | None, Field(description="No fire after it")] = None


class TaskFields(TaskTimes):
    """Every field of a task that can be changed."""

    script_path: Annotated[
        Text, Field(description="The script: absolute, or relative to an allowed root")
    ] = ""
    script_args: Annotated[list[str], Field(description="Its arguments")] = []
    dependencies: Annotated[
        list[str],
        Field(description="Tasks that must have succeeded since its last run"),
    ] = []
    events: Annotated[list[str], Field(description="Events that it listens to")] = []
    enabled: Annotated[
        bool, Field(description="Whether it fires by time, event and dependency")
    ] = True
    misfire_policy: Annotated[
        Literal["run_once", "skip", "run_all"],
        Field(description="What becomes of fires that come too late"),
    ] = "run_once"
    misfire_grace_seconds: Annotated[
        Seconds, Field(ge=0, le=604_800, description="How late a fire is on time")
    ] = 60.0
    misfire_limit: Annotated[
        Whole, Field(ge=1, le=100, description="Fires that `run_all` makes up for")
    ] = 100
    overlap_policy: Annotated[
        Literal["skip", "queue", "allow", "cancel_running"],
        Field(description="What becomes of a fire while a run is active"),
    ] = "skip"
    run_options: Annotated[TaskRunOptions, Field(description="Options of its runs")] = (
        TaskRunOptions()
    )
    delay_seconds: Annotated[
        Seconds, Field(ge=0, le=86_400, description="From planned time to run")
    ] = 0.0
    jitter_seconds: Annotated[
        Seconds, Field(ge=0, le=86_400, description="Longest further, varying delay")
    ] = 0.0
    max_runs: Annotated[
        Whole | None,
        Field(ge=1, le=1_000_000_000, description="Runs after which it fires no more"),
    ] = None
    description: Annotated[str, Field(description="For people")] = ""

    def given(self) -> dict[str, Any]:
        """Return the fields that were given, lists as tuples."""
        values = self.model_dump(exclude_unset=True)
        for name in ("script_args", "dependencies", "events"):
            if name in values:
                values[name] = tuple(values[name])
        return values


class TaskPatch(TaskFields):
    """Changes of a task; what is not named stays."""


class TaskRequest(TaskFields):
    """A task to make."""

    task_id: Annotated[str, Field(description="Letters, digits and `. _ : -`")]
    script_path: Annotated[
        Text, Field(description="The script: absolute, or relative to an allowed root")
    ]

    def to_definition(self) -> TaskDefinition:
        """Return the task as the scheduler takes it."""
        return to_definition(self.given())


class PreviewRequest(TaskTimes):
    """Times to look at before they are saved."""

    count: Annotated[Whole, Field(ge=1, le=100, description="Most times")] = 10


class EventRequest(BaseModel):
    """What comes with an event."""

    model_config = _STRICT

    payload: Annotated[
        Any,
        Field(description="Any JSON value of at most 32 KiB, for the scripts"),
    ] = None


class PauseRequest(BaseModel):
    """Why a task is paused."""

    model_config = _STRICT

    reason: Annotated[
        Storable | None, Field(max_length=1_000, description="For people")
    ] = None


class TaskFile(BaseModel):
    """Tasks as the export writes them, in YAML."""

    model_config = _STRICT

    tasks: Annotated[list[TaskRequest], Field(max_length=MAX_TASKS)]


class ImportRequest(BaseModel):
    """Tasks to bring along."""

    model_config = _STRICT

    text: Annotated[
        str, Field(max_length=MAX_FILE, description="The file, as the export writes it")
    ]
    replace: Annotated[
        bool, Field(description="Change tasks that are there instead of keeping them")
    ] = False
    dry_run: Annotated[
        bool, Field(description="Check everything and store nothing")
    ] = False


class CrontabRequest(ImportRequest):
    """A crontab to bring along."""

    text: Annotated[str, Field(max_length=MAX_FILE, description="Lines of a crontab")]
    timezone: Annotated[
        str, Field(description="Zone of its times, unless CRON_TZ says otherwise")
    ] = "UTC"


# Answers


class Streak(Answer):
    """Runs in a row, up to the newest, that went well or did not."""

    outcome: Literal["success", "failed"] = Field(
        description="`failed` counts timeouts and killed runs, too"
    )
    count: Count
    at_least: bool = Field(description="The 20 newest runs were looked at, no more")


class Task(Answer):
    """A task and where it stands."""

    task_id: str
    script_path: str
    schedule: str | None
    cron_expr: str | None
    run_at: datetime | None
    enabled: bool
    last_run: datetime | None = Field(description="When its last run was queued")
    next_run: datetime | None
    last_status: str | None
    run_count: Count
    script_args: list[str]
    dependencies: list[str]
    events: list[str]
    timezone: str
    misfire_policy: str
    misfire_grace_seconds: float
    misfire_limit: Count
    overlap_policy: str
    run_options: dict[str, Any]
    start_at: datetime | None
    end_at: datetime | None
    delay_seconds: float
    jitter_seconds: float
    max_runs: int | None
    description: str
    last_run_id: str | None
    state: Literal["scheduled", "waiting", "paused", "idle", "finished"]
    waiting_for: list[str]
    paused_reason: str | None
    created_at: datetime
    principal: str
    streak: Streak | None = Field(description="`null` before the first run has ended")
    recent_statuses: list[str] = Field(
        description="How its last runs ended, newest first, at most 20; cancelled ones "
        "are left out"
    )


class Tasks(Answer):
    """Tasks, by id; ``count`` counts all that match."""

    tasks: list[Task]
    count: Count


class TaskRegistered(Answer):
    """A task that is stored."""

    task_id: str
    script_path: str
    next_run: datetime | None
    message: Literal["Task registered"]
    next_runs: list[datetime]


class TaskDeleted(Answer):
    """The task is gone; those that depend on it are paused."""

    success: bool
    disabled_dependents: list[str]


class TaskStarted(Answer):
    """A run of a task is queued."""

    run_id: str
    status: Literal["queued"]
    task_id: str


class EventRun(Answer):
    """A run that an event has made."""

    task_id: str
    run_id: str


class NotStarted(Answer):
    """A task that an event has not started, and why."""

    task_id: str
    reason: str


class EventFired(Answer):
    """What an event has started; empty if nobody listens."""

    event: str
    triggered_tasks: list[str]
    runs: list[EventRun]
    waiting: list[str] = Field(description="Tasks that wait for others first")
    skipped: list[NotStarted]


class Event(Answer):
    """An event and who listens to it."""

    event: str
    tasks: list[str]
    last_fired: datetime | None
    fire_count: Count


class DueTask(Answer):
    """A task whose time has come and that was not started yet."""

    task_id: str
    script_path: str
    next_run: datetime | None
    waiting_for: list[str]


class DueTasks(Answer):
    """Tasks whose time has come."""

    due_tasks: list[DueTask]
    count: Count


class SchedulePreview(Answer):
    """What times would do."""

    description: str
    next_runs: list[datetime]
    local: list[str] = Field(description="The same on the wall of the zone")
    warnings: list[str]


class TaskFire(Answer):
    """A decision about one fire of a task."""

    task_id: str
    fire_time: datetime
    trigger: str
    state: Literal["waiting", "started", "skipped"]
    decided_at: datetime
    reason: str
    run_id: str | None
    ended_at: datetime | None
    run_status: str | None
    event: str | None
    principal: str


class TaskFires(Answer):
    """Decisions about a task, newest first."""

    fires: list[TaskFire]
    count: Count


class WaitingFor(Answer):
    """What holds a fire, and why."""

    task_id: str
    reason: str


class TaskWhy(Answer):
    """Why a task did or did not run, and when it will."""

    task_id: str
    state: str
    summary: str
    next_run: datetime | None
    late_seconds: float
    waiting_for: list[WaitingFor]
    paused_reason: str | None
    last_decision: TaskFire | None
    recent: list[TaskFire]


class GraphNode(Answer):
    """A task in the graph."""

    task_id: str
    script_path: str
    state: str
    enabled: bool
    last_status: str | None
    next_run: datetime | None


class GraphEdge(BaseModel):
    """An arrow from what must succeed to what waits for it."""

    model_config = ConfigDict(
        extra="allow", json_schema_serialization_defaults_required=True
    )

    before: Annotated[str, Field(alias="from")]
    to: str
    is_met: bool
    is_missing: bool


class GraphEvent(Answer):
    """An arrow from an event to a task that listens."""

    event: str
    to: str


class TaskGraph(Answer):
    """Tasks and what waits for what."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    events: list[GraphEvent]
    count: Count
    truncated: bool


class CalendarFire(Answer):
    """A fire that was decided, or is planned."""

    task_id: str
    at: datetime
    state: Literal["planned", "waiting", "started", "skipped"]
    reason: str | None
    run_id: str | None
    run_status: str | None


class TaskCalendar(Answer):
    """Fires of a span of time, in order."""

    since: datetime
    until: datetime
    fires: list[CalendarFire]
    truncated: bool


class LeftOut(Answer):
    """A line or task that was not taken, and why."""

    line: int | None
    task_id: str | None
    reason: str


class TasksImported(Answer):
    """What became of a file of tasks."""

    created: list[str]
    updated: list[str]
    skipped: list[LeftOut]
    warnings: list[str]
    dry_run: bool
