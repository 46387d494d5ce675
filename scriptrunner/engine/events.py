"""The events of a run: their types, levels and data, and a logger that keeps them.

An event is what happened, told once: ``seq`` counts from 1, times are UTC, data always
name the correlation id and the attempt.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from scriptrunner.clock import Clock, SystemClock, to_text
from scriptrunner.engine.option_forms import LOG_LEVELS
from scriptrunner.engine.outcomes import end_event_type

#: Gets an event in the form of the API.
EventReceiver = Callable[[dict[str, Any]], object]

#: Events kept per run; beyond it they are only counted.
MAX_EVENTS = 2_000


class EventType(StrEnum):
    """What can happen to a run."""

    #: Accepted, or put back because its attempt never started.
    QUEUED = "queued"
    #: Claimed.
    DEQUEUED = "dequeued"
    #: A scan of the script came to its end.
    SCAN = "scan"
    #: The script is about to run.
    START = "start"
    #: The attempt ended with exit code 0.
    SUCCESS = "success"
    #: The attempt ended with another exit code or by a signal of its own.
    FAILED = "failed"
    #: The attempt took longer than allowed.
    TIMEOUT = "timeout"
    #: The attempt was stopped or killed.
    FORCED_TERMINATION = "forced_termination"
    #: The attempt could not be started or kept.
    FAILURE = "failure"
    #: Somebody asked for the end.
    STOP_REQUESTED = "stop_requested"
    #: Another attempt will follow.
    RETRY_SCHEDULED = "retry_scheduled"
    #: A stream went beyond its limit.
    OUTPUT_TRUNCATED = "output_truncated"
    #: Something a reader of the record should know.
    WARNING = "warning"
    #: The supervisor could not recover the run this time.
    RECOVERY_FAILED = "recovery_failed"
    #: Names in the script's environment (log level DEBUG).
    ENVIRONMENT = "environment"
    #: One sample of CPU and memory (log level DEBUG).
    SAMPLE = "sample"
    #: The performance gates were evaluated.
    GATES = "gates"
    #: A baseline was compared with, or saved.
    BASELINE = "baseline"
    #: The JUnit report was written.
    JUNIT = "junit"
    #: The cost was estimated.
    COST = "cost"
    #: The metrics were kept in a history.
    HISTORY = "history"
    #: A rule was met.
    ALERT_TRIGGERED = "alert_triggered"
    #: A rule could not be decided, because metrics are missing.
    ALERT_SKIPPED = "alert_skipped"
    #: An alert was told somebody, or could not be; the only one behind ``finished``.
    ALERT_DELIVERY = "alert_delivery"
    #: Later events were not stored.
    EVENTS_DROPPED = "events_dropped"
    #: The last event of every run.
    FINISHED = "finished"


#: Events that end an attempt; each attempt has exactly one.
END_EVENTS = frozenset(
    {
        EventType.SUCCESS,
        EventType.FAILED,
        EventType.TIMEOUT,
        EventType.FORCED_TERMINATION,
        EventType.FAILURE,
    }
)
#: Events that are subject to the run's ``log_level``; all others are always stored.
DIAGNOSTIC_EVENTS = frozenset(
    {
        EventType.OUTPUT_TRUNCATED,
        EventType.WARNING,
        EventType.RECOVERY_FAILED,
        EventType.ENVIRONMENT,
        EventType.SAMPLE,
    }
)
#: Levels other than INFO.
_LEVELS = {
    EventType.FAILED: "ERROR",
    EventType.TIMEOUT: "ERROR",
    EventType.FAILURE: "ERROR",
    EventType.RECOVERY_FAILED: "ERROR",
    EventType.FORCED_TERMINATION: "WARNING",
    EventType.STOP_REQUESTED: "WARNING",
    EventType.RETRY_SCHEDULED: "WARNING",
    EventType.OUTPUT_TRUNCATED: "WARNING",
    EventType.WARNING: "WARNING",
    EventType.ALERT_TRIGGERED: "WARNING",
    EventType.ALERT_SKIPPED: "WARNING",
    EventType.EVENTS_DROPPED: "WARNING",
    EventType.ENVIRONMENT: "DEBUG",
    EventType.SAMPLE: "DEBUG",
}
_END_KEYS = ("exit_code", "execution_time_seconds", "signal", "timeout_seconds")
#: Of every step after the run: how long it took (it ended at the event's time), and what
#: went wrong, or None.
_STEP_KEYS = ("duration_seconds", "error")
#: Keys of each event's data beyond ``correlation_id`` and ``attempt_number``.
DATA_KEYS: Mapping[str, Sequence[str]] = {
    EventType.QUEUED: ("trigger", "ignored_env"),
    EventType.DEQUEUED: ("queue_time_seconds",),
    EventType.SCAN: ("scan", "findings", "worst", "blocked", "status", "duration_s"),
    EventType.START: ("script_path", "script_args", "timeout", "working_dir", "sha256"),
    EventType.SUCCESS: _END_KEYS,
    EventType.FAILED: _END_KEYS,
    EventType.TIMEOUT: _END_KEYS,
    EventType.FORCED_TERMINATION: _END_KEYS,
    EventType.FAILURE: ("error", "error_type", "reason"),
    EventType.STOP_REQUESTED: ("kind", "principal", "grace"),
    EventType.RETRY_SCHEDULED: ("delay_seconds", "next_attempt_at", "strategy"),
    EventType.OUTPUT_TRUNCATED: ("stream", "limit"),
    EventType.WARNING: ("warning", "detail"),
    EventType.RECOVERY_FAILED: ("error", "failures"),
    EventType.ENVIRONMENT: ("names", "ignored_env"),
    EventType.SAMPLE: ("elapsed_seconds", "cpu_percent", "memory_mb", "processes"),
    EventType.GATES: ("passed", "failed", "failed_metrics", *_STEP_KEYS),
    EventType.BASELINE: ("action", "name", "verdicts", *_STEP_KEYS),
    EventType.JUNIT: ("path", "tests", *_STEP_KEYS),
    EventType.COST: ("total", "currency", *_STEP_KEYS),
    EventType.HISTORY: ("execution_id", "history_db", *_STEP_KEYS),
    EventType.ALERT_TRIGGERED: (
        "name",
        "severity",
        "condition",
        "values",
        "early",
        "duration_seconds",
    ),
    EventType.ALERT_SKIPPED: ("name", "condition", "missing", "duration_seconds"),
    EventType.ALERT_DELIVERY: (
        "name",
        "channel",
        "status",
        "tries",
        "delivery_id",
        "error",
    ),
    EventType.EVENTS_DROPPED: ("count",),
    EventType.FINISHED: ("status", "run_status", "reason"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; its number and time come when it is stored."""

    event_type: str
    level: str
    data: Mapping[str, Any]

    def to_json(self, *, seq: int, timestamp: datetime) -> dict[str, Any]:
        """Return the event as the API shows it.

        Args:
            seq: Its place in the list, from 1.
            timestamp: When it happened, aware.
        """
        return {
            "seq": seq,
            "timestamp": to_text(timestamp),
            "event_type": str(self.event_type),
            "level": self.level,
            "data": dict(self.data),
        }


