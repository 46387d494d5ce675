"""Scripts of the library: lists, one, its text, versions and runs, duplicates, figures."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import StringConstraints
from starlette.responses import Response

from scriptrunner.library.errors import (
    FileMissingError,
    FolderRootNotFoundError,
    InvalidLifecycleError,
    RunnableNotFoundError,
    ScriptNotFoundError,
    VersionNotFoundError,
)
from scriptrunner.library.models import (
    DuplicateRule,
    Lifecycle,
    Script,
    ScriptFilter,
    SortKey,
)
from scriptrunner.library.representation import (
    detail_to_json,
    group_to_json,
    page_to_json,
    script_to_json,
    stats_to_json,
    version_to_json,
)
from scriptrunner.runs.errors import (
    IdempotencyConflictError,
    InvalidIdempotencyKeyError,
)
from scriptrunner.runs.representation import item_to_json, time_to_json
from scriptrunner.web.answers import TEXT_TYPE, json_answer
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, array_of
from scriptrunner.web.highlight import describe_source
from scriptrunner.web.requests import find_key, read_json
from scriptrunner.web.routes.library_roots import BODY_ERRORS
from scriptrunner.web.routes.runs import MAX_LIMIT, MAX_OFFSET, Text
from scriptrunner.web.routes.start import (
    ANSWER_HEADERS,
    KEY_PARAMETER,
    OPTION_ERRORS,
    PATH_ERRORS,
    QUEUE_ERRORS,
    accepted_answer,
)
from scriptrunner.web.routes.tasks import body_of, read_optional
from scriptrunner.web.schemas.library import StatusRequest
from scriptrunner.web.schemas.run_request import RunOptionsBody, validate

router = APIRouter(tags=["library"])

#: Groups of duplicates that one answer has at most.
MAX_GROUPS = 5_000
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Missing = Literal["false", "true", "all"]
_MISSING: dict[str, bool | None] = {"false": False, "true": True, "all": None}


async def read_filter(
    root_id: Annotated[int | None, Query(description="Of one root")] = None,
    language: Annotated[Text, Query(description="Exactly")] = None,
    extension: Annotated[Text, Query(description="Exactly, such as `.py`")] = None,
    status: Annotated[Lifecycle | None, Query(description="Lifecycle")] = None,
    tag: Annotated[Text, Query(description="Name of a tag, exactly")] = None,
    owner: Annotated[Text, Query(description="Exactly")] = None,
    environment: Annotated[Text, Query(description="Exactly")] = None,
    folder: Annotated[
        Text, Query(description="Folder below its root, and all below that")
    ] = None,
    search: Annotated[Text, Query(description="Part of name or path")] = None,
    content: Annotated[
        Text, Query(max_length=200, description="Part of the text, its first 64 KiB")
    ] = None,
    missing: Annotated[Missing, Query(description="Files that are gone")] = "false",
) -> ScriptFilter:
    """Return what the query of a list asks for."""
    if root_id is not None and not -(2**63) <= root_id < 2**63:
        root_id = -1  # no root has such an id
    return ScriptFilter(
        root_id=root_id,
        language=language or None,
        extension=extension or None,
        status=None if status is None else status.value,
        tag=tag or None,
        owner=owner or None,
        environment=environment or None,
        below=f"{plain}/" if (plain := (folder or "").strip("/")) else None,
        search=search or None,
        content=content or None,
        missing=_MISSING[missing],
    )


@router.get(
    "/api/library/scripts",
    name="list_scripts",
    responses=answers("LibraryScriptPage"),
)
def list_scripts(
    services: ServicesDep,
    wanted: Annotated[ScriptFilter, Depends(read_filter)],
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    sort: SortKey = SortKey.NAME,
    order: Literal["asc", "desc"] = "asc",
) -> Response:
    """Return scripts: by name without case, then path, unless asked otherwise."""
    found = services.library.list_scripts(
        wanted, sort=sort, descending=order == "desc", page=page, page_size=page_size
    )
    return json_answer(page_to_json(found))


@router.get(
    "/api/library/tree",
    name="get_library_tree",
    responses=answers("LibraryTree", FolderRootNotFoundError),
)
def get_library_tree(
    services: ServicesDep,
    root_id: int,
    path: Annotated[Text, Query(description="Folder below the root")] = None,
) -> Response:
    """Return the folders and scripts right below one folder."""
    plain = (path or "").strip("/")
    folder = f"{plain}/" if plain else ""
    _, folders, page = services.library.list_tree(root_id, folder)
    return json_answer(
        {
            "root_id": root_id,
            "path": plain,
            "folders": [
                {
                    "name": each.name,
                    "path": each.folder.rstrip("/"),
                    "script_count": each.script_count,
                }
                for each in folders
            ],
            "scripts": [script_to_json(each) for each in page.items],
            "total": page.total,
            "truncated": page.total > len(page.items),
        }
    )


@router.get(
    "/api/library/duplicates",
    name="list_duplicates",
    responses=answers(
        array_of("DuplicateGroupShape"),
        headers={"X-Total-Count": "How many groups there are"},
    ),
)
def list_duplicates(
    services: ServicesDep,
    rule: Annotated[
        Literal["name", "exact", "near", "all"],
        Query(description="Same name, size and lines; same bytes; mostly same lines"),
    ] = "name",
    limit: Annotated[int, Query(ge=1, le=MAX_GROUPS)] = 1_000,
) -> Response:
    """Return groups of scripts that are alike, the largest first."""
    rules = list(DuplicateRule) if rule == "all" else [DuplicateRule(rule)]
    total, groups = 0, []
    for each in rules:
        count, found = services.library.find_duplicates(each, limit=limit)
        total += count
        groups += [group_to_json(group) for group in found if group.members]
    return json_answer(groups, headers={"X-Total-Count": str(total)})


@router.get(
    "/api/library/stats",
    name="get_library_stats",
    responses=answers("LibraryStatsShape"),
)
def get_library_stats(services: ServicesDep) -> Response:
    """Return figures over the library."""
    return json_answer(stats_to_json(services.library.get_stats()))


def _detail(script: Script, services: ServicesDep) -> dict[str, Any]:
    last = services.library.find_last_run(script)
    return detail_to_json(script, last_run=None if last is None else item_to_json(last))


@router.get(
    "/api/library/scripts/{script_id}",
    name="get_library_script",
    responses=answers("LibraryScript", ScriptNotFoundError),
)
def get_library_script(script_id: int, services: ServicesDep) -> Response:
    """Return all about one script."""
    return json_answer(_detail(services.library.get_script(script_id), services))


@router.get(
    "/api/library/scripts/{script_id}/content",
    name="get_script_content",
    responses=answers(
        "LibraryContent",
        ScriptNotFoundError,
        FileMissingError,
        words="The text; as `text/plain` if `Accept` says so",
    ),
)
def get_script_content(
    script_id: int,
    services: ServicesDep,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return the text of a script as it is now, at most 4 MiB of it."""
    script, content = services.library.read_content(script_id)
    if accept.partition(";")[0].strip() == "text/plain":
        headers = {"X-Content-SHA256": content.sha256}
        return Response(content.text, media_type=TEXT_TYPE, headers=headers)
    return json_answer(
        {
            "script_id": script.id,
            "path": script.path,
            "content": content.text,
            "size": content.size,
            "truncated": content.is_truncated,
            "sha256": content.sha256,
        }
    )


