"""Runs as records: list, one, events, steps, deletion."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from scriptrunner.engine.visualizer import render_text
from scriptrunner.errors import MalformedInputError, UnsupportedMediaTypeError
from scriptrunner.runs.errors import (
    RunActiveError,
    RunNotFoundError,
    VisualizerNotEnabledError,
)
from scriptrunner.runs.models import RunFilter, RunPage, RunRecord, RunSort, Status
from scriptrunner.runs.representation import event_to_json, item_to_json, record_to_json
from scriptrunner.web.answers import JSON_TYPE, TEXT_TYPE, json_answer, to_bytes
from scriptrunner.web.body import BodyTooLargeError
from scriptrunner.web.deps import ActorDep, RuntimeDep, ServicesDep
from scriptrunner.web.describe import answers, array_of
from scriptrunner.web.json_text import fault
from scriptrunner.web.requests import read_json
from scriptrunner.web.times import Since, Until
from scriptrunner.web.waiting import wait_finished

router = APIRouter(tags=["runs"])

#: Runs of one page, and ids of one bulk delete.
MAX_LIMIT = 200
MAX_IDS = 1_000
#: Seconds that a client may wait for the end of a run in one request.
MAX_WAIT_SECONDS = 60
#: Largest number that the database takes as an offset.
MAX_OFFSET = 2**63 - 1


def _given(values: object) -> object:
    """Drop empty texts: an empty filter is no filter."""
    return (
        [each for each in values if each != ""] if isinstance(values, list) else values
    )


def _without_nul(text: str | None) -> str | None:
    """Refuse what no stored text can hold and PostgreSQL does not take."""
    if text and "\0" in text:
        raise PydanticCustomError("string_nul", "Input must not hold a NUL character")
    return text


Text = Annotated[str | None, AfterValidator(_without_nul)]
Statuses = Annotated[
    list[Status], BeforeValidator(_given), Query(description="One or more")
]


async def read_filter(
    status: Statuses = [],  # noqa: B006 - FastAPI copies it
    script: Annotated[Text, Query(description="Part of the script path")] = None,
    q: Annotated[
        Text,
        Query(
            description="Part of id, correlation id, script path, arguments or error"
        ),
    ] = None,
    trigger: Annotated[Text, Query(description="What made the run")] = None,
    task_id: Annotated[Text, Query(description="The task that made the run")] = None,
    principal: Annotated[Text, Query(description="Who started the run")] = None,
    script_path: Annotated[
        Text, Query(description="The whole script path, as it was given or absolute")
    ] = None,
    tag: Annotated[
        Text, Query(description="A tag that the script has in the library now")
    ] = None,
    since: Since = None,
    until: Until = None,
) -> RunFilter:
    """Return what the query of a list asks for."""
    return RunFilter(
        statuses=tuple(each.value for each in status),
        script=script or None,
        text=q or None,
        trigger=trigger or None,
        task_id=task_id or None,
        principal=principal or None,
        script_path=script_path or None,
        tag=tag or None,
        since=since,
        until=until,
    )


@router.get(
    "/api/runs",
    name="list_runs",
    responses=answers(
        array_of("RunListItem"),
        headers={
            "X-Total-Count": "How many runs match, whatever limit and offset",
            "X-Next-Before": "Value of `before` for the next page, if there is one",
        },
    ),
)
def list_runs(
    services: ServicesDep,
    wanted: Annotated[RunFilter, Depends(read_filter)],
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    before: Annotated[
        str | None, Query(description="Only runs older than this run id or cursor")
    ] = None,
    sort: Annotated[RunSort, Query(description="Equal ones: newest first")] = (
        RunSort.QUEUED
    ),
    order: Literal["asc", "desc"] = "desc",
    with_tags: Annotated[
        bool, Query(description="Each item has `tags`: those of its script now")
    ] = False,
) -> Response:
    """Return runs, newest first, without what they printed."""
    is_usual = sort is RunSort.QUEUED and order == "desc"
    if before and not is_usual:
        words = "before needs the usual order, newest first; use offset here"
        raise MalformedInputError(
            [{"type": "before", "loc": ["query", "before"], "msg": words}]
        )
    page = services.runs.list_runs(
        wanted,
        limit=limit,
        offset=offset,
        before=before or None,
        sort=sort,
        descending=order == "desc",
    )
    items = [item_to_json(item) for item in page.items]
    if with_tags:
        tags = services.run_views.find_tags(page.items)
        for item in items:
            found = tags.get(item["script"]["path"], [])
            item["tags"] = [{"name": each.name, "color": each.color} for each in found]
    return _page_answer(page, items)


def _page_answer(page: RunPage, items: list[dict[str, Any]]) -> Response:
    headers = {"X-Total-Count": str(page.total)}
    if page.next_before is not None:
        headers["X-Next-Before"] = page.next_before
    return json_answer(items, headers=headers)


@router.get(
    "/api/runs/{run_id}",
    name="get_run",
    responses=answers("RunRecord", RunNotFoundError),
)
async def get_run(
    run_id: str,
    runtime: RuntimeDep,
    wait: Annotated[
        float,
        Query(
            ge=0,
            le=MAX_WAIT_SECONDS,
            allow_inf_nan=False,
            description="Seconds to wait for the end of the run",
        ),
    ] = 0,
) -> Response:
    """Return one run; with ``wait`` as soon as it is over, or when the time has passed."""
    if wait > 0:
        await wait_finished(runtime, run_id, seconds=wait)

    def answer() -> Response:
        record: RunRecord = runtime.services.runs.get_run(run_id)
        return Response(to_bytes(record_to_json(record)), media_type=JSON_TYPE)

    return await run_in_threadpool(answer)


@router.get(
    "/api/runs/{run_id}/events",
    name="list_events",
    responses=answers(array_of("RunEvent"), RunNotFoundError),
)
def list_events(
    run_id: str,
    services: ServicesDep,
    after: Annotated[
        int, Query(ge=0, le=MAX_OFFSET, description="Only later ones")
    ] = 0,
) -> Response:
    """Return the events of a run in order."""
    events = services.runs.list_events(run_id, after=after)
    return json_answer([event_to_json(each) for each in events])


@router.get(
    "/api/runs/{run_id}/visualization",
    name="get_visualization",
    responses=answers("Visualization", RunNotFoundError, VisualizerNotEnabledError),
)
def get_visualization(
    run_id: str,
    services: ServicesDep,
    attempt: Annotated[
        int | None, Query(ge=1, le=1_000, description="Default: last")
    ] = None,
    download: Annotated[
        bool, Query(description="The text rendering, as a file to be saved")
    ] = False,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return the report of the steps of an attempt; as text if ``Accept`` says so."""
    report = services.runs.get_visualization(run_id, attempt=attempt)
    if download:
        name = f'attachment; filename="{run_id}-steps.txt"'
        headers = {"Content-Disposition": name}
        return Response(render_text(report), media_type=TEXT_TYPE, headers=headers)
    if accept.partition(";")[0].strip() == "text/plain":
        return Response(render_text(report), media_type=TEXT_TYPE)
    return json_answer(report)


