"""The words for where a run stands and how it ends, and what an end record means.

Pure values: ``attempt`` says when one follows another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What a run is, in one word."""

    #: Waits for its first attempt.
    QUEUED = "queued"
    #: From the claim of its first attempt to its end.
    RUNNING = "running"
    #: The script ended with 0.
    COMPLETED = "completed"
    #: The script failed, timed out, or could not be started or kept.
    FAILED = "failed"
    #: Somebody stopped it, and its process tree is gone.
    CANCELLED = "cancelled"


ACTIVE_STATUSES = frozenset({Status.QUEUED, Status.RUNNING})
TERMINAL_STATUSES = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})


class RunStatus(StrEnum):
    """How the script ended."""

    #: Exit code 0.
    SUCCESS = "success"
    #: Another exit code, a signal of its own, or it never started.
    FAILED = "failed"
    #: It took longer than allowed.
    TIMEOUT = "timeout"
    #: It was ended from outside.
    KILLED = "killed"


class Phase(StrEnum):
    """Where a run is on its way."""

    #: Not claimed.
    QUEUED = "queued"
    #: Claimed; the script may not have started yet.
    STARTING = "starting"
    #: The script runs.
    RUNNING = "running"
    #: Somebody asked for the end, and it has not come yet.
    STOPPING = "stopping"
    #: Waits for its next attempt.
    BACKOFF = "backoff"
    #: Nothing changes any more.
    FINAL = "final"


#: Phases in which an attempt may have a live process.
LIVE_PHASES = frozenset({Phase.STARTING, Phase.RUNNING, Phase.STOPPING})


class Reason(StrEnum):
    """Why a run ended as it did."""

    #: Somebody cancelled it.
    CANCELLED = "cancelled"
    #: Somebody stopped it.
    STOPPED = "stopped"
    #: Somebody killed it.
    KILLED = "killed"
    #: A restart took its place.
    RESTART = "restart"
    #: A scan found what must not run here.
    SCAN_BLOCKED = "scan_blocked"
    #: The script's file is gone or has other bytes.
    SCRIPT_CHANGED = "script_changed"
    #: The interpreter could not be started.
    SPAWN_ERROR = "spawn_error"
    #: The script's own exit code, not 0.
    EXIT_CODE = "exit_code"
    #: A signal that nobody here sent.
    SIGNAL = "signal"
    #: An attempt took longer than ``timeout``.
    TIMEOUT = "timeout"
    #: The keeper of the script vanished.
    LOST = "lost"
    #: The machine or container was restarted under it.
    HOST_RESTART = "host_restart"
    #: The kernel ended it for want of memory.
    OOM = "oom"
    #: It wrote more than allowed.
    OUTPUT_LIMIT = "output_limit"
    #: The script succeeded, but a performance gate did not hold.
    GATES = "gates"


class StopKind(StrEnum):
    """What a person may ask of an active run."""

    STOP = "stop"
    CANCEL = "cancel"
    KILL = "kill"
    RESTART = "restart"

    @property
    def reason(self) -> Reason:
        """The reason of a run that ended by this order."""
        return _STOP_REASONS[self]


_STOP_REASONS = {
    StopKind.STOP: Reason.STOPPED,
    StopKind.CANCEL: Reason.CANCELLED,
    StopKind.KILL: Reason.KILLED,
    StopKind.RESTART: Reason.RESTART,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt or a run ended, in the words of the API."""

    status: Status
    run_status: RunStatus | None
    reason: Reason | None

    @property
    def is_success(self) -> bool:
        """Whether the script ended with 0 by itself."""
        return self.run_status is RunStatus.SUCCESS

    def to_json(self) -> dict[str, str | None]:
        """Return the three words as plain text by name."""
        words = {
            "status": self.status,
            "run_status": self.run_status,
            "reason": self.reason,
        }
        return {
            name: None if word is None else str(word) for name, word in words.items()
        }


SUCCESS = Outcome(Status.COMPLETED, RunStatus.SUCCESS, None)
#: The script succeeded; the run has not kept its bounds.
GATES_FAILED = Outcome(Status.FAILED, RunStatus.SUCCESS, Reason.GATES)
#: Nothing was to be started.
DRY_RUN = Outcome(Status.COMPLETED, None, None)
#: Outcome by the reason of the end record, where that alone decides.
_OUTCOMES = {
    "timeout": Outcome(Status.FAILED, RunStatus.TIMEOUT, Reason.TIMEOUT),
    "spawn_error": Outcome(Status.FAILED, RunStatus.FAILED, Reason.SPAWN_ERROR),
    "scan_blocked": Outcome(Status.FAILED, RunStatus.FAILED, Reason.SCAN_BLOCKED),
    "dry_run": DRY_RUN,
    "script_changed": Outcome(Status.FAILED, RunStatus.FAILED, Reason.SCRIPT_CHANGED),
    "lost": Outcome(Status.FAILED, RunStatus.KILLED, Reason.LOST),
    "host_restart": Outcome(Status.FAILED, RunStatus.KILLED, Reason.HOST_RESTART),
    "oom": Outcome(Status.FAILED, RunStatus.KILLED, Reason.OOM),
    "output_limit": Outcome(Status.FAILED, RunStatus.KILLED, Reason.OUTPUT_LIMIT),
    **{
        kind.value: Outcome(Status.CANCELLED, RunStatus.KILLED, kind.reason)
        for kind in StopKind
    },
}


def outcome_of(reason: str, exit_code: int | None = None) -> Outcome:
    """Return what an end record means.

    Args:
        reason: The record's ``reason``; also ``lost`` and ``host_restart``.
        exit_code: As the kernel reported it, -n for signal n; matters for ``exit``.

    Raises:
        ValueError: If the reason is unknown.
    """
    if reason != "exit":
        try:
            return _OUTCOMES[reason]
        except KeyError:
            raise ValueError(f"unknown reason of an end: {reason!r}") from None
    if exit_code == 0:
        return SUCCESS
    by_signal = exit_code is not None and exit_code < 0
    why = Reason.SIGNAL if by_signal else Reason.EXIT_CODE
    return Outcome(Status.FAILED, RunStatus.FAILED, why)


#: Event of an attempt's end by the reason of its record; the rest is ``failure``.
_END_EVENTS: Mapping[str, str] = {
    "timeout": "timeout",
    **{kind.value: "forced_termination" for kind in StopKind},
    "oom": "forced_termination",
    "output_limit": "forced_termination",
}


def end_event_type(reason: str, exit_code: int | None = None) -> str:
    """Return the type of the event that ends an attempt.

    Args:
        reason: The end record's ``reason``; also ``lost`` and ``host_restart``.
        exit_code: As the kernel reported it; matters for ``exit``.
    """
    if reason == "exit":
        return "success" if exit_code == 0 else "failed"
    return _END_EVENTS.get(reason, "failure")
