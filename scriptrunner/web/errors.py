"""The one place where errors become HTTP: kind → status, and the body of every error.

A body is ``{"detail", "code", "request_id"}``; ``detail`` is a sentence, or for 422 a list
with one entry per fault. Nothing else of an error ever leaves the service: no traceback,
no SQL, no path outside the roots.
"""

import logging
import math
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scriptrunner import errors as kinds
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.web.answers import json_answer
from scriptrunner.web.page import is_page_wanted, page_response
from scriptrunner.web.request_id import get_request_id

logger = logging.getLogger(__name__)

#: The status of each kind; a class that is not named here has its nearest parent's.
STATUS_BY_KIND: dict[type[ScriptRunnerError], int] = {
    kinds.InvalidInputError: 400,
    kinds.UnauthenticatedError: 401,
    kinds.NotAllowedError: 403,
    kinds.NotFoundError: 404,
    kinds.ConflictError: 409,
    kinds.TooLargeError: 413,
    kinds.UnsupportedMediaTypeError: 415,
    kinds.RangeNotSatisfiableError: 416,
    kinds.MalformedInputError: 422,
    kinds.ThrottledError: 429,
    kinds.UnavailableError: 503,
    kinds.StorageFullError: 507,
    ScriptRunnerError: 500,
}

#: What errors say that come from routing and parsing, before any code of ours.
PLAIN_ERRORS = {
    400: ("invalid_request", "The request could not be understood"),
    404: ("not_found", "Not Found"),
    405: ("method_not_allowed", "Method Not Allowed"),
    413: ("body_too_large", "The body is too large"),
    415: (
        "unsupported_media_type",
        "The body has another media type than this call takes",
    ),
}
DEFECT = ("internal_error", "Internal error; the service log has the details")

#: Characters of a wrong value that an answer repeats at most.
MAX_ECHO = 200
#: Fields whose values are never repeated.
SECRET_FIELDS = frozenset({"env_vars", "slack_webhook"})


def status_of(error: type[ScriptRunnerError]) -> int:
    """Return the HTTP status of a class of error."""
    return next(
        STATUS_BY_KIND[kind] for kind in error.__mro__ if kind in STATUS_BY_KIND
    )


def error_answer(error: ScriptRunnerError, *, request_id: str) -> Response:
    """Return the answer that tells ``error``; one for a defect of ours says no more."""
    status = status_of(type(error))
    if status >= 500 and status not in (503, 507):
        logger.error("Unexpected %s", type(error).__name__, exc_info=error)
        return _answer(500, *DEFECT, request_id)
    detail: Any = error.message
    if isinstance(error, kinds.MalformedInputError):
        detail = clean_faults(error.faults)
    return _answer(
        status, error.code, detail, request_id, headers=_headers_of(error, status)
    )


def _headers_of(error: ScriptRunnerError, status: int) -> dict[str, str]:
    if isinstance(error, kinds.ThrottledError | kinds.UnavailableError):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, kinds.RangeNotSatisfiableError):
        return {"Content-Range": f"bytes */{error.size_bytes}"}
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _answer(
    status: int,
    code: str,
    detail: Any,
    request_id: str,
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = {"detail": detail, "code": code, "request_id": request_id}
    return json_answer(body, status=status, headers=headers)


def clean_faults(faults: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return faults as they may be shown: type, place, words, and short inputs only."""
    return [_clean_fault(fault) for fault in faults]


def _clean_fault(fault: Mapping[str, Any]) -> dict[str, Any]:
    place = [
        part if isinstance(part, int) else str(part)[:MAX_ECHO] for part in fault["loc"]
    ]
    clean: dict[str, Any] = {
        "type": str(fault["type"]),
        "loc": [_printable(part) for part in place],
        "msg": _printable(str(fault["msg"])),
    }
    value = fault.get("input")
    if "input" in fault and _may_be_echoed(value) and SECRET_FIELDS.isdisjoint(place):
        clean["input"] = value
    return clean


def _printable(part: int | str) -> int | str:
    return part if isinstance(part, int) else part.encode("utf-8", "replace").decode()


def _may_be_echoed(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_ECHO and value.isprintable()
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 10**MAX_ECHO)


async def answer_known_error(request: Request, error: Exception) -> Response:
    """Answer an error of our own."""
    assert isinstance(error, ScriptRunnerError)  # noqa: S101 - for the type checker
    return error_answer(error, request_id=get_request_id(request.scope))


async def answer_malformed(request: Request, error: Exception) -> Response:
    """Answer what FastAPI found wrong in path, query or headers."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    malformed = kinds.MalformedInputError(error.errors())
    return error_answer(malformed, request_id=get_request_id(request.scope))


async def answer_plain_error(request: Request, error: Exception) -> Response:
    """Answer what routing found wrong: unknown path, wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    if error.status_code == 404 and is_page_wanted(request):
        return page_response(request)
    code, detail = PLAIN_ERRORS.get(
        error.status_code, ("invalid_request", "Bad request")
    )
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_list_methods(request))
    return _answer(
        error.status_code,
        code,
        detail,
        get_request_id(request.scope),
        headers=headers,
    )


def _list_methods(request: Request) -> list[str]:
    """Return every method that the address of ``request`` answers.

    The framework only names those of the first route that has this address.
    """
    prefix: str = request.scope.get("root_path", "").rstrip("/")
    path = request.scope["path"].removeprefix(prefix)
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.path_regex.match(path):
            found |= context.methods or set()
    return sorted(found)


class ErrorBoundary:
    """Answers every error that nobody else answered; the outermost net, as plain ASGI.

    Errors of our own that a middleware raises get their usual answer. Anything else is a
    defect: it is logged with the request id, and the answer says no more than that.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the wrapped application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_started = False

        async def watched_send(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except ScriptRunnerError as error:
            if is_started:
                raise
            answer = error_answer(error, request_id=get_request_id(scope))
            await answer(scope, receive, send)
        except Exception:
            request_id = get_request_id(scope)
            logger.exception(
                "A request failed",
                extra={"action": "request_failed", "request_id": request_id},
            )
            if is_started:
                raise
            await _answer(500, *DEFECT, request_id)(scope, receive, send)
