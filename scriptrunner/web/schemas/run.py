"""The shapes of answers about runs: accepted, stopped, listed, whole, step by step."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from scriptrunner.web.schemas.answers import (
    Answer,
    Count,
    PhaseWord,
    RunId,
    RunStatusWord,
    StatusWord,
)


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
