"""Values of the history: what is kept of a run, what is asked for, what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """Which executions are meant."""

    #: Whatever came of them.
    ALL = "all"
    #: Those that completed.
    SUCCESS = "success"
    #: Those that failed; a cancelled run did not.
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What the history keeps of a run that is over."""

    run_id: str
    #: Canonical: absolute and without links; ``upload:<name>`` for uploads.
    script_path: str
    script_args: Sequence[str]
    #: Of the bytes that ran, or None if they are not known.
    script_sha256: str | None
    correlation_id: str | None
    trigger: str
    #: ``completed``, ``failed`` or ``cancelled``.
    status: str
    run_status: str | None
    reason: str | None
    #: Start of the last attempt, UTC.
    started_at: datetime
    finished_at: datetime
    created_at: datetime
    #: By name, as in the result of the run; what is no metric is left alone.
    metrics: Mapping[str, Any]
    #: Alerts that the run triggered.
    alert_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which executions are asked for; None means no limit."""

    #: Canonical path, matched exactly.
    script_path: str | None = None
    #: Start of the execution, included.
    since: datetime | None = None
    #: Excluded.
    until: datetime | None = None
    outcome: Outcome = Outcome.ALL
    #: Whether runs count that somebody cancelled, stopped or killed.
    with_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One measured value of one execution, and what ran there."""

    execution_id: int
    run_id: str
    at: datetime
    value: float
    script_path: str
    #: Version of the script, or None.
    script_sha256: str | None
    #: Tells argument lists apart; means nothing else.
    args_key: int
    python_version: str | None
    platform: str | None


@dataclass(frozen=True, slots=True)
class NewestExecution:
    """An execution as the overview needs it."""

    #: Microseconds since 1970 at which it began.
    at_us: int
    script_path: str
    run_id: str
    status: str
    #: 1 or 0.
    success: int
    execution_time_seconds: float | None
    memory_max_mb: float | None
    script_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFigures:
    """One script of a history."""

    executions: int
    successes: int
    #: Some of them, oldest first; at least one.
    newest: Sequence[NewestExecution]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStats:
    """Figures over a whole history."""

    executions: int
    #: Values that are known, over all executions.
    metrics: int
    alerts: int
    scripts: int
    execution_time_seconds: float
    #: Name without folder; the name of the database with a server.
    database_file: str
    database_size_bytes: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two executions in the order of time and id."""

    at: datetime
    execution_id: int


@dataclass(frozen=True, slots=True)
class Removed:
    """How much was removed, or would be."""

    executions: int = 0
    metrics: int = 0
    alerts: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        """Return both together."""
        return Removed(
            self.executions + other.executions,
            self.metrics + other.metrics,
            self.alerts + other.alerts,
        )
