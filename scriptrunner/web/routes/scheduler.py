"""What the scheduler sees and is told: what is due, events, previews, graph, calendar."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from scriptrunner.access.models import ForbiddenError, Role
from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.errors import (
    IdempotencyConflictError,
    InvalidIdempotencyKeyError,
)
from scriptrunner.scheduler.checking import list_faults
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.preview import preview
from scriptrunner.scheduler.representation import event_to_json
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, array_of
from scriptrunner.web.requests import find_key, read_json
from scriptrunner.web.routes.start import KEY_PARAMETER, QUEUE_ERRORS
from scriptrunner.web.routes.tasks import BODY_ERRORS, body_of, read_optional
from scriptrunner.web.schemas.run_request import validate
from scriptrunner.web.schemas.task import EventRequest, PreviewRequest
from scriptrunner.web.times import Since, Until

router = APIRouter(tags=["scheduler"])

LAST_DAY = datetime(9999, 12, 30, tzinfo=UTC)
#: Days of one calendar.
MAX_DAYS = 62


@router.get("/api/scheduler/due", name="list_due_tasks", responses=answers("DueTasks"))
def list_due_tasks(services: ServicesDep) -> Response:
    """Return tasks whose time has come and that wait for something."""
    found = services.tasks.views.list_due()
    return json_answer({"due_tasks": found, "count": len(found)})


@router.get(
    "/api/scheduler/events",
    name="list_task_events",
    responses=answers(array_of("Event")),
)
def list_task_events(services: ServicesDep) -> Response:
    """Return every event that somebody listens to or has fired."""
    return json_answer([event_to_json(e) for e in services.tasks.events.list_events()])


async def read_event(request: Request) -> EventRequest:
    """Return what comes with the event, if anything does."""
    return validate(EventRequest, await read_optional(request))


@router.post(
    "/api/scheduler/events/{event_name}",
    name="fire_event",
    responses=answers(
        "EventFired",
        InvalidIdempotencyKeyError,
        IdempotencyConflictError,
        *BODY_ERRORS,
        *QUEUE_ERRORS,
        headers={
            "Idempotency-Replayed": "`true` if an earlier request with this key fired it"
        },
    ),
    openapi_extra={
        **body_of("EventRequest", required=False),
        "parameters": [KEY_PARAMETER],
    },
)
def fire_event(
    event_name: str,
    request: Request,
    actor: ActorDep,
    body: Annotated[EventRequest, Depends(read_event)],
) -> Response:
    """Fire an event: every task that listens to it starts, or waits for others first."""
    caller = actor.caller
    if caller.role is Role.EVENT and caller.scope != event_name:
        raise ForbiddenError(f"This token may only fire the event {caller.scope}")
    answer = actor.services.tasks.events.fire(
        event_name,
        payload=body.payload,
        principal=actor.principal,
        idempotency=find_key(request, [event_name, body.payload]),
    )
    if not answer.replayed:
        actor.note(event_name)
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return json_answer(answer.to_json(), headers=headers)


async def read_preview(request: Request) -> PreviewRequest:
    """Return the times to look at."""
    return validate(PreviewRequest, await read_json(request))


@router.post(
    "/api/scheduler/preview",
    name="preview_schedule",
    responses=answers("SchedulePreview", *BODY_ERRORS),
    openapi_extra=body_of("PreviewRequest"),
)
def preview_schedule(
    services: ServicesDep, body: Annotated[PreviewRequest, Depends(read_preview)]
) -> Response:
    """Return the next times, and what clock changes do to them; nothing is stored."""
    values = body.model_dump(exclude={"count"})
    definition = TaskDefinition(task_id="preview", script_path="", **values)
    faults = list_faults(definition, {})
    if faults:
        raise MalformedInputError(faults)
    found = preview(definition, now=services.clock.utc_now(), count=body.count)
    return json_answer(
        {
            "description": found.description,
            "next_runs": list(found.next_runs),
            "local": list(found.local),
            "warnings": list(found.warnings),
        }
    )


@router.get(
    "/api/scheduler/graph", name="get_task_graph", responses=answers("TaskGraph")
)
def get_task_graph(services: ServicesDep) -> Response:
    """Return the tasks, and which waits for which."""
    return json_answer(services.tasks.views.draw_graph())


@router.get(
    "/api/scheduler/calendar",
    name="get_task_calendar",
    responses=answers("TaskCalendar"),
)
def get_task_calendar(
    services: ServicesDep, since: Since = None, until: Until = None
) -> Response:
    """Return what was decided and what is planned; by default for the next 24 hours."""
    begin = since or services.clock.utc_now()
    # Somewhat before the end of the calendar, so that a day more is still in it.
    end = until or min(begin, LAST_DAY) + timedelta(days=1)
    if not timedelta(0) < end - begin <= timedelta(days=MAX_DAYS):
        words = f"until must be later than since, by at most {MAX_DAYS} days"
        raise MalformedInputError(
            [{"type": "value_error", "loc": ["query", "until"], "msg": words}]
        )
    return json_answer(services.tasks.views.draw_calendar(begin, end))
