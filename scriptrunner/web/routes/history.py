"""The history itself: executions, figures, export, and taking old ones away."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from scriptrunner.analytics.export import ExportFormat
from scriptrunner.analytics.retention import Policy
from scriptrunner.analytics.service import ExportOrder
from scriptrunner.clock import from_microseconds, to_microseconds
from scriptrunner.errors import MalformedInputError, UnsupportedMediaTypeError
from scriptrunner.history.models import Cursor
from scriptrunner.web.answers import json_answer
from scriptrunner.web.body import BodyTooLargeError
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, array_of, ref
from scriptrunner.web.requests import read_json_or_nothing
from scriptrunner.web.routes.analytics import HISTORY_ERRORS, HistoryName, QuestionDep
from scriptrunner.web.schemas.analytics import ExportRequest
from scriptrunner.web.schemas.run_request import validate

router = APIRouter(tags=["analytics"])

#: Microseconds since 1970 and number of the last execution of a page.
_CURSOR = re.compile(r"(?P<at>-?[0-9]{1,17})-(?P<id>[0-9]{1,18})")


class UnknownPlaceError(MalformedInputError):
    """``before`` is no place in a history."""

    def __init__(self) -> None:
        """Say where such places come from."""
        words = "before must be the next_before of an earlier page"
        super().__init__([{"type": "cursor", "loc": ["query", "before"], "msg": words}])


def parse_cursor(text: str | None) -> Cursor | None:
    """Return the place that ``text`` means; None for none.

    Raises:
        UnknownPlaceError: If it means none.
    """
    if not text:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise UnknownPlaceError
    try:
        return Cursor(from_microseconds(int(found["at"])), int(found["id"]))
    except (OverflowError, ValueError):
        raise UnknownPlaceError from None


@router.get(
    "/api/analytics/history",
    name="list_history",
    responses=answers("HistoryPage", *HISTORY_ERRORS),
)
def list_history(
    services: ServicesDep,
    question: QuestionDep,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    before: Annotated[
        str | None, Query(description="`next_before` of the page before this one")
    ] = None,
) -> Response:
    """Return executions, newest first, cancelled ones included."""
    page, following = services.analytics.list_history(
        question, limit=limit, before=parse_cursor(before)
    )
    place = None
    if following is not None:
        place = f"{to_microseconds(following.at)}-{following.execution_id}"
    return json_answer({**page, "next_before": place})


@router.get(
    "/api/analytics/history/stats",
    name="get_history_stats",
    responses=answers("HistoryFigures", *HISTORY_ERRORS),
)
def get_history_stats(
    services: ServicesDep, history_db: HistoryName = None
) -> Response:
    """Return counts, range and size of a whole history."""
    return json_answer(services.analytics.get_stats(history_db or None))


async def read_export_request(request: Request) -> ExportRequest:
    """Return what the optional body asks for."""
    return validate(ExportRequest, await read_json_or_nothing(request))


def _with_files(responses: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Add the media types that are no JSON to the description of the export."""
    for media, form in (
        ("text/csv", {"type": "string"}),
        ("application/vnd.apache.parquet", {"type": "string", "format": "binary"}),
    ):
        responses[200]["content"][media] = {"schema": form}
    return responses


@router.post(
    "/api/analytics/export",
    name="export_history",
    response_class=Response,
    responses=_with_files(
        answers(
            array_of("ExportedValue"),
            BodyTooLargeError,
            UnsupportedMediaTypeError,
            *HISTORY_ERRORS,
            headers={"Content-Disposition": "A fixed name, such as metrics_export.csv"},
        )
    ),
    openapi_extra={
        "requestBody": {
            "required": False,
            "content": {"application/json": {"schema": ref("ExportRequest")}},
        }
    },
)
def export_history(
    actor: ActorDep, wanted: Annotated[ExportRequest, Depends(read_export_request)]
) -> Response:
    """Return measured values as a file, a row per run and metric, oldest first."""
    file = actor.services.analytics.export(
        ExportOrder(
            kind=ExportFormat(wanted.format),
            script_path=wanted.script_path or None,
            metric=wanted.metric_name,
            since=wanted.start_date,
            until=wanted.end_date,
            history_db=wanted.history_db or None,
        )
    )
    actor.note(file.name)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return StreamingResponse(file.pieces, headers=headers, media_type=file.media_type)


@router.delete(
    "/api/analytics/cleanup",
    name="clean_up_history",
    responses=answers("CleanedUp", *HISTORY_ERRORS),
)
def clean_up_history(
    actor: ActorDep,
    days: Annotated[int, Query(ge=1, le=36_500, description="Keep so many")] = 90,
    dry_run: Annotated[bool, Query(description="Only count")] = False,
    history_db: HistoryName = None,
) -> Response:
    """Remove executions that are older, with what hangs on them; runs stay."""
    found = actor.services.analytics.clean_up(
        days=days, dry_run=dry_run, history_db=history_db or None
    )
    if not dry_run:
        actor.note(f"{found['deleted']['executions']} executions")
    return json_answer(found)


@router.get(
    "/api/analytics/retention/preview",
    name="preview_retention",
    responses=answers("RetentionPreview", *HISTORY_ERRORS),
)
def preview_retention(
    services: ServicesDep,
    days: Annotated[int | None, Query(ge=1, le=36_500)] = None,
    max_runs: Annotated[int | None, Query(ge=1, le=1_000_000_000)] = None,
    max_mb: Annotated[int | None, Query(ge=1, le=1 << 30)] = None,
    history_db: HistoryName = None,
) -> Response:
    """Return what a policy would remove; without one, that of the settings."""
    policy = Policy(days=days, max_runs=max_runs, max_mb=max_mb)
    found = services.analytics.preview_retention(
        None if policy.is_empty else policy, history_db=history_db or None
    )
    return json_answer(found)
