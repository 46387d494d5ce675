"""Tags of the library, and putting them on scripts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from scriptrunner.library.errors import (
    ScriptNotFoundError,
    TagExistsError,
    TagNotFoundError,
)
from scriptrunner.library.representation import tag_to_json
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, array_of
from scriptrunner.web.requests import read_json
from scriptrunner.web.routes.library_roots import BODY_ERRORS
from scriptrunner.web.routes.tasks import body_of
from scriptrunner.web.schemas.library import BulkTagRequest, TagChange, TagRequest
from scriptrunner.web.schemas.run_request import validate

router = APIRouter(tags=["library"])


@router.get(
    "/api/library/tags", name="list_tags", responses=answers(array_of("LibraryTag"))
)
def list_tags(services: ServicesDep) -> Response:
    """Return all tags by name."""
    return json_answer([tag_to_json(tag) for tag in services.library.tags.list_tags()])


async def read_tag(request: Request) -> TagRequest:
    """Return the tag in the body."""
    return validate(TagRequest, await read_json(request))


@router.post(
    "/api/library/tags",
    name="create_tag",
    status_code=201,
    responses=answers("LibraryTag", TagExistsError, *BODY_ERRORS, status=201),
    openapi_extra=body_of("TagRequest"),
)
def create_tag(
    actor: ActorDep, body: Annotated[TagRequest, Depends(read_tag)]
) -> Response:
    """Make a tag."""
    tag = actor.services.library.tags.add(body.name, color=body.color)
    actor.note(f"tag {tag.id}")
    return json_answer(tag_to_json(tag), status=201)


async def read_tag_change(request: Request) -> TagChange:
    """Return what is to change, as the body says."""
    return validate(TagChange, await read_json(request))


@router.patch(
    "/api/library/tags/{tag_id}",
    name="update_tag",
    responses=answers("LibraryTag", TagExistsError, TagNotFoundError, *BODY_ERRORS),
    openapi_extra=body_of("TagChange"),
)
def update_tag(
    tag_id: int, actor: ActorDep, body: Annotated[TagChange, Depends(read_tag_change)]
) -> Response:
    """Change name or colour of a tag."""
    given = body.model_dump(exclude_unset=True)
    tag = actor.services.library.tags.change(tag_id, **given)
    actor.note(f"tag {tag_id}")
    return json_answer(tag_to_json(tag))


@router.delete(
    "/api/library/tags/{tag_id}",
    name="delete_tag",
    responses=answers("LibraryDone", TagNotFoundError),
)
def delete_tag(tag_id: int, actor: ActorDep) -> Response:
    """Remove a tag, also from all scripts."""
    actor.services.library.tags.delete(tag_id)
    actor.note(f"tag {tag_id}")
    return json_answer({"success": True})


@router.post(
    "/api/library/scripts/{script_id}/tags/{tag_id}",
    name="attach_tag",
    responses=answers("LibraryMessage", ScriptNotFoundError, TagNotFoundError),
)
def attach_tag(script_id: int, tag_id: int, actor: ActorDep) -> Response:
    """Put a tag on a script; it may be there already."""
    actor.services.library.tags.attach(script_id, tag_id)
    actor.note(f"script {script_id}, tag {tag_id}")
    return json_answer({"message": "Tag added"})


@router.delete(
    "/api/library/scripts/{script_id}/tags/{tag_id}",
    name="detach_tag",
    responses=answers("LibraryMessage", ScriptNotFoundError, TagNotFoundError),
)
def detach_tag(script_id: int, tag_id: int, actor: ActorDep) -> Response:
    """Take a tag off a script; it need not be there."""
    actor.services.library.tags.detach(script_id, tag_id)
    actor.note(f"script {script_id}, tag {tag_id}")
    return json_answer({"message": "Tag removed"})


async def read_bulk(request: Request) -> BulkTagRequest:
    """Return what is asked for many scripts, as the body says."""
    return validate(BulkTagRequest, await read_json(request))


@router.post(
    "/api/library/scripts/tags",
    name="tag_scripts",
    responses=answers("BulkTagged", TagNotFoundError, *BODY_ERRORS),
    openapi_extra=body_of("BulkTagRequest"),
)
def tag_scripts(
    actor: ActorDep, body: Annotated[BulkTagRequest, Depends(read_bulk)]
) -> Response:
    """Put tags on many scripts, or take them off; unknown scripts are named."""
    found = actor.services.library.tags.change_many(
        body.script_ids, body.tag_ids, attach=body.action == "attach"
    )
    actor.note(f"{found.changed} changes")
    skipped = [{"id": each, "reason": "not_found"} for each in found.unknown]
    return json_answer({"changed": found.changed, "skipped": skipped})
