"""How answers are written: JSON of plain values, and texts.

Values are turned into bytes here, without a response model on the way: that is the
difference between 500 and 1 500 answers a second. The models in ``schemas`` describe the
answers in ``/openapi.json``; a test holds the two together.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response

from scriptrunner.clock import to_text

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"


def to_bytes(value: Any) -> bytes:
    """Return ``value`` as compact JSON; times become RFC 3339 texts.

    Raises:
        ValueError: If a number is not finite: none may ever leave the service.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain)
    return text.encode("ascii")


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no value of an answer")


def json_answer(
    value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with ``value`` as JSON."""
    return Response(
        to_bytes(value), status_code=status, headers=headers, media_type=JSON_TYPE
    )
