"""Logs that are too long to load: windows by line number, and search on the server."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from scriptrunner.engine.pattern_search import TooManySearchesError
from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.errors import RunFileNotFoundError, RunNotFoundError
from scriptrunner.runs.log_lines import MAX_WINDOW, Line
from scriptrunner.runs.log_search import MAX_CONTEXT, MAX_MATCHES, Place, Wanted
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ServicesDep
from scriptrunner.web.describe import answers
from scriptrunner.web.routes.logs import Attempt

router = APIRouter(tags=["runs"])

#: Largest number of a line: outputs are capped far below.
MAX_NUMBER = 10**15
#: Number and offset of a line, number of the first match, level before it plus one.
_PLACE = re.compile(r"([1-9]\d{0,14})\.(\d{1,15})\.([1-9]\d{0,14})\.([0-5])", re.ASCII)

OneStream = Literal["stdout", "stderr"]
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def _checked_place(text: str | None) -> str | None:
    """Refuse what no search has answered with."""
    place = _to_place(text)
    # Between the two lie lines of context: more would all be read in one go.
    if text and not (place and 0 <= place.first - place.number <= MAX_CONTEXT):
        raise PydanticCustomError("place", "Input should be the `next` of a search")
    return text


def _checked_text(text: str | None) -> str | None:
    if text is not None and ("\0" in text or "\n" in text):
        raise PydanticCustomError(
            "search_text", "Input should be a part of one line, without NUL"
        )
    return text


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
    responses=answers(
        "LogMatches", RunNotFoundError, RunFileNotFoundError, TooManySearchesError
    ),
)
def search_log(
    run_id: str,
    services: ServicesDep,
    q: Annotated[
        str | None,
        AfterValidator(_checked_text),
        Query(
            min_length=1,
            max_length=500,
            description="Plain text or, with `regex`, a pattern; needed without `level`",
        ),
    ] = None,
    stream: OneStream = "stdout",
    attempt: Attempt = None,
    case: Annotated[bool, Query(description="Upper and lower case differ")] = False,
    word: Annotated[bool, Query(description="Whole words only")] = False,
    regex: Annotated[
        bool, Query(description="`q` is a regular expression of Python")
    ] = False,
    level: Annotated[
        Level | None,
        Query(description="Only lines of this level and above, as their heads name it"),
    ] = None,
    context: Annotated[
        int, Query(ge=0, le=MAX_CONTEXT, description="Lines around each match")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_MATCHES)] = 200,
    after: Annotated[
        str | None,
        AfterValidator(_checked_place),
        Query(description="The `next` of the answer before"),
    ] = None,
) -> Response:
    """Return lines of one output that hold a text; colours in them do no harm.

    One answer looks at 64 MiB at most and for about two seconds; ``next`` says where to
    go on, and is null when everything was looked at.
    """
    if q is None and level is None:
        fault = {"type": "missing", "loc": ("query", "q"), "msg": "Field required"}
        raise MalformedInputError([fault])
    wanted = Wanted(
        text=q,
        is_pattern=regex,
        match_case=case,
        whole_word=word,
        level=level,
        limit=limit,
        context=context,
    )
    found = services.run_views.search_lines(
        run_id, stream, wanted, attempt=attempt, place=_to_place(after)
    )
    return json_answer(
        {
            "stream": stream,
            "matches": [_line_to_json(line) for line in found.matches],
            "around": [_line_to_json(line) for line in found.around],
            "next": found.next and _to_text(found.next),
        }
    )


def _to_place(text: str | None) -> Place | None:
    found = _PLACE.fullmatch(text or "")
    if found is None:
        return None
    number, offset, first, level = (int(each) for each in found.groups())
    return Place(number=number, offset=offset, first=first, level=level - 1)


def _to_text(place: Place) -> str:
    return f"{place.number}.{place.offset}.{place.first}.{place.level + 1}"


def _line_to_json(line: Line) -> dict[str, Any]:
    return {
        "number": line.number,
        "offset": line.offset,
        "text": line.text,
        "cut_bytes": line.cut_bytes,
    }
