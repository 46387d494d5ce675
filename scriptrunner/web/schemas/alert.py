"""The shapes of answers about alerts."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from scriptrunner.web.schemas.answers import Answer, Count, RunId


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
