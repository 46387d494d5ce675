"""The shapes of answers, for ``/openapi.json`` and for people. Nothing is built by them.

Further keys may come at any time; those named here are always there, ``null`` when they do
not apply. A test compares real answers with these shapes.
"""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

RunId = str
StatusWord = Literal["queued", "running", "completed", "failed", "cancelled"]
RunStatusWord = Literal["success", "failed", "timeout", "killed"]
PhaseWord = Literal["queued", "starting", "running", "stopping", "backoff", "final"]
Count = int


class Answer(BaseModel):
    """An object of an answer; it may have further keys."""

    model_config = ConfigDict(
        extra="allow", json_schema_serialization_defaults_required=True
    )


class Health(BaseModel):
    """The service answers."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["ok"]


class Memory(Answer):
    """Memory of the machine in bytes, and the used part in percent."""

    total: int | None
    available: int | None
    percent: float | None


class Disk(Answer):
    """The disk of the data folder, in bytes."""

    total: int | None
    available: int | None
    percent: float | None
    accepting_runs: bool = Field(
        description="False while the disk is too full for new runs"
    )


class Queue(Answer):
    """What waits and what runs."""

    queued: Count
    running: Count
    slots: Count
    limit: Count
    oldest_queued_seconds: float | None


class SupervisorState(Answer):
    """The process that starts and watches the runs."""

    alive: bool
    since: datetime | None
    last_tick_seconds: float | None
    restarts: Count | None
    degraded: list[str]


class OpenStreams(Answer):
    """Open event streams of all web workers."""

    open: Count
    limit: Count


class Interpreter(Answer):
    """The Python that runs the scripts, and what its start costs."""

    version: str | None
    start_ms: float | None


class Containment(Answer):
    """How far a script is kept from the service's own account."""

    level: int
    name: str
    requested: int


class SystemStatus(Answer):
    """Machine, queue, supervisor and service."""

    cpu_load: list[float] = Field(description="Load averages over 1, 5 and 15 minutes")
    cpu_count: int | None
    memory: Memory
    disk: Disk
    queue: Queue
    supervisor: SupervisorState
    streams: OpenStreams
    interpreter: Interpreter
    version: str
    uptime_seconds: float
    containment: Containment


class ServiceSetting(Answer):
    """One variable of the service's environment."""

    name: str
    value: Any
    source: Literal["environment", "default"]


class ServiceSettings(Answer):
    """What the service runs with; secrets are not told."""

    settings: list[ServiceSetting]
    count: Count


class Stats(Answer):
    """Figures over runs."""

    total_runs: Count
    by_status: dict[StatusWord, Count]
    by_run_status: dict[RunStatusWord, Count]
    runs_24h: Count
    success_rate: float | None
    success_rate_24h: float | None
    active: Count
    p95_duration_seconds: float | None = Field(
        description="95 % of the newest 1,000 successes took at most this long"
    )


class Me(Answer):
    """The caller."""

    principal: str
    role: str
    permissions: list[str]
    local: bool


class RunAccepted(Answer):
    """A run that is in the queue; also ``warnings`` when there are any."""

    run_id: RunId
    status: Literal["queued"]


class RunRestarted(RunAccepted):
    """The new run of a restart."""

    restarted_from: RunId


class RunStopped(Answer):
    """The signal has arrived."""

    run_id: RunId
    stopped: bool


class RunKilled(Answer):
    """The signal has arrived."""

    run_id: RunId
    killed: bool


class RunCancelled(Answer):
    """The process tree is gone."""

    run_id: RunId
    status: Literal["cancelled"]


class RunStillStopping(Answer):
    """The signal has arrived, the process tree is not yet gone."""

    run_id: RunId
    status: StatusWord
    phase: PhaseWord


class RunDeleted(Answer):
    """The run and all that belonged to it are gone."""

    success: bool


class SkippedRun(Answer):
    """A run that was not deleted."""

    id: str
    reason: Literal["active", "not_found", "duplicate"]


class RunsDeleted(Answer):
    """What came of a bulk delete."""

    deleted: Count
    skipped: list[SkippedRun]