def level_of(event_type: str) -> str:
    """Return the level of an event type, INFO for types that are not ours."""
    return (
        _LEVELS.get(EventType(event_type), "INFO") if _is_ours(event_type) else "INFO"
    )


def _is_ours(event_type: str) -> bool:
    return event_type in DATA_KEYS


def is_stored(event_type: str, level: str, *, log_level: str) -> bool:
    """Return whether a run with ``log_level`` keeps such an event.

    Lifecycle events are always kept, diagnostic ones from ``log_level`` upwards.
    """
    if _is_ours(event_type) and event_type not in DIAGNOSTIC_EVENTS:
        return True
    return LOG_LEVELS.index(level) >= LOG_LEVELS.index(log_level)


def build_event(
    event_type: str,
    *,
    correlation_id: str | None,
    attempt_number: int | None,
    **data: Any,
) -> Event:
    """Return an event of one of our types.

    Args:
        event_type: A value of ``EventType``.
        correlation_id: Of the run; None before its first attempt.
        attempt_number: From 1; None for events that concern no attempt.
        **data: A value for each of the type's ``DATA_KEYS``.

    Raises:
        ValueError: If the keys are not those of the type.
    """
    kind = EventType(event_type)
    expected = set(DATA_KEYS[kind])
    if expected != data.keys():
        raise ValueError(f"{kind} needs {sorted(expected)}, got {sorted(data)}")
    ids = {"correlation_id": correlation_id, "attempt_number": attempt_number}
    return Event(kind, level_of(kind), {**ids, **data})