@router.get(
    "/api/library/scripts/{script_id}/tokens",
    name="get_library_tokens",
    responses=answers("LibrarySource", ScriptNotFoundError, FileMissingError),
)
def get_library_tokens(script_id: int, services: ServicesDep) -> Response:
    """Return the text of a script as coloured pieces per line."""
    script, content = services.library.read_content(script_id)
    source = describe_source(content.data, script.name)
    return json_answer(
        {
            **source,
            "script_id": script.id,
            "path": script.path,
            "truncated": content.is_truncated,
            "plain": not source["is_coloured"],
            "line_count": len(source["lines"]),
        }
    )


async def read_status(request: Request) -> StatusRequest:
    """Return what is said about a script, as the body says."""
    return validate(StatusRequest, await read_json(request))


@router.put(
    "/api/library/scripts/{script_id}/status",
    name="set_script_status",
    responses=answers(
        "ScriptUpdated", InvalidLifecycleError, ScriptNotFoundError, *BODY_ERRORS
    ),
    openapi_extra=body_of("StatusRequest"),
)
def set_script_status(
    script_id: int,
    actor: ActorDep,
    body: Annotated[StatusRequest, Depends(read_status)],
) -> Response:
    """Set lifecycle status, owner, environment and notes: those that are given."""
    values: dict[str, Any] = body.model_dump(exclude_unset=True)
    library = actor.services.library
    if "status" in values:
        if values["status"] not in set(Lifecycle):
            library.get_script(script_id)
            raise InvalidLifecycleError
        values["lifecycle_status"] = values.pop("status")
    script = library.change_meta(script_id, values)
    actor.note(script.path)
    shown = _detail(script, actor.services)
    return json_answer({"message": "Status updated", "script": shown})


