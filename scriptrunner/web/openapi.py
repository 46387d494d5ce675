"""The OpenAPI document: every operation with every status it can give.

FastAPI knows paths and parameters; the shapes of bodies and answers, and the errors that
all operations share, are added here. Nothing of this is built before it is asked for.
"""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from scriptrunner.access.roles import Permission, permission_for
from scriptrunner.web import form_hints
from scriptrunner.web.answers import JSON_TYPE, to_bytes
from scriptrunner.web.describe import ERROR_SCHEMA, FAULTS_SCHEMA, error_response, ref

#: Errors of every operation that needs a known caller.
GUARDED = {
    401: "`unauthenticated`: The caller is not known",
    403: "`forbidden`, `bad_host` or `cross_site`: The caller may not do this",
    500: "`internal_error`: A defect of the service",
    503: "`busy`: The database stayed locked for too long",
}
#: Errors of every operation whatever.
COMMON = {
    400: "The request is ambiguous about the length of its body",
    414: "`uri_too_long`: The address is too long",
    431: "`headers_too_large`: There are too many headers",
}
RATE_LIMITED = "`rate_limited`: Too many requests; `Retry-After` says when to come back"
BODY_TIMEOUT = "`body_timeout`: The body stopped coming"
MALFORMED = "`invalid_request`: Wrong type, shape, range, or an unknown name"
ANONYMOUS_ERRORS = {403: "`bad_host`: The Host header does not name this service"}


def describe_api(app: FastAPI) -> dict[str, Any]:
    """Return the document of ``app``, built once."""
    if app.openapi_schema is None:
        app.openapi_schema = _build(app)
    return app.openapi_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDocument:
    """The document as it is sent."""

    content: bytes
    #: The same by gzip, a tenth of it.
    compressed: bytes
    #: Changes with the content.
    etag: str


def write_api(app: FastAPI) -> WrittenDocument:
    """Return the document of ``app`` as bytes, written once."""
    written: WrittenDocument | None = getattr(app.state, "openapi_written", None)
    if written is None:
        content = to_bytes(describe_api(app))
        written = WrittenDocument(
            content=content,
            compressed=gzip.compress(content, 6, mtime=0),
            etag=f'"{hashlib.sha256(content).hexdigest()[:16]}"',
        )
        app.state.openapi_written = written
    return written


def _build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(_shapes())
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`scriptrunner token create`",
        }
    }
    for path in document["paths"].values():
        for method, operation in path.items():
            _complete(operation, method)
    return form_hints.apply(document)


def _shapes() -> dict[str, Any]:
    """Return the schemas of all bodies and answers."""
    # Building them takes tens of milliseconds, which a start need not pay.
    from scriptrunner.web.schemas import (  # noqa: PLC0415
        access,
        alert,
        analytics,
        answers,
        library,
        mutes,
        run,
        run_views,
        system,
        task,
        upload,
    )
    from scriptrunner.web.schemas.run_request import RunRequest  # noqa: PLC0415

    modules = [answers, system, run, run_views, alert, access, mutes, task]
    modules += [analytics, library]
    shown = [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, BaseModel)
        and each is not BaseModel
    ]
    _, found = models_json_schema(
        [(each, "serialization") for each in shown],
        ref_template="#/components/schemas/{model}",
    )
    shapes: dict[str, Any] = found["$defs"]
    shapes |= analytics.describe_requests()
    request = RunRequest.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="validation"
    )
    shapes |= request.pop("$defs")
    # What must be given comes first.
    properties = request["properties"]
    request["properties"] = {"script_path": properties.pop("script_path"), **properties}
    shapes["RunRequest"] = request
    shapes["RunOptions"] = {
        **request,
        "title": "RunOptions",
        "description": "The options of a run; all have defaults.",
        "properties": properties,
        "required": [],
    }
    shapes["UploadForm"] = upload.describe_upload_form(request)
    return shapes


def _complete(operation: dict[str, Any], method: str) -> None:
    """Add to one operation the errors that do not come from its own work."""
    responses = operation.setdefault("responses", {})
    permission = permission_for(operation["operationId"])
    is_anonymous = permission is Permission.ANYBODY
    shared = {**COMMON, **(ANONYMOUS_ERRORS if is_anonymous else GUARDED)}
    if method == "post":
        shared[429] = RATE_LIMITED
    if "requestBody" in operation:
        shared[408] = BODY_TIMEOUT
    if (
        "parameters" in operation
        or "requestBody" in operation
        or method in ("post", "delete")
    ):
        shared[422] = MALFORMED
    if not is_anonymous:
        operation["security"] = [{}, {"token": []}]
        operation["x-permission"] = permission.value
    for status, words in shared.items():
        _add(responses, str(status), words)
    operation["responses"] = dict(sorted(responses.items()))


def _add(responses: dict[str, Any], status: str, words: str) -> None:
    known = responses.get(status)
    # FastAPI's own 422 is not ours, and a response without JSON is not complete.
    if known is None or not _is_error(known):
        responses[status] = error_response(int(status), words)
    elif words not in known["description"]:
        known["description"] += f" · {words}"


def _is_error(response: dict[str, Any]) -> bool:
    schema = response.get("content", {}).get(JSON_TYPE, {}).get("schema", {})
    return schema in (ref(ERROR_SCHEMA), ref(FAULTS_SCHEMA))
