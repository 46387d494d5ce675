"""Tasks: made, changed, paused, deleted, run by hand, and brought along in files."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from scriptrunner.engine import destinations
from scriptrunner.errors import UnsupportedMediaTypeError
from scriptrunner.runs.errors import (
    IdempotencyConflictError,
    InvalidIdempotencyKeyError,
)
from scriptrunner.scheduler.errors import TaskExistsError, TaskNotFoundError
from scriptrunner.scheduler.models import Task
from scriptrunner.scheduler.representation import next_run
from scriptrunner.web.answers import json_answer
from scriptrunner.web.body import BodyTooLargeError, has_body
from scriptrunner.web.deps import Actor, ActorDep, ServicesDep
from scriptrunner.web.describe import answers, ref
from scriptrunner.web.requests import find_key, read_json
from scriptrunner.web.routes.runs import MAX_LIMIT, MAX_OFFSET, Text
from scriptrunner.web.routes.start import (
    ANSWER_HEADERS,
    KEY_PARAMETER,
    OPTION_ERRORS,
    PATH_ERRORS,
    QUEUE_ERRORS,
)
from scriptrunner.web.schemas.run_request import validate
from scriptrunner.web.schemas.task import (
    PauseRequest,
    TaskPatch,
    TaskRequest,
)

router = APIRouter(tags=["scheduler"])

BODY_ERRORS = (BodyTooLargeError, UnsupportedMediaTypeError)
PLACE_ERRORS = (
    destinations.InvalidOutputPathError,
    destinations.InvalidHistoryDbError,
    destinations.WebhookNotAllowedError,
)
#: What a task that is stored may be refused for.
TASK_ERRORS = (*PATH_ERRORS, *OPTION_ERRORS, *PLACE_ERRORS)


def body_of(schema: str, *, required: bool = True) -> dict[str, Any]:
    """Return the description of a JSON body."""
    content = {"application/json": {"schema": ref(schema)}}
    return {"requestBody": {"required": required, "content": content}}


async def read_optional(request: Request) -> Any:
    """Return the JSON body of ``request``, or an empty object if it has none."""
    if "content-type" not in request.headers and not await has_body(request):
        return {}
    return await read_json(request)


def _show(task: Task, actor: Actor) -> dict[str, Any]:
    tasks = actor.services.tasks
    shown = tasks.views.describe(task)
    return {**shown, "next_runs": tasks.list_next_runs(task)}


@router.get("/api/scheduler/tasks", name="list_tasks", responses=answers("Tasks"))
def list_tasks(
    services: ServicesDep,
    q: Annotated[Text, Query(description="Part of id, script or description")] = None,
    limit: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Response:
    """Return tasks by id; all of them unless there is a limit."""
    found, total = services.tasks.views.list_tasks(
        search=q or None, limit=limit, offset=offset
    )
    return json_answer({"tasks": found, "count": total})


async def read_task(request: Request) -> TaskRequest:
    """Return the task in the body."""
    return validate(TaskRequest, await read_json(request))


@router.post(
    "/api/scheduler/tasks",
    name="create_task",
    status_code=201,
    responses=answers(
        "TaskRegistered",
        *TASK_ERRORS,
        TaskExistsError,
        *BODY_ERRORS,
        status=201,
        headers={"Location": "Address of the new task"},
    ),
    openapi_extra=body_of("TaskRequest"),
)
def create_task(
    actor: ActorDep, body: Annotated[TaskRequest, Depends(read_task)]
) -> Response:
    """Store a task; from now on the service runs it by itself."""
    tasks = actor.services.tasks
    task = tasks.create(body.to_definition(), principal=actor.principal)
    actor.note(task.task_id)
    answer = {
        "task_id": task.task_id,
        "script_path": task.definition.script_path,
        "next_run": next_run(task, now=actor.services.clock.utc_now()),
        "message": "Task registered",
        "next_runs": tasks.list_next_runs(task),
    }
    place = f"{actor.root_path}/api/scheduler/tasks/{task.task_id}"
    return json_answer(answer, status=201, headers={"Location": place})


@router.get(
    "/api/scheduler/tasks/{task_id}",
    name="get_task",
    responses=answers("Task", TaskNotFoundError),
)
def get_task(task_id: str, actor: ActorDep) -> Response:
    """Return a task, and its next times."""
    return json_answer(_show(actor.services.tasks.views.get(task_id), actor))


async def read_patch(request: Request) -> TaskPatch:
    """Return the changes in the body."""
    return validate(TaskPatch, await read_json(request))


@router.patch(
    "/api/scheduler/tasks/{task_id}",
    name="update_task",
    responses=answers("Task", *TASK_ERRORS, TaskNotFoundError, *BODY_ERRORS),
    openapi_extra=body_of("TaskPatch"),
)
def update_task(
    task_id: str, actor: ActorDep, body: Annotated[TaskPatch, Depends(read_patch)]
) -> Response:
    """Change the fields that the body names; the others stay."""
    task = actor.services.tasks.update(task_id, body.given(), principal=actor.principal)
    actor.note(task_id)
    return json_answer(_show(task, actor))


@router.delete(
    "/api/scheduler/tasks/{task_id}",
    name="delete_task",
    responses=answers("TaskDeleted", TaskNotFoundError),
)
def delete_task(task_id: str, actor: ActorDep) -> Response:
    """Delete a task; runs under way go on, tasks that depend on it are paused."""
    paused = actor.services.tasks.delete(task_id)
    actor.note(task_id)
    return json_answer({"success": True, "disabled_dependents": paused})


@router.post(
    "/api/scheduler/tasks/{task_id}/run",
    name="run_task",
    status_code=202,
    responses=answers(
        "TaskStarted",
        *PATH_ERRORS,
        *PLACE_ERRORS,
        TaskNotFoundError,
        InvalidIdempotencyKeyError,
        IdempotencyConflictError,
        *QUEUE_ERRORS,
        status=202,
        headers=ANSWER_HEADERS,
    ),
    openapi_extra={"parameters": [KEY_PARAMETER]},
)
def run_task(task_id: str, request: Request, actor: ActorDep) -> Response:
    """Run a task now, whatever its times and dependencies say."""
    accepted = actor.services.tasks.run_now(
        task_id, principal=actor.principal, idempotency=find_key(request, [task_id])
    )
    headers = {"Location": f"{actor.root_path}/api/runs/{accepted.run_id}"}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    else:
        actor.note(accepted.run_id)
    answer: dict[str, Any] = {
        "run_id": accepted.run_id,
        "status": "queued",
        "task_id": task_id,
    }
    if accepted.warnings:
        answer["warnings"] = list(accepted.warnings)
    return json_answer(answer, status=202, headers=headers)


async def read_pause(request: Request) -> PauseRequest:
    """Return the reason in the body, if there is a body."""
    return validate(PauseRequest, await read_optional(request))


@router.post(
    "/api/scheduler/tasks/{task_id}/pause",
    name="pause_task",
    responses=answers("Task", TaskNotFoundError, *BODY_ERRORS),
    openapi_extra=body_of("PauseRequest", required=False),
)
def pause_task(
    task_id: str, actor: ActorDep, body: Annotated[PauseRequest, Depends(read_pause)]
) -> Response:
    """Switch a task off; a fire that waits is given up, runs under way go on."""
    task = actor.services.tasks.pause(
        task_id, principal=actor.principal, reason=body.reason
    )
    actor.note(task_id)
    return json_answer(_show(task, actor))


@router.post(
    "/api/scheduler/tasks/{task_id}/resume",
    name="resume_task",
    responses=answers("Task", TaskNotFoundError),
)
def resume_task(task_id: str, actor: ActorDep) -> Response:
    """Switch a task on; its next time is counted from now."""
    task = actor.services.tasks.resume(task_id, principal=actor.principal)
    actor.note(task_id)
    return json_answer(_show(task, actor))


@router.get(
    "/api/scheduler/tasks/{task_id}/why",
    name="explain_task",
    responses=answers("TaskWhy", TaskNotFoundError),
)
def explain_task(task_id: str, services: ServicesDep) -> Response:
    """Return why a task did or did not run, why it is late, and when it will run."""
    return json_answer(services.tasks.views.explain(task_id))


@router.get(
    "/api/scheduler/tasks/{task_id}/fires",
    name="list_task_fires",
    responses=answers("TaskFires", TaskNotFoundError),
)
def list_task_fires(
    task_id: str,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Response:
    """Return the decisions about a task, newest first, skipped fires included."""
    found = services.tasks.views.list_fires(task_id, limit=limit, offset=offset)
    return json_answer({"fires": found, "count": len(found)})