@router.get(
    "/api/library/scripts/{script_id}/notes",
    name="get_script_notes",
    responses=answers("ScriptNotes", ScriptNotFoundError),
)
def get_script_notes(script_id: int, services: ServicesDep) -> Response:
    """Return the notes of a script."""
    script = services.library.get_script(script_id)
    return json_answer({"script_id": script.id, "notes": script.notes})


@router.get(
    "/api/library/scripts/{script_id}/versions",
    name="list_script_versions",
    responses=answers("ScriptVersions", ScriptNotFoundError),
)
def list_script_versions(script_id: int, services: ServicesDep) -> Response:
    """Return every content that a script was scanned or run with, newest first."""
    found = services.library.list_versions(script_id)
    shown = [version_to_json(each) for each in found]
    return json_answer({"script_id": script_id, "versions": shown})


@router.get(
    "/api/library/scripts/{script_id}/versions/{sha256}",
    name="get_script_version",
    response_class=Response,
    responses=answers(
        {"type": "string"},
        ScriptNotFoundError,
        VersionNotFoundError,
        media=TEXT_TYPE,
    ),
)
def get_script_version(script_id: int, sha256: Hash, services: ServicesDep) -> Response:
    """Return the text of a version."""
    data = services.library.get_version(script_id, sha256)
    return Response(data.decode("utf-8", "replace"), media_type=TEXT_TYPE)


@router.get(
    "/api/library/scripts/{script_id}/diff",
    name="compare_script_versions",
    responses=answers("ScriptDiff", ScriptNotFoundError, VersionNotFoundError),
)
def compare_script_versions(
    script_id: int,
    services: ServicesDep,
    old: Annotated[Hash, Query(alias="from", description="sha256 of the earlier one")],
    new: Annotated[Hash, Query(alias="to", description="sha256 of the later one")],
) -> Response:
    """Return how one version of a script became another."""
    found = services.library.compare(script_id, old, new)
    return json_answer(
        {
            "script_id": script_id,
            "from": old,
            "to": new,
            "diff": found.text,
            "added": found.added,
            "removed": found.removed,
            "truncated": found.is_truncated,
        }
    )


@router.get(
    "/api/library/scripts/{script_id}/compare/{other_id}",
    name="compare_scripts",
    responses=answers("ScriptsDiff", ScriptNotFoundError, FileMissingError),
)
def compare_scripts(script_id: int, other_id: int, services: ServicesDep) -> Response:
    """Return how the text of one script differs from that of another, as they are now."""
    found = services.library.compare_scripts(script_id, other_id)
    return json_answer(
        {
            "script_id": script_id,
            "other_id": other_id,
            "diff": found.text,
            "added": found.added,
            "removed": found.removed,
            "truncated": found.is_truncated,
        }
    )


@router.get(
    "/api/library/scripts/{script_id}/runs",
    name="list_script_runs",
    responses=answers("ScriptRunsShape", ScriptNotFoundError),
)
def list_script_runs(
    script_id: int,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Response:
    """Return the runs of a script, whoever made them, and figures over all of them."""
    found = services.library.list_runs(script_id, limit=limit, offset=offset)
    return json_answer(
        {
            "items": [item_to_json(each) for each in found.items],
            "total": found.total,
            "success_rate": found.success_rate,
            "median_duration_seconds": found.median_duration_seconds,
            "last_success_at": time_to_json(found.last_success_at),
        }
    )


async def read_options(request: Request) -> tuple[RunOptionsBody, Any]:
    """Return the options in the body, which may be missing, and the body as it came."""
    value = await read_optional(request)
    return validate(RunOptionsBody, value), value


@router.post(
    "/api/library/scripts/{script_id}/run",
    name="run_library_script",
    status_code=202,
    responses=answers(
        "RunAccepted",
        *PATH_ERRORS,
        *OPTION_ERRORS,
        RunnableNotFoundError,
        InvalidIdempotencyKeyError,
        IdempotencyConflictError,
        *BODY_ERRORS,
        *QUEUE_ERRORS,
        status=202,
        headers=ANSWER_HEADERS,
    ),
    openapi_extra={
        **body_of("RunOptions", required=False),
        "parameters": [KEY_PARAMETER],
    },
)
def run_library_script(
    script_id: int,
    request: Request,
    actor: ActorDep,
    body: Annotated[tuple[RunOptionsBody, Any], Depends(read_options)],
) -> Response:
    """Put a run of a script into the queue; being listed gives it no right to run."""
    options, value = body
    accepted = actor.services.library.run(
        script_id,
        options.to_options(),
        principal=actor.principal,
        idempotency=find_key(request, [script_id, value]),
    )
    return accepted_answer(accepted, actor)
