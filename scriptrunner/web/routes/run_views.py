"""What the pages show of runs beyond their record: the request again, differences, lines."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from scriptrunner.runs.errors import RunFileNotFoundError, RunNotFoundError
from scriptrunner.runs.log_lines import MAX_MATCHES, MAX_WINDOW, Line
from scriptrunner.runs.representation import item_to_json, time_to_json
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ServicesDep
from scriptrunner.web.describe import answers
from scriptrunner.web.highlight import describe_source
from scriptrunner.web.routes.logs import Attempt

router = APIRouter(tags=["runs"])

#: Largest number of a line: outputs are capped far below.
MAX_NUMBER = 10**15

OneStream = Literal["stdout", "stderr"]


def _checked_place(text: str | None) -> str | None:
    """Refuse what no search has answered with."""
    if text is None or text == "":
        return None
    number, dot, offset = text.partition(".")
    if not (
        dot
        and all(
            each.isascii() and each.isdigit() and len(each) <= 15
            for each in (number, offset)
        )
        and int(number) > 0
    ):
        raise PydanticCustomError("place", "Input should be the `next` of a search")
    return text


def _checked_text(text: str) -> str:
    if "\0" in text or "\n" in text:
        raise PydanticCustomError(
            "search_text", "Input should be a part of one line, without NUL"
        )
    return text


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


@router.get(
    "/api/runs/{run_id}/logs/lines",
    name="get_log_lines",
    responses=answers("LogWindow", RunNotFoundError, RunFileNotFoundError),
)
def get_log_lines(
    run_id: str,
    services: ServicesDep,
    stream: OneStream = "stdout",
    attempt: Attempt = None,
    first: Annotated[
        int, Query(alias="from", ge=1, le=MAX_NUMBER, description="First line, from 1")
    ] = 1,
    count: Annotated[int, Query(ge=1, le=MAX_WINDOW)] = 1_000,
) -> Response:
    """Return lines of one output by number: a window on what is too long to load."""
    window = services.run_views.read_lines(
        run_id, stream, attempt=attempt, first=first, count=count
    )
    return json_answer(
        {
            "stream": stream,
            "from": first,
            "total": window.total,
            "is_complete": window.is_complete,
            "lines": [_line_to_json(line) for line in window.lines],
        }
    )


@router.get(
    "/api/runs/{run_id}/logs/search",
    name="search_log",
    responses=answers("LogMatches", RunNotFoundError, RunFileNotFoundError),
)
def search_log(
    run_id: str,
    services: ServicesDep,
    q: Annotated[
        str,
        AfterValidator(_checked_text),
        Query(min_length=1, max_length=500, description="Plain text, no pattern"),
    ],
    stream: OneStream = "stdout",
    attempt: Attempt = None,
    case: Annotated[bool, Query(description="Upper and lower case differ")] = False,
    word: Annotated[bool, Query(description="Whole words only")] = False,
    limit: Annotated[int, Query(ge=1, le=MAX_MATCHES)] = 200,
    after: Annotated[
        str | None,
        AfterValidator(_checked_place),
        Query(description="The `next` of the answer before"),
    ] = None,
) -> Response:
    """Return lines of one output that hold a text; colours in them do no harm.

    One answer looks at 64 MiB at most; ``next`` says where to go on, and is null when
    everything was looked at.
    """
    number, _, offset = (after or "1.0").partition(".")
    found = services.run_views.search_lines(
        run_id,
        stream,
        q,
        attempt=attempt,
        start=(int(number), int(offset)),
        limit=limit,
        match_case=case,
        whole_word=word,
    )
    place = None
    if found.next_line is not None:
        place = f"{found.next_line}.{found.next_offset}"
    return json_answer(
        {
            "stream": stream,
            "matches": [_line_to_json(line) for line in found.matches],
            "next": place,
        }
    )


def _line_to_json(line: Line) -> dict[str, Any]:
    return {
        "number": line.number,
        "offset": line.offset,
        "text": line.text,
        "cut_bytes": line.cut_bytes,
    }


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