class ErrorSummary(Answer):
    """Why a run did not complete."""

    exit_code: int | None
    stderr_snippet: str
    status: RunStatusWord | None
    correlation_id: str | None
    reason: str | None
    message: str | None
    signal: int | None
    timeout_seconds: float | None


class ScriptOfRun(Answer):
    """What ran."""

    name: str
    path: str
    sha256: str | None
    size: int | None
    library_id: int | None = Field(
        description="The script of the library that was asked for"
    )


class RunCommon(Answer):
    """What list items and records share."""

    id: RunId
    status: StatusWord
    run_status: RunStatusWord | None
    phase: PhaseWord
    reason: str | None
    queued_at: datetime
    started_at: datetime
    finished_at: datetime | None
    next_attempt_at: datetime | None
    exit_code: int | None
    error: str | None
    duration_seconds: float | None
    correlation_id: str | None
    trigger: str
    principal: str
    task_id: str | None
    fire_time: datetime | None
    event: str | None
    restarted_from: RunId | None
    restarted_as: RunId | None
    waiting_for: RunId | None
    queue_position: int | None
    script: ScriptOfRun
    error_summary: ErrorSummary | None


class BriefRequest(Answer):
    """The part of a request that lists show."""

    script_path: str
    args: list[str]
    timeout: int | None
    working_dir: str | None
    dry_run: bool
    retry_on_failure: bool


class BriefMetrics(Answer):
    """The three figures that lists show."""

    execution_time_seconds: float | None
    cpu_max: float | None
    memory_max_mb: float | None


class BriefResult(Answer):
    """The part of a result that lists show."""

    returncode: int | None
    success: bool | None
    status: RunStatusWord | None
    metrics: BriefMetrics


class RunListItem(RunCommon):
    """A run without bulk, as lists and streams show it."""

    request: BriefRequest
    result: BriefResult | None
    attempts: Count


class Attempt(Answer):
    """One attempt of a run."""

    n: int
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int | None
    run_status: RunStatusWord | None
    reason: str | None
    stdout_bytes: int | None
    stderr_bytes: int | None


class Output(Answer):
    """A file that a run has left."""

    name: str
    size: int
    sha256: str


class LiveFigures(Answer):
    """Figures of the attempt that runs now."""

    elapsed_seconds: float | None
    cpu_percent: float | None
    memory_mb: float | None
    processes: int | None
    stdout_bytes: int | None
    stderr_bytes: int | None


class RunRecord(RunCommon):
    """Everything about one run. ``result`` is null until it is over."""

    request: dict[str, Any]
    result: dict[str, Any] | None
    attempts: list[Attempt]
    ignored_env: list[str]
    warnings: list[str]
    outputs: list[Output]
    live: LiveFigures | None


class RunEvent(Answer):
    """One event of a run."""

    seq: int
    timestamp: datetime
    event_type: str
    level: str
    data: dict[str, Any]


class Step(Answer):
    """One stage of an attempt."""

    step: int
    stage: str
    description: str
    status: Literal["running", "done", "skip", "error"]


class Visualization(Answer):
    """The report of the steps of an attempt."""

    header: dict[str, Any]
    steps: list[Step]
    footer: dict[str, Any]


class Samples(Answer):
    """CPU and memory of an attempt over time; lists of equal length."""

    interval: float
    t: list[float]
    cpu: list[float | None]
    rss_mb: list[float | None]
    processes: list[int | None]


class RunRequestAgain(Answer):
    """The request of a run, to fill a form with."""

    request: dict[str, Any]
    masked: list[str] = Field(
        description="Paths of values that are not told, such as `env_vars.API_TOKEN`"
    )
    is_upload: bool = Field(description="The script came with the request")


class DifferingOption(Answer):
    """An option that two runs do not share."""

    name: str
    left: Any
    right: Any


class DifferingMetric(Answer):
    """A number of two runs; the change is 100 · (right - left) / |left|."""

    name: str
    left: float | None
    right: float | None
    change_percent: float | None


class TextDifference(Answer):
    """The difference of two texts as a unified diff; empty when they are equal."""

    is_equal: bool
    diff: str
    added: Count
    removed: Count
    is_truncated: bool = Field(
        description="Something was left out of the comparison or of the diff"
    )


