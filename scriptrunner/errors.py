"""The kinds of error that Script Runner raises; the features define the errors themselves.

A kind says what went wrong from the caller's point of view. ``web/errors.py`` maps each
kind to an HTTP status in one table; nothing here or in a service knows a status code.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ScriptRunnerError(Exception):
    """Something went wrong inside Script Runner."""

    #: Stable machine-readable word of the error, as in ``docs/reference/errors.md``.
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str | None = None) -> None:
        """Use ``message``, or the first line of the class docstring without its full stop."""
        first_line = (type(self).__doc__ or "").strip().split("\n")[0]
        super().__init__(message or first_line.removesuffix("."))

    @property
    def message(self) -> str:
        """The sentence for people, without any path outside the allowed roots."""
        return str(self.args[0])


class InvalidInputError(ScriptRunnerError):
    """A well-formed value may not be used."""

    code = "invalid_request"


class MalformedInputError(ScriptRunnerError):
    """The request has the wrong type, shape, range or an unknown field."""

    code = "invalid_request"

    def __init__(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Keep ``faults``: one ``{"type", "loc", "msg"}`` per fault, in input order."""
        super().__init__("; ".join(str(fault["msg"]) for fault in faults))
        self.faults = list(faults)


class UnauthenticatedError(ScriptRunnerError):
    """The caller is not known."""

    code = "unauthenticated"


class NotAllowedError(ScriptRunnerError):
    """The caller may not do this."""

    code = "forbidden"


class NotFoundError(ScriptRunnerError):
    """There is no such object."""

    code = "not_found"


class ConflictError(ScriptRunnerError):
    """The request is right but comes at the wrong moment."""

    code = "conflict"


class TooLargeError(ScriptRunnerError):
    """The body or file is too large."""

    code = "body_too_large"


class UnsupportedMediaTypeError(ScriptRunnerError):
    """The body has another media type than this call takes."""

    code = "unsupported_media_type"


class RangeNotSatisfiableError(ScriptRunnerError):
    """The requested byte range lies beyond the end, or is none that is understood."""

    code = "range_not_satisfiable"

    def __init__(self, *, size_bytes: int, is_malformed: bool = False) -> None:
        """Keep ``size_bytes``, the size the range was asked of (bytes, >= 0)."""
        super().__init__(
            "Range must be a single one: bytes=a-b, bytes=a- or bytes=-n, with a <= b"
            if is_malformed
            else f"Range lies outside the {size_bytes} bytes there are"
        )
        self.size_bytes = size_bytes


class ThrottledError(ScriptRunnerError):
    """Too much at once; try again later."""

    code = "rate_limited"

    def __init__(
        self, message: str | None = None, *, retry_after_seconds: int = 1
    ) -> None:
        """Keep ``retry_after_seconds`` (whole seconds, >= 1) for ``Retry-After``."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UnavailableError(ScriptRunnerError):
    """The service cannot do this right now; try again."""

    code = "busy"
    #: Whole seconds for ``Retry-After``.
    retry_after_seconds: ClassVar[int] = 1


class StorageFullError(ScriptRunnerError):
    """The data disk is full: no new runs are accepted until there is room."""

    code = "disk_full"


class EngineError(ScriptRunnerError):
    """A script could not be started or kept."""

    code = "engine_error"
