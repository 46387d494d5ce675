"""Folder roots of the library and their scans; the picker of folders."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from scriptrunner.errors import UnsupportedMediaTypeError
from scriptrunner.library.errors import (
    FolderMissingError,
    FolderNotFoundError,
    FolderRootNotFoundError,
    RootExistsError,
    RootNotAllowedError,
    ScanFinishedError,
    ScanNotFoundError,
)
from scriptrunner.library.representation import root_to_json, scan_to_json
from scriptrunner.web.answers import json_answer
from scriptrunner.web.body import BodyTooLargeError
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, array_of
from scriptrunner.web.requests import read_json
from scriptrunner.web.routes.tasks import body_of
from scriptrunner.web.schemas.library import FolderRootChange, FolderRootRequest
from scriptrunner.web.schemas.run_request import validate

router = APIRouter(tags=["library"])

BODY_ERRORS = (BodyTooLargeError, UnsupportedMediaTypeError)


@router.get(
    "/api/library/folder-roots",
    name="list_folder_roots",
    responses=answers(array_of("FolderRoot")),
)
def list_folder_roots(services: ServicesDep) -> Response:
    """Return all folder roots by name."""
    found = services.library.roots.list_roots()
    return json_answer([root_to_json(each) for each in found])


async def read_root(request: Request) -> FolderRootRequest:
    """Return the root in the body."""
    return validate(FolderRootRequest, await read_json(request))


@router.post(
    "/api/library/folder-roots",
    name="create_folder_root",
    status_code=201,
    responses=answers(
        "FolderRoot",
        FolderMissingError,
        RootNotAllowedError,
        RootExistsError,
        *BODY_ERRORS,
        status=201,
    ),
    openapi_extra=body_of("FolderRootRequest"),
)
def create_folder_root(
    actor: ActorDep, body: Annotated[FolderRootRequest, Depends(read_root)]
) -> Response:
    """Add a folder as a root; a scan finds its scripts."""
    root = actor.services.library.roots.add(
        body.path, name=body.name, options=body.to_options()
    )
    actor.note(root.path)
    return json_answer(root_to_json(root), status=201)


async def read_change(request: Request) -> FolderRootChange:
    """Return what is to change, as the body says."""
    return validate(FolderRootChange, await read_json(request))


@router.patch(
    "/api/library/folder-roots/{root_id}",
    name="update_folder_root",
    responses=answers("FolderRoot", FolderRootNotFoundError, *BODY_ERRORS),
    openapi_extra=body_of("FolderRootChange"),
)
def update_folder_root(
    root_id: int,
    actor: ActorDep,
    body: Annotated[FolderRootChange, Depends(read_change)],
) -> Response:
    """Change name or options of a root; they count from the next scan on."""
    root = actor.services.library.roots.change(root_id, body.to_changes())
    actor.note(root.path)
    return json_answer(root_to_json(root))


@router.delete(
    "/api/library/folder-roots/{root_id}",
    name="delete_folder_root",
    responses=answers("FolderRootDeleted", FolderRootNotFoundError),
)
def delete_folder_root(root_id: int, actor: ActorDep) -> Response:
    """Remove a root with its scripts; runs keep their records."""
    deleted = actor.services.library.roots.delete(root_id)
    actor.note(f"folder root {root_id}")
    return json_answer({"success": True, "scripts_deleted": deleted})


@router.post(
    "/api/library/folder-roots/{root_id}/scan",
    name="start_scan",
    status_code=202,
    responses=answers("ScanAccepted", FolderRootNotFoundError, status=202),
)
def start_scan(root_id: int, actor: ActorDep) -> Response:
    """Begin a scan in the background, or name the one that is under way."""
    scan = actor.services.library.roots.scan(root_id)
    actor.note(f"folder root {root_id}")
    return json_answer({"scan_id": scan.id, "status": scan.status}, status=202)


@router.get(
    "/api/library/folder-roots/{root_id}/scans",
    name="list_scans",
    responses=answers(array_of("FolderRootScan"), FolderRootNotFoundError),
)
def list_scans(root_id: int, services: ServicesDep) -> Response:
    """Return the newest scans of a root, newest first."""
    found = services.library.roots.list_scans(root_id)
    return json_answer([scan_to_json(each) for each in found])


@router.get(
    "/api/library/folder-roots/{root_id}/scan/{scan_id}",
    name="get_scan",
    responses=answers("FolderRootScan", ScanNotFoundError),
)
def get_scan(root_id: int, scan_id: int, services: ServicesDep) -> Response:
    """Return a scan; its counters grow while it runs."""
    return json_answer(scan_to_json(services.library.roots.get_scan(root_id, scan_id)))


@router.post(
    "/api/library/folder-roots/{root_id}/scan/{scan_id}/cancel",
    name="cancel_scan",
    responses=answers("FolderRootScan", ScanNotFoundError, ScanFinishedError),
)
def cancel_scan(root_id: int, scan_id: int, actor: ActorDep) -> Response:
    """End a running scan; what it has found so far stays."""
    scan = actor.services.library.roots.cancel_scan(root_id, scan_id)
    actor.note(f"scan {scan_id}")
    return json_answer(scan_to_json(scan))


@router.get(
    "/api/fs",
    name="list_folder",
    responses=answers("FolderListing", FolderNotFoundError),
)
def list_folder(
    services: ServicesDep,
    root: Annotated[str, Query(description="Where to begin; empty lists these")] = "",
    path: Annotated[str, Query(description="Folder below it")] = "",
) -> Response:
    """Return folders and Python files below the allowed roots, for a picker."""
    if not root:
        return json_answer({**_NOTHING, "roots": _places(services)})
    found = services.library.list_folder(root, path)
    prefix = f"{found.path}/" if found.path else ""
    return json_answer(
        {
            "roots": _places(services),
            "root": found.root,
            "path": found.path,
            "parent": found.path.rpartition("/")[0] if found.path else None,
            "folders": [
                {"name": name, "path": f"{prefix}{name}"} for name in found.folders
            ],
            "files": [
                {"name": name, "path": f"{prefix}{name}", "size": size}
                for name, size in found.files
            ],
            "truncated": found.is_truncated,
        }
    )


_NOTHING: dict[str, Any] = {
    "root": None,
    "path": None,
    "parent": None,
    "folders": [],
    "files": [],
    "truncated": False,
}


def _places(services: ServicesDep) -> list[dict[str, str]]:
    runnable = services.library.runnable_folders
    return [
        {"path": each, "kind": "run" if each in runnable else "library"}
        for each in services.library.list_pickable()
    ]
