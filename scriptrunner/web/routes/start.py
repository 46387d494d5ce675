"""Starting runs: by path, by upload, and again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from scriptrunner.engine import destinations, paths, plan
from scriptrunner.errors import StorageFullError, UnsupportedMediaTypeError
from scriptrunner.runs.errors import (
    IdempotencyConflictError,
    InvalidIdempotencyKeyError,
    QueueFullError,
    RestartPendingError,
    RunNotFoundError,
)
from scriptrunner.runs.models import Accepted, Submission, Trigger
from scriptrunner.web.answers import json_answer
from scriptrunner.web.body import BodyTooLargeError
from scriptrunner.web.deps import ActorDep, get_actor
from scriptrunner.web.describe import answers, ref
from scriptrunner.web.form_body import InvalidFormJsonError
from scriptrunner.web.plain_route import PlainRoute
from scriptrunner.web.requests import UploadBodyDep, find_key, read_run_body

router = APIRouter(tags=["runs"])
plain_router = APIRouter(tags=["runs"], route_class=PlainRoute)

PATH_ERRORS = (
    paths.InvalidScriptPathError,
    paths.ScriptOutsideRootError,
    paths.SymlinkNotAllowedError,
    paths.ScriptMissingError,
    paths.NotPythonError,
    paths.ScriptNotAllowedError,
    paths.InvalidWorkingDirError,
)
OPTION_ERRORS = (
    plan.InvalidTimeoutError,
    plan.TooManyArgsError,
    plan.InvalidArgError,
    plan.InvalidEnvError,
    destinations.InvalidOutputPathError,
    destinations.InvalidHistoryDbError,
    destinations.WebhookNotAllowedError,
)
QUEUE_ERRORS = (QueueFullError, StorageFullError)
BODY_ERRORS = (
    InvalidIdempotencyKeyError,
    IdempotencyConflictError,
    BodyTooLargeError,
    UnsupportedMediaTypeError,
)
ANSWER_HEADERS = {
    "Location": "Address of the new run",
    "Idempotency-Replayed": "`true` if an earlier request with this key made the run",
}
KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeated request one run; 1 to 255 visible ASCII characters",
    "schema": {"type": "string"},
}


def _body(media: str, schema: str) -> dict[str, Any]:
    content = {media: {"schema": ref(schema)}}
    return {
        "requestBody": {"required": True, "content": content},
        "parameters": [KEY_PARAMETER],
    }


@plain_router.post(
    "/api/run",
    name="start_run",
    status_code=202,
    responses=answers(
        "RunAccepted",
        *PATH_ERRORS,
        *OPTION_ERRORS,
        *BODY_ERRORS,
        *QUEUE_ERRORS,
        status=202,
        headers=ANSWER_HEADERS,
    ),
    openapi_extra=_body("application/json", "RunRequest"),
)
async def start_run(request: Request) -> Response:
    """Put a run of a script below an allowed root into the queue."""
    body = await read_run_body(request)
    actor = await get_actor(request)
    submission = Submission(
        script_path=body.request.script_path,
        options=body.request.to_options(),
        principal=actor.principal,
        idempotency=body.idempotency,
    )
    accepted = await run_in_threadpool(actor.services.runs.submit, submission)
    return accepted_answer(accepted, actor)


@router.post(
    "/api/run/upload",
    name="upload_run",
    status_code=202,
    responses=answers(
        "RunAccepted",
        paths.NotPythonError,
        paths.InvalidWorkingDirError,
        InvalidFormJsonError,
        *OPTION_ERRORS,
        *BODY_ERRORS,
        *QUEUE_ERRORS,
        status=202,
        headers=ANSWER_HEADERS,
    ),
    openapi_extra=_body("multipart/form-data", "UploadForm"),
)
def upload_run(body: UploadBodyDep, actor: ActorDep) -> Response:
    """Put a run of an uploaded script into the queue."""
    submission = Submission(
        upload=body.upload,
        options=body.options.to_options(),
        principal=actor.principal,
        trigger=Trigger.UPLOAD,
        idempotency=body.idempotency,
    )
    return accepted_answer(actor.services.runs.submit(submission), actor)


@router.post(
    "/api/runs/{run_id}/restart",
    name="restart_run",
    status_code=202,
    responses=answers(
        "RunRestarted",
        *PATH_ERRORS,
        *OPTION_ERRORS,
        RunNotFoundError,
        RestartPendingError,
        InvalidIdempotencyKeyError,
        IdempotencyConflictError,
        *QUEUE_ERRORS,
        status=202,
        headers=ANSWER_HEADERS,
    ),
    openapi_extra={"parameters": [KEY_PARAMETER]},
)
def restart_run(
    run_id: str,
    request: Request,
    actor: ActorDep,
    use_snapshot: Annotated[
        bool, Query(description="Run the stored bytes instead of the file as it is now")
    ] = False,
) -> Response:
    """Queue the same request again; an active run is stopped first."""
    accepted = actor.services.runs.restart(
        run_id,
        principal=actor.principal,
        use_snapshot=use_snapshot,
        idempotency=find_key(request, [run_id, use_snapshot]),
    )
    return accepted_answer(accepted, actor)


def accepted_answer(accepted: Accepted, actor: ActorDep) -> Response:
    """Return the answer to a request that has made a run."""
    if not accepted.replayed:
        actor.note(accepted.run_id)
    body: dict[str, Any] = {"run_id": accepted.run_id, "status": "queued"}
    if accepted.restarted_from is not None:
        body["restarted_from"] = accepted.restarted_from
    if accepted.warnings:
        body["warnings"] = list(accepted.warnings)
    headers = {"Location": f"{actor.root_path}/api/runs/{accepted.run_id}"}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return json_answer(body, status=202, headers=headers)
