"""Tasks in files: all of them out, some of them in, and the lines of a crontab."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from scriptrunner.errors import MalformedInputError
from scriptrunner.scheduler import crontab
from scriptrunner.scheduler.checking import time_faults
from scriptrunner.scheduler.importing import Imported
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import Actor, ActorDep, ServicesDep
from scriptrunner.web.describe import answers
from scriptrunner.web.requests import read_json
from scriptrunner.web.routes.tasks import BODY_ERRORS, TASK_ERRORS, body_of
from scriptrunner.web.schemas.run_request import validate
from scriptrunner.web.schemas.task import CrontabRequest, ImportRequest
from scriptrunner.web.task_files import (
    YAML_TYPE,
    read_tasks,
    to_definitions,
    write_tasks,
)

router = APIRouter(tags=["scheduler"])

#: What the YAML of an export holds.
EXPORT_SHAPE = {
    "type": "object",
    "required": ["tasks"],
    "properties": {"tasks": {"type": "array", "items": {"type": "object"}}},
}


@router.get(
    "/api/scheduler/export",
    name="export_tasks",
    responses=answers(EXPORT_SHAPE, media="application/yaml"),
)
def export_tasks(services: ServicesDep) -> Response:
    """Return all tasks as YAML; secret values are masked."""
    found = services.tasks.views.list_definitions()
    text = write_tasks(each.definition for each in found)
    headers = {"Content-Disposition": 'attachment; filename="tasks.yaml"'}
    return Response(text.encode("utf-8"), media_type=YAML_TYPE, headers=headers)


async def read_import(request: Request) -> ImportRequest:
    """Return the file in the body."""
    return validate(ImportRequest, await read_json(request))


@router.post(
    "/api/scheduler/import",
    name="import_tasks",
    responses=answers("TasksImported", *TASK_ERRORS, *BODY_ERRORS),
    openapi_extra=body_of("ImportRequest"),
)
def import_tasks(
    actor: ActorDep, body: Annotated[ImportRequest, Depends(read_import)]
) -> Response:
    """Store the tasks of a YAML file, all or none."""
    imported = actor.services.tasks.import_all(
        read_tasks(body.text),
        principal=actor.principal,
        replace_existing=body.replace,
        dry_run=body.dry_run,
    )
    return _imported(imported, actor, dry_run=body.dry_run)


async def read_crontab(request: Request) -> CrontabRequest:
    """Return the crontab in the body."""
    return validate(CrontabRequest, await read_json(request))


@router.post(
    "/api/scheduler/import/crontab",
    name="import_crontab",
    responses=answers("TasksImported", *TASK_ERRORS, *BODY_ERRORS),
    openapi_extra=body_of("CrontabRequest"),
)
def import_crontab(
    actor: ActorDep, body: Annotated[CrontabRequest, Depends(read_crontab)]
) -> Response:
    """Store the lines of a crontab that can be tasks; the others say why they cannot."""
    faults = list(time_faults(None, None, body.timezone))
    if faults:
        raise MalformedInputError(faults)
    found = crontab.convert(body.text, timezone=body.timezone)
    imported = actor.services.tasks.import_all(
        to_definitions({"tasks": found.tasks}),
        principal=actor.principal,
        replace_existing=body.replace,
        dry_run=body.dry_run,
    )
    left_out = [
        {"line": line, "task_id": None, "reason": reason}
        for line, reason in found.left_out
    ]
    return _imported(
        imported,
        actor,
        dry_run=body.dry_run,
        left_out=left_out,
        warnings=found.warnings,
    )


def _imported(
    imported: Imported,
    actor: Actor,
    *,
    dry_run: bool,
    left_out: list[dict[str, Any]] | None = None,
    warnings: list[str] | None = None,
) -> Response:
    if not dry_run:
        for task_id in (*imported.created, *imported.updated):
            actor.note(task_id)
    kept = [
        {"line": None, "task_id": each, "reason": "there is a task of that id"}
        for each in imported.kept
    ]
    return json_answer(
        {
            "created": list(imported.created),
            "updated": list(imported.updated),
            "skipped": [*(left_out or []), *kept],
            "warnings": warnings or [],
            "dry_run": dry_run,
        }
    )
