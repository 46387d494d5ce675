"""What the pages show of runs beyond their record: the request again, differences, days."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from scriptrunner.runs.errors import RunFileNotFoundError, RunNotFoundError
from scriptrunner.runs.representation import item_to_json, time_to_json
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ServicesDep
from scriptrunner.web.describe import answers
from scriptrunner.web.highlight import describe_source

router = APIRouter(tags=["runs"])


@router.get(
    "/api/runs/{run_id}/request",
    name="get_run_request",
    responses=answers("RunRequestAgain", RunNotFoundError),
)
def get_run_request(run_id: str, services: ServicesDep) -> Response:
    """Return all options of a run, to fill a form with; secrets are named, not told."""
    found = services.run_views.get_request(run_id)
    return json_answer(
        {
            "request": found.request,
            "masked": found.masked,
            "is_upload": found.is_upload,
        }
    )


@router.get(
    "/api/runs/{run_id}/compare/{other_id}",
    name="compare_runs",
    responses=answers("Comparison", RunNotFoundError),
)
def compare_runs(run_id: str, other_id: str, services: ServicesDep) -> Response:
    """Return how two runs differ: options, metrics, source, ends of the outputs."""
    found = services.run_views.compare(run_id, other_id)
    for side in ("left", "right"):
        found[side] = item_to_json(found[side].item)
    return json_answer(found)


@router.get(
    "/api/runs/{run_id}/script/tokens",
    name="get_script_tokens",
    responses=answers("Source", RunNotFoundError, RunFileNotFoundError),
)
def get_script_tokens(run_id: str, services: ServicesDep) -> Response:
    """Return the source that ran, as coloured pieces per line."""
    content, _ = services.runs.get_script_bytes(run_id)
    name = services.runs.get_run(run_id).item.script_name
    return json_answer(describe_source(content, name))


@router.get("/api/stats/daily", name="get_daily_stats", responses=answers("DailyStats"))
def get_daily_stats(
    services: ServicesDep, days: Annotated[int, Query(ge=1, le=366)] = 14
) -> Response:
    """Return how many runs each of the last days had, in UTC, oldest first."""
    found = services.run_views.list_days(days)
    return json_answer(
        {
            "days": [
                {
                    "date": day.date.isoformat(),
                    "total": day.total,
                    "completed": day.completed,
                    "failed": day.failed,
                    "cancelled": day.cancelled,
                }
                for day in found
            ]
        }
    )


@router.get(
    "/api/stats/attention", name="get_attention", responses=answers("Attention")
)
def get_attention(services: ServicesDep) -> Response:
    """Return the scripts whose newest runs of the last week failed, all of them."""
    found = services.run_views.list_troubles()
    return json_answer(
        {
            "scripts": [
                {
                    "script_path": each.script_path,
                    "run_id": each.run_id,
                    "finished_at": time_to_json(each.finished_at),
                    "reason": each.reason,
                    "error": each.error,
                    "failures": each.failures,
                    "never_succeeded": each.never_succeeded,
                    "stderr_snippet": each.stderr_snippet,
                }
                for each in found
            ]
        }
    )
