"""What can be wrong with a request about runs."""

from typing import Any

from scriptrunner.errors import (
    ConflictError,
    InvalidInputError,
    MalformedInputError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
)


class RunNotFoundError(NotFoundError):
    """Run not found."""

    code = "run_not_found"


class OutputNotFoundError(NotFoundError):
    """The run has no output of this name."""

    code = "output_not_found"


class RunFileNotFoundError(NotFoundError):
    """The run has no such file (any more)."""

    code = "not_found"


class RunFinishedError(ConflictError):
    """Run already finished."""

    code = "run_finished"


class AlreadyStoppingError(ConflictError):
    """The run is being stopped already; only a kill can add to that."""

    code = "already_stopping"


class RestartPendingError(ConflictError):
    """A restart of this run waits for its end already."""

    code = "restart_pending"


class IdempotencyConflictError(ConflictError):
    """This Idempotency-Key was used for another request; use a new one."""

    code = "idempotency_conflict"


class InvalidIdempotencyKeyError(InvalidInputError):
    """Idempotency-Key must be 1 to 255 visible ASCII characters."""

    code = "invalid_idempotency_key"


class RunActiveError(InvalidInputError):
    """Cannot delete active run."""

    code = "run_active"


class QueueFullError(ThrottledError):
    """The queue is full; try again when some runs have been started."""

    code = "queue_full"


class SignalNotConfirmedError(UnavailableError):
    """The signal is not confirmed yet; the order stands and will be carried out."""

    code = "signal_not_confirmed"


class VisualizerNotEnabledError(MalformedInputError):
    """The run was submitted without the visualizer."""

    code = "visualizer_not_enabled"

    def __init__(self) -> None:
        """Say which option turns it on."""
        fault: dict[str, Any] = {
            "type": self.code,
            "loc": ["path", "run_id"],
            "msg": "Visualization was not enabled for this run. "
            "Enable it via the 'enable_visualizer' option.",
        }
        super().__init__([fault])


class UnknownCursorError(MalformedInputError):
    """``before`` names no run and is no cursor."""

    def __init__(self) -> None:
        """Say what ``before`` may be."""
        fault: dict[str, Any] = {
            "type": "cursor",
            "loc": ["query", "before"],
            "msg": "before must be the id of a run or the value of X-Next-Before",
        }
        super().__init__([fault])