class LogDifferences(Answer):
    """The differences of the ends of the outputs of the last attempts."""

    stdout: TextDifference
    stderr: TextDifference


class Comparison(Answer):
    """Two runs side by side. ``script`` is null if bytes of one are not kept."""

    left: RunListItem
    right: RunListItem
    options: list[DifferingOption]
    metrics: list[DifferingMetric]
    script: TextDifference | None
    logs: LogDifferences


class Source(Answer):
    """A source text: per line its pieces, each a class and a text."""

    name: str
    language: str | None
    sha256: str
    size: int
    is_coloured: bool = Field(
        description="False for unknown languages and texts beyond 1 MiB or 20 000 lines"
    )
    lines: list[list[list[str]]] = Field(
        description="Pieces of a line: each a class, empty for none, and a text"
    )


class LogLine(Answer):
    """A line of an output."""

    number: Count
    offset: int
    text: str
    cut_bytes: int = Field(description="Bytes of a very long line that are not shown")


class LogWindow(Answer):
    """Some lines of an output, and how many there are now."""

    stream: Literal["stdout", "stderr"]
    total: Count
    is_complete: bool
    lines: list[LogLine]


class LogMatches(Answer):
    """Lines that hold a text, and where to go on."""

    stream: Literal["stdout", "stderr"]
    matches: list[LogLine]
    around: list[LogLine] = Field(
        description="With `context`: the matches and the lines around them, in order"
    )
    next: str | None


class DayOfRuns(Answer):
    """The runs queued on one day, UTC."""

    date: str
    total: Count
    completed: Count
    failed: Count
    cancelled: Count


class DailyStats(Answer):
    """Days, oldest first, today included."""

    days: list[DayOfRuns]


class ScriptInTrouble(Answer):
    """A script whose newest runs failed, all of them."""

    script_path: str
    run_id: RunId
    finished_at: datetime | None
    reason: str | None
    error: str | None
    failures: Count
    never_succeeded: bool
    stderr_snippet: str


class Attention(Answer):
    """Scripts in trouble, the most persistent first."""

    scripts: list[ScriptInTrouble]


class AlertDelivery(Answer):
    """How far an alert has come on one channel."""

    delivery_id: str
    channel: str
    status: Literal["pending", "sent", "failed", "skipped", "muted"]
    tries: Count
    next_try_at: datetime | None
    finished_at: datetime | None
    error: str | None


class TriggeredAlert(Answer):
    """A rule of a run that was met."""

    id: int
    run_id: RunId
    name: str
    severity: Literal["INFO", "WARNING", "ERROR", "CRITICAL"]
    condition: str
    values: dict[str, float | bool] = Field(
        description="Metrics of the condition, by name"
    )
    triggered_at: datetime
    early: bool = Field(description="Whether the script was still running")
    script_path: str
    run: dict[str, Any] = Field(description="The run as receivers are told of it")
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    deliveries: list[AlertDelivery]


class AlertChannel(Answer):
    """A way by which alerts are told."""

    name: str
    kind: Literal["slack", "webhook", "email", "log", "named"]
    configured: bool
    problem: str | None = Field(description="What is missing, for people")


class ConditionCheck(Answer):
    """What a condition is worth, and what it says of a run."""

    valid: bool
    problem: str | None
    column: int | None = Field(description="Where the problem is, from 1")
    metrics: list[str]
    warnings: list[str]
    met: bool | None = Field(description="null: undecided, or there is no such run")
    values: dict[str, float | bool]
    missing: list[str]


class ChannelTest(Answer):
    """What became of a test message."""

    channel: str
    status: Literal["sent", "failed", "skipped"]
    error: str | None


class Fault(Answer):
    """One thing that is wrong with a request."""

    type: str
    loc: list[str | int]
    msg: str


class ErrorBody(Answer):
    """What went wrong, in words and as a stable code."""

    detail: str
    code: str
    request_id: str


class FaultsBody(Answer):
    """Everything that is wrong with the shape of a request."""

    detail: list[Fault]
    code: str
    request_id: str