@router.delete(
    "/api/runs/{run_id}",
    name="delete_run",
    responses=answers("RunDeleted", RunActiveError, RunNotFoundError),
)
def delete_run(run_id: str, actor: ActorDep) -> Response:
    """Delete a run that is over, with all that belongs to it."""
    actor.services.runs.delete(run_id)
    actor.note(run_id)
    return json_answer({"success": True})


async def read_ids(request: Request) -> list[str]:
    """Return the array of ids in the body of ``request``."""
    value = await read_json(request)
    if not isinstance(value, list):
        raise MalformedInputError([fault("list_type", [], "Send an array of run ids")])
    if len(value) > MAX_IDS:
        words = f"Send at most {MAX_IDS} ids at once"
        raise MalformedInputError([fault("too_long", [], words)])
    faults = [
        fault("string_type", [place], "Input should be a valid string")
        for place, each in enumerate(value)
        if not isinstance(each, str)
    ]
    if faults:
        raise MalformedInputError(faults)
    return value


_IDS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON_TYPE: {
                "schema": {
                    "type": "array",
                    "items": {"type": "string"},
                    "maxItems": MAX_IDS,
                }
            }
        },
    }
}


@router.delete(
    "/api/runs",
    name="delete_runs",
    responses=answers("RunsDeleted", BodyTooLargeError, UnsupportedMediaTypeError),
    openapi_extra=_IDS_BODY,
)
def delete_runs(
    ids: Annotated[list[str], Depends(read_ids)], actor: ActorDep
) -> Response:
    """Delete many runs, and say which were not deleted and why."""
    deleted, skipped = actor.services.runs.delete_many(ids)
    if deleted:
        actor.note(f"{deleted} runs")
    return json_answer({"deleted": deleted, "skipped": skipped})
