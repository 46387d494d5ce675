"""What can go wrong with tasks and events."""

from scriptrunner.errors import ConflictError, MalformedInputError, NotFoundError


class TaskNotFoundError(NotFoundError):
    """Task not found."""

    code = "task_not_found"


class TaskExistsError(ConflictError):
    """Task ID already exists."""

    code = "task_exists"


def fault(field: str, message: str, *, kind: str = "value_error") -> dict[str, object]:
    """Return one entry of a 422 about ``field`` of a task."""
    return {"type": kind, "loc": ["body", *field.split(".")], "msg": message}


def malformed(field: str, message: str) -> MalformedInputError:
    """Return the refusal of one field."""
    return MalformedInputError([fault(field, message)])
