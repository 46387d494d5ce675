"""The values of alerts: what was met, whom it is told, and how far that has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

#: Numbers beyond it are no ids.
MAX_ID = 2**63 - 1


class DeliveryStatus(StrEnum):
    """How far a delivery has come."""

    #: To be sent, for the first time or again.
    PENDING = "pending"
    #: The receiver has taken it.
    SENT = "sent"
    #: Given up after the last try, or refused for good.
    FAILED = "failed"
    #: The channel is known but not configured.
    SKIPPED = "skipped"
    #: Somebody has muted the script or the rule.
    MUTED = "muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a receiver is told; channels turn it into their own form."""

    #: The same at every try, so that a receiver can tell a repetition.
    delivery_id: str
    name: str
    #: INFO, WARNING, ERROR or CRITICAL.
    severity: str
    condition: str
    #: Values of the condition's metrics, by name.
    values: Mapping[str, float]
    triggered_at: datetime
    #: ``id``, ``script_path``, ``status``, ``run_status``, ``exit_code``,
    #: ``finished_at``, ``correlation_id``.
    run: Mapping[str, Any]
    #: All metrics of the run; only what is known so far if it was still running.
    metrics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery that is to be put into the outbox."""

    #: The ``delivery_id``.
    id: str
    channel: str
    status: DeliveryStatus
    #: Why it is skipped.
    error: str | None = None
    #: Whether it goes to the address that the run brought.
    to_run_webhook: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the delivery as a result shows it."""
        return {
            "channel": self.channel,
            "status": str(self.status),
            "tries": 0,
            "delivery_id": self.id,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """A rule that was met, before it has a number."""

    run_id: str
    #: Place of the rule among those of the run, from 0.
    rule: int
    name: str
    severity: str
    condition: str
    measured: Mapping[str, float]
    triggered_at: datetime
    #: Whether the script was still running.
    is_early: bool
    script_path: str
    run: Mapping[str, Any]
    metrics: Mapping[str, Any]
    deliveries: Sequence[NewDelivery] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A row of the outbox."""

    #: The ``delivery_id``.
    id: str
    alert_id: int
    channel: str
    to_run_webhook: bool
    status: str
    #: Tries begun.
    tries: int
    next_try_at: datetime | None
    finished_at: datetime | None
    #: Why the last try failed.
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule that was met, with its deliveries."""

    id: int
    #: Number of its last change, for the event stream.
    change: int
    run_id: str
    rule: int
    name: str
    severity: str
    condition: str
    measured: Mapping[str, float]
    triggered_at: datetime
    is_early: bool
    script_path: str
    run: Mapping[str, Any]
    metrics: Mapping[str, Any]
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    deliveries: Sequence[Delivery] = ()

    def to_notice(self, delivery_id: str) -> Notice:
        """Return what a receiver is told of it."""
        return Notice(
            delivery_id=delivery_id,
            name=self.name,
            severity=self.severity,
            condition=self.condition,
            values=self.measured,
            triggered_at=self.triggered_at,
            run=self.run,
            metrics=self.metrics,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts are asked for; None means no limit."""

    #: Triggered then or later.
    since: datetime | None = None
    #: Part of the script path, in any case.
    script: str | None = None
    #: Whether somebody has acknowledged it.
    is_seen: bool | None = None
    #: How far one of its deliveries has come; by ``channel``, if that is given, too.
    delivery: DeliveryStatus | None = None
    #: A channel by which it was to be told, by its own name.
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """Some alerts, newest first, and how many there are in all."""

    items: Sequence[Alert]
    total: int


@dataclass(frozen=True, slots=True)
class Mute:
    """Nobody is told of the alerts of a script, or of one of its rules, for a time."""

    id: int
    #: Absolute where the script was found, else as it was given.
    script_path: str
    #: Name of the rule; None: every rule.
    rule: str | None
    #: The condition, letter by letter; None: every condition.
    condition: str | None
    muted_at: datetime
    muted_by: str
    #: None: until somebody unmutes it.
    until: datetime | None
    #: Why, for people.
    note: str | None

    def to_words(self) -> str:
        """Return what a delivery that it held back says of it."""
        until = self.until
        end = "unmuted" if until is None else f"{until:%Y-%m-%d %H:%M} UTC"
        note = f": {self.note}" if self.note else ""
        return f"Muted until {end} by {self.muted_by}{note}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MutePage:
    """Some mutes that are in force, and how many there are in all."""

    items: Sequence[Mute]
    total: int
