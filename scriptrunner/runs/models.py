"""The values of the record of runs: states, records, list items, what is submitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from scriptrunner.engine.outcomes import (
    ACTIVE_STATUSES,
    LIVE_PHASES,
    TERMINAL_STATUSES,
    Phase,
    Reason,
    RunStatus,
    Status,
    StopKind,
)
from scriptrunner.engine.plan import RunOptions

__all__ = [
    "ACTIVE_STATUSES",
    "LIVE_PHASES",
    "TASK_TRIGGERS",
    "TERMINAL_STATUSES",
    "Accepted",
    "AttemptRecord",
    "Changes",
    "Event",
    "IdempotencyKey",
    "Phase",
    "Reason",
    "RunFilter",
    "RunListItem",
    "RunPage",
    "RunRecord",
    "RunSort",
    "RunStatus",
    "Stats",
    "Status",
    "StopKind",
    "StopOutcome",
    "Submission",
    "Trigger",
    "Upload",
]


class Trigger(StrEnum):
    """What made a run."""

    #: ``POST /api/run``.
    API = "api"
    #: ``POST /api/run/upload``.
    UPLOAD = "upload"
    #: A restart of another run.
    RESTART = "restart"
    #: A script of the library.
    LIBRARY = "library"
    #: A task whose time had come.
    SCHEDULE = "schedule"
    #: A task whose dependencies have succeeded.
    DEPENDENCY = "dependency"
    #: A task that listens to an event.
    EVENT = "event"
    #: A task that a person has started.
    MANUAL = "manual"


#: What runs of tasks are made by.
TASK_TRIGGERS = frozenset(
    {Trigger.SCHEDULE, Trigger.DEPENDENCY, Trigger.EVENT, Trigger.MANUAL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a run's event list."""

    #: From 1, without gaps.
    seq: int
    timestamp: datetime
    event_type: str
    level: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt: a script that was started, or could not be."""

    #: From 1; numbers that were claimed but provably never started are missing.
    n: int
    started_at: datetime | None
    finished_at: datetime | None
    #: As the kernel reported it, -n for signal n; None if unknown or not over.
    exit_code: int | None
    run_status: str | None
    reason: str | None
    #: As written by the script, before the cap; None while it runs.
    stdout_bytes: int | None
    stderr_bytes: int | None
    #: Beyond the cap and gone.
    stdout_dropped_bytes: int | None = None
    stderr_dropped_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunListItem:
    """A run as lists show it: nothing in it grows with what the script printed."""

    id: str
    #: Value of the service's change counter at the run's last change.
    change: int
    status: str
    run_status: str | None
    phase: str
    reason: str | None
    queued_at: datetime
    #: Start of the first attempt's script.
    started_at: datetime | None
    finished_at: datetime | None
    next_attempt_at: datetime | None
    exit_code: int | None
    error: str | None
    duration_seconds: float | None
    correlation_id: str | None
    trigger: str
    principal: str
    #: Number of the last claim, 0 while queued.
    attempt: int
    #: How many attempts there are records of.
    attempts_made: int
    script_path: str
    script_name: str
    script_kind: str
    #: Absolute path of what runs, None for uploads.
    script_file: str | None
    script_sha256: str | None
    script_size: int | None
    restarted_from: str | None
    restarted_as: str | None
    waiting_for: str | None
    task_id: str | None
    fire_time: datetime | None
    event: str | None
    execution_time_seconds: float | None
    cpu_max: float | None
    memory_max_mb: float | None
    dry_run: bool
    request_brief: Mapping[str, Any]
    #: The script of the library that was asked for.
    library_id: int | None = None
    #: From 1 (next to be claimed); None unless queued.
    queue_position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Everything about one run."""

    item: RunListItem
    #: All options with their defaults; secret values are ``***``.
    request: Mapping[str, Any]
    ignored_env: Sequence[str]
    warnings: Sequence[str]
    result: Mapping[str, Any] | None
    error_summary: Mapping[str, Any] | None
    outputs: Sequence[Mapping[str, Any]]
    attempts: Sequence[AttemptRecord]
    #: Figures of the running attempt, None unless one runs.
    live: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        """The run's id."""
        return self.item.id

    @property
    def status(self) -> str:
        """The run's status."""
        return self.item.status

    @property
    def is_terminal(self) -> bool:
        """Whether the run is over."""
        return self.item.status in TERMINAL_STATUSES

    def with_live(self, live: Mapping[str, Any]) -> "RunRecord":
        """Return a copy with the figures of the running attempt."""
        return replace(self, live=live)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs a list shows; everything given must match."""

    #: Empty means all.
    statuses: tuple[str, ...] = ()
    #: Part of the script path as it was given, in any case.
    script: str | None = None
    #: Part of id, correlation id, script path, arguments or error, in any case.
    text: str | None = None
    trigger: str | None = None
    task_id: str | None = None
    #: Who started it.
    principal: str | None = None
    #: The whole script path, as it was given or absolute.
    script_path: str | None = None
    #: Name of a tag that the script has in the library now.
    tag: str | None = None
    #: Bounds of the queueing time: since <= queued_at < until.
    since: datetime | None = None
    until: datetime | None = None


class RunSort(StrEnum):
    """What a list may be sorted by; equal ones are ordered by queueing time."""

    QUEUED = "queued"
    DURATION = "duration"
    SCRIPT = "script"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A piece of a list, newest first."""

    items: Sequence[RunListItem]
    #: All matches, whatever limit, offset and cursor.
    total: int
    #: Cursor of the next page, None if there is none. It outlives its run.
    next_before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A script that comes with the request."""

    #: As the client named the file.
    file_name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """What makes a repeated request one request."""

    #: Name of the route it came by.
    route: str
    #: 1..255 visible ASCII characters.
    key: str
    #: sha256 of everything that the request asks for.
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What somebody wants to have run."""

    #: Path of a script below an allowed root; None for uploads.
    script_path: str | None = None
    upload: Upload | None = None
    options: RunOptions = field(default_factory=RunOptions)
    principal: str
    trigger: str = Trigger.API
    #: Larger runs first.
    priority: int = 0
    idempotency: IdempotencyKey | None = None
    task_id: str | None = None
    fire_time: datetime | None = None
    event: str | None = None
    #: The script of the library that was asked for.
    library_id: int | None = None
    #: What the caller should know beside what the intake finds out.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A run that is in the queue, durably."""

    run_id: str
    #: Whether this is the answer to an earlier request with the same key.
    replayed: bool = False
    ignored_env: Sequence[str] = ()
    warnings: Sequence[str] = ()
    restarted_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOutcome:
    """What came of a stop, kill or cancel that was delivered."""

    run_id: str
    #: ``cancelled`` when the process tree is gone, else ``running``.
    status: str
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Figures over all runs of a time."""

    total_runs: int
    by_status: Mapping[str, int]
    by_run_status: Mapping[str, int]
    runs_24h: int
    #: Percent; None if nothing completed or failed.
    success_rate: float | None
    success_rate_24h: float | None
    active: int
    #: Duration that 95 % of the newest successes kept within; None if there are none.
    p95_duration_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed in the record since some point, in order."""

    items: Sequence[RunListItem]
    #: ``(change, id)`` of deleted runs.
    deleted: Sequence[tuple[int, str]]
    #: Where to go on from.
    change: int
    #: Whether there is more right now.
    more: bool
    #: The offset cannot be resumed: reload the list and go on from ``change``.
    reset: bool = False
