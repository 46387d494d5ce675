"""The shapes of answers about the service: health, state, settings, figures, who asks."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from scriptrunner.web.schemas.answers import Answer, Count, RunStatusWord, StatusWord


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


class Kept(Answer):
    """What is kept: days, number, MiB; null keeps all."""

    days: int | None
    max_runs: int | None
    max_mb: int | None
    last_round_at: datetime | None = Field(
        description="When what is beyond was last removed"
    )


class Retention(Answer):
    """What is kept of the runs that are over, and of the history."""

    runs: Kept
    history: Kept


class SystemStatus(Answer):
    """Machine, queue, supervisor and service."""

    cpu_load: list[float] = Field(description="Load averages over 1, 5 and 15 minutes")
    cpu_count: int | None
    memory: Memory
    disk: Disk
    queue: Queue
    supervisor: SupervisorState
    streams: OpenStreams
    retention: Retention
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