def build_end_event(
    end: Mapping[str, Any],
    *,
    correlation_id: str | None,
    attempt_number: int,
    timeout_seconds: float | None,
) -> Event:
    """Return the event that ends an attempt, from its end record.

    Args:
        end: Slot 2 of the control file; for an attempt without one a mapping with
            ``reason`` (``lost`` or ``host_restart``), ``error`` and ``error_type``.
        correlation_id: Of the run.
        attempt_number: From 1.
        timeout_seconds: The attempt's limit, or None.
    """
    exit_code = end.get("exit_code")
    event_type = end_event_type(str(end["reason"]), exit_code)
    ids = {"correlation_id": correlation_id, "attempt_number": attempt_number}
    if event_type == EventType.FAILURE:
        data = {key: end.get(key) for key in DATA_KEYS[EventType.FAILURE]}
    else:
        data = {
            "exit_code": exit_code,
            "execution_time_seconds": execution_time(end),
            "signal": -exit_code if exit_code is not None and exit_code < 0 else None,
            "timeout_seconds": timeout_seconds,
        }
    return Event(EventType(event_type), level_of(event_type), {**ids, **data})


def execution_time(end: Mapping[str, Any]) -> float | None:
    """Return the seconds from the script's exec to its exit; None if it never ran."""
    duration_ns = end.get("duration_ns")
    return None if duration_ns is None else round(duration_ns / 1e9, 6)


class StructuredLogger:
    """Keeps events in memory and gives them back in the form of the API.

    Threads may share it. At most ``MAX_EVENTS`` are kept; then one ``events_dropped``
    says how many more there were.
    """

    def __init__(
        self,
        *,
        log_level: str = "INFO",
        correlation_id: str | None = None,
        clock: Clock | None = None,
        on_event: EventReceiver | None = None,
    ) -> None:
        """Start with no events.

        Args:
            log_level: Lowest level of diagnostic events that are kept.
            correlation_id: Put into the data of every event that names none.
            clock: Where the timestamps come from.
            on_event: Called with each event that is kept, in the thread that logs it.

        Raises:
            ValueError: If the level is none of ``LOG_LEVELS``.
        """
        if log_level.upper() not in LOG_LEVELS:
            raise ValueError(f"log_level must be one of {', '.join(LOG_LEVELS)}")
        self.log_level = log_level.upper()
        self.correlation_id = correlation_id
        self.attempt_number: int | None = None
        self._clock = clock or SystemClock()
        self._on_event = on_event
        self._lock = threading.Lock()
        self._events: list[dict[str, Any]] = []
        self._dropped = 0
        self._dropped_at: datetime | None = None

    def log_event(
        self,
        event_type: str,
        data: Mapping[str, Any] | None = None,
        *,
        level: str | None = None,
    ) -> None:
        """Add an event, unless its level is too low.

        Args:
            event_type: One of ``EventType``, or a word of the caller's own.
            data: What there is to say; ids are added where they are missing.
            level: One of ``LOG_LEVELS``; the type's own by default.
        """
        level = (level or level_of(event_type)).upper()
        if not is_stored(event_type, level, log_level=self.log_level):
            return
        ids = {
            "correlation_id": self.correlation_id,
            "attempt_number": self.attempt_number,
        }
        event = Event(str(event_type), level, {**ids, **(data or {})})
        with self._lock:
            now = self._clock.utc_now()
            last = event_type == EventType.FINISHED
            if len(self._events) >= MAX_EVENTS and not last:
                self._dropped += 1
                self._dropped_at = now
                return
            self._close_gap(self._events)
            stored = event.to_json(seq=len(self._events) + 1, timestamp=now)
            self._events.append(stored)
        if self._on_event is not None:
            self._on_event(dict(stored))

    def get_logs(self) -> list[dict[str, Any]]:
        """Return all events so far, in order, as the API shows them."""
        with self._lock:
            events = [dict(each) for each in self._events]
            self._close_gap(events)
            return events

    def _close_gap(self, events: list[dict[str, Any]]) -> None:
        """Say at the end of ``events`` how many are missing there, if any are."""
        if self._dropped_at is None:
            return
        event = build_event(
            EventType.EVENTS_DROPPED,
            correlation_id=self.correlation_id,
            attempt_number=self.attempt_number,
            count=self._dropped,
        )
        events.append(event.to_json(seq=len(events) + 1, timestamp=self._dropped_at))
        if events is self._events:
            self._dropped_at = None
