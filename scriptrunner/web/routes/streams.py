"""Live streams: the output of one run, and all that the dashboard watches."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.web.change_stream import ChangeStream
from scriptrunner.web.deps import Actor, ActorDep, FiguresDep, RuntimeDep
from scriptrunner.web.describe import answers
from scriptrunner.web.log_stream import LogStream, parse_position
from scriptrunner.web.sse import EventStream
from scriptrunner.web.topics import parse_topics
from scriptrunner.web.workers import TooManyStreamsError

router = APIRouter(tags=["streams"])

#: One server-sent event of a stream.
STREAM_SHAPE = {
    "type": "object",
    "properties": {
        "event": {"type": "string"},
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}


@router.get(
    "/api/runs/{run_id}/logs/stream",
    name="stream_logs",
    response_class=Response,
    responses=answers(
        STREAM_SHAPE,
        RunNotFoundError,
        TooManyStreamsError,
        media="text/event-stream",
        words="`output` with `{stream, offset, next, text}`, `attempt`, at last `end`",
    ),
)
async def stream_logs(
    run_id: str,
    runtime: RuntimeDep,
    actor: ActorDep,
    stream: Literal["stdout", "stderr", "both"] = "both",
    last_event_id: Annotated[
        str | None, Header(description="Id of the last message that was read")
    ] = None,
) -> Response:
    """Send the output of a run from its first byte to its end, while it is written."""
    await run_in_threadpool(runtime.services.runs.get_outcome, run_id)
    streams = ("stdout", "stderr") if stream == "both" else (stream,)
    log = LogStream(
        runtime, run_id, streams=streams, position=parse_position(last_event_id)
    )
    slot = runtime.workers.stream(actor.principal)
    return EventStream(
        log.produce, slot=slot, ending=runtime.ending, may_stay=_check_of(actor)
    )


@router.get(
    "/api/stream",
    name="stream_changes",
    response_class=Response,
    responses=answers(
        STREAM_SHAPE,
        RunNotFoundError,
        TooManyStreamsError,
        media="text/event-stream",
        words="`run`, `deleted`, `output`, `attempt`, `end`, `queue`, `system`, "
        "`alert`, `reset`; "
        "each names its `topic` and `offset`",
    ),
)
async def stream_changes(
    runtime: RuntimeDep,
    figures: FiguresDep,
    actor: ActorDep,
    topic: Annotated[
        list[str],
        Query(
            description="runs, run:<id>, log:<id>:<stream>, queue, system or "
            "alerts; behind @ the offset to resume from"
        ),
    ],
) -> Response:
    """Send the changes of every topic that the query names, until the reader leaves."""
    topics = parse_topics(topic)
    newest = await run_in_threadpool(runtime.services.runs.current_change)
    changes = ChangeStream(runtime, figures, topics, newest=newest)
    slot = runtime.workers.stream(actor.principal)
    return EventStream(
        changes.produce, slot=slot, ending=runtime.ending, may_stay=_check_of(actor)
    )


def _check_of(actor: Actor) -> Callable[[], bool] | None:
    """Return what tells whether a caller is still welcome; None if it always is."""
    if actor.caller.token_id is None:
        return None
    return partial(actor.services.access.is_welcome, actor.caller)
