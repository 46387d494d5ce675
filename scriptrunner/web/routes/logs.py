"""What a run printed and left behind: logs, outputs, script, samples."""

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, BinaryIO, Literal

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse

from scriptrunner.errors import RangeNotSatisfiableError
from scriptrunner.runs.errors import (
    OutputNotFoundError,
    RunFileNotFoundError,
    RunNotFoundError,
)
from scriptrunner.runs.logs import OutputState, resolve_range
from scriptrunner.web.answers import TEXT_TYPE, json_answer
from scriptrunner.web.deps import ServicesDep
from scriptrunner.web.describe import answers, array_of

router = APIRouter(tags=["logs"])

#: Bytes of a file that are sent at once.
CHUNK_BYTES = 256 << 10
TEXT_SHAPE = {"type": "string"}
BYTES_SHAPE = {"type": "string", "contentMediaType": "application/octet-stream"}

Attempt = Annotated[
    int | None,
    Query(ge=1, le=1_000_000, description="Number of the attempt; default: last"),
]
Download = Annotated[bool, Query(description="As a file to be saved")]


@router.get(
    "/api/runs/{run_id}/logs",
    name="get_logs",
    response_class=Response,
    responses={
        **answers(
            TEXT_SHAPE,
            RunNotFoundError,
            RunFileNotFoundError,
            RangeNotSatisfiableError,
            media="text/plain",
            headers={
                "X-Log-Complete": "`true` when nothing more will come",
                "X-Output-Truncated": "`true` when output beyond the cap was dropped",
                "Accept-Ranges": "`bytes` with one stream",
            },
        ),
        206: {
            "description": "The asked-for bytes of one stream, at most 16 MiB",
            "content": {"text/plain": {"schema": TEXT_SHAPE}},
        },
    },
)
def get_logs(
    run_id: str,
    services: ServicesDep,
    stream: Literal["stdout", "stderr", "both"] = "both",
    attempt: Attempt = None,
    download: Download = False,
    range_header: Annotated[
        str | None, Header(alias="Range", description="With one stream: `bytes=a-b`")
    ] = None,
) -> Response:
    """Return the output of a run, also while it runs.

    Both streams come as text, stdout first. One stream comes as the bytes that were
    written, and then byte ranges work.
    """
    state = services.runs.get_log_state(run_id, attempt)
    headers = {
        "X-Log-Complete": str(state.is_complete).lower(),
        "X-Output-Truncated": str(state.is_truncated).lower(),
    }
    if download:
        name = f"{run_id}-{'log' if stream == 'both' else stream}.txt"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if stream == "both":
        return _text(services.runs.logs.iter_text(state), headers)
    headers["Accept-Ranges"] = "bytes"
    return _stream_answer(services, state, stream, range_header, headers)


def _stream_answer(
    services: ServicesDep,
    state: OutputState,
    stream: str,
    range_header: str | None,
    headers: dict[str, str],
) -> Response:
    logs = services.runs.logs
    if range_header is None:
        return _text(logs.iter_stream(state, stream), headers)
    with closing(logs.open(state, stream)) as reader:
        size = reader.settled_size(is_complete=state.is_complete)
    start, end = resolve_range(range_header, size)
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    return _text(
        logs.iter_stream(state, stream, start=start, end=end), headers, status=206
    )


def _text(
    content: Iterator[bytes], headers: dict[str, str], *, status: int = 200
) -> Response:
    return StreamingResponse(
        content, status_code=status, headers=headers, media_type=TEXT_TYPE
    )


@router.get(
    "/api/runs/{run_id}/script",
    name="get_script",
    response_class=Response,
    responses=answers(
        TEXT_SHAPE,
        RunNotFoundError,
        RunFileNotFoundError,
        media="text/plain",
        headers={"X-Content-SHA256": "Of these bytes"},
    ),
)
def get_script(
    run_id: str, services: ServicesDep, download: Download = False
) -> Response:
    """Return the bytes that ran."""
    content, sha256 = services.runs.get_script_bytes(run_id)
    headers = {"X-Content-SHA256": sha256}
    if download:
        headers["Content-Disposition"] = f'attachment; filename="{run_id}.py"'
    return Response(content, headers=headers, media_type=TEXT_TYPE)


@router.get(
    "/api/runs/{run_id}/samples",
    name="get_samples",
    responses=answers("Samples", RunNotFoundError, RunFileNotFoundError),
)
def get_samples(
    run_id: str, services: ServicesDep, attempt: Attempt = None
) -> Response:
    """Return CPU and memory of an attempt over time, at most 1 000 points."""
    return json_answer(services.runs.get_samples(run_id, attempt))


@router.get(
    "/api/runs/{run_id}/outputs",
    name="list_outputs",
    responses=answers(array_of("Output"), RunNotFoundError),
)
def list_outputs(run_id: str, services: ServicesDep) -> Response:
    """Return the files that a run declared as its outputs."""
    return json_answer([dict(each) for each in services.runs.list_outputs(run_id)])


@router.get(
    "/api/runs/{run_id}/outputs/{name:path}",
    name="get_output",
    response_class=Response,
    responses=answers(
        BYTES_SHAPE,
        RunNotFoundError,
        OutputNotFoundError,
        media="application/octet-stream",
    ),
)
def get_output(run_id: str, name: str, services: ServicesDep) -> Response:
    """Return one output of a run as a file to be saved."""
    file = services.runs.open_output(run_id, name)
    headers = {"Content-Disposition": f'attachment; filename="{safe_file_name(name)}"'}
    return StreamingResponse(
        _iter_file(file), headers=headers, media_type="application/octet-stream"
    )


def safe_file_name(name: str) -> str:
    """Return the last part of ``name`` as plain ASCII that any header can hold."""
    last = name.rpartition("/")[2]
    plain = "".join(
        char if char.isascii() and (char.isalnum() or char in "._-") else "_"
        for char in last
    )
    return plain[:100] or "output"


def _iter_file(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
