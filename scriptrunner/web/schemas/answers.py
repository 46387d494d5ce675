"""What the shapes of all answers are made of, and the shapes of errors.

Shapes are for ``/openapi.json`` and for people; nothing is built by them. Further keys may
come at any time; those named in a shape are always there, ``null`` when they do not apply.
A test compares real answers with these shapes.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

RunId = str
StatusWord = Literal["queued", "running", "completed", "failed", "cancelled"]
RunStatusWord = Literal["success", "failed", "timeout", "killed"]
PhaseWord = Literal["queued", "starting", "running", "stopping", "backoff", "final"]
Count = int


class Answer(BaseModel):
    """An object of an answer; it may have further keys."""

    model_config = ConfigDict(
        extra="allow", json_schema_serialization_defaults_required=True
    )


class Fault(Answer):
    """One thing that is wrong with a request."""

    type: str
    loc: list[str | int]
    msg: str


class ErrorBody(Answer):
    """What went wrong, in words and as a stable code."""

    detail: str
    code: str
    request_id: str


class FaultsBody(Answer):
    """Everything that is wrong with the shape of a request."""

    detail: list[Fault]
    code: str
    request_id: str
