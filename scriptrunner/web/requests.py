"""What a request to start a run brings along: body, form, and Idempotency-Key."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.models import IdempotencyKey, Upload
from scriptrunner.web.body import JSON_BYTES, has_body, read_body, require_media_type
from scriptrunner.web.form_body import read_upload
from scriptrunner.web.json_text import fault, parse_bytes
from scriptrunner.web.schemas.run_request import RunOptionsBody, RunRequest, validate

IDEMPOTENCY_HEADER = "idempotency-key"


@dataclass(frozen=True, slots=True)
class RunBody:
    """A checked JSON request, and the key that makes it one request if it is repeated."""

    request: RunRequest
    idempotency: IdempotencyKey | None


@dataclass(frozen=True, slots=True)
class UploadBody:
    """A checked upload, and the key that makes it one request if it is repeated."""

    options: RunOptionsBody
    upload: Upload
    idempotency: IdempotencyKey | None


async def read_json(request: Request) -> Any:
    """Return the value of a JSON body; errors are those of ``body`` and ``json_text``."""
    if "content-type" not in request.headers and not await has_body(request):
        raise MalformedInputError([fault("missing", [], "A body is required")])
    require_media_type(request, "application/json")
    return parse_bytes(await read_body(request, limit_bytes=JSON_BYTES))


async def read_json_or_nothing(request: Request) -> Any:
    """Return the value of a JSON body, or an empty object if there is no body."""
    if "content-type" not in request.headers and not await has_body(request):
        return {}
    return await read_json(request)


async def read_run_body(request: Request) -> RunBody:
    """Return the RunRequest in the body of ``request``."""
    value = await read_json(request)
    return RunBody(validate(RunRequest, value), find_key(request, value))


async def read_upload_body(request: Request) -> UploadBody:
    """Return the uploaded script and its options."""
    form = await read_upload(request)
    options = validate(RunOptionsBody, form.fields)
    content = {"file": hashlib.sha256(form.content).hexdigest(), "name": form.file_name}
    return UploadBody(
        options,
        Upload(file_name=form.file_name, content=form.content),
        find_key(request, {**content, "fields": form.fields}),
    )


def find_key(request: Request, value: Any) -> IdempotencyKey | None:
    """Return the Idempotency-Key of ``request``, which asks for ``value``, or None.

    Several headers of that name count as one malformed key, which the service refuses.
    """
    keys = request.headers.getlist(IDEMPOTENCY_HEADER)
    if not keys:
        return None
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(
        route=request.scope["route"].name,
        key=keys[0] if len(keys) == 1 else ", ".join(keys),
        body_sha256=hashlib.sha256(text.encode("ascii")).hexdigest(),
    )


UploadBodyDep = Annotated[UploadBody, Depends(read_upload_body)]
