"""What is muted: of which scripts and rules nobody is told for a time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from scriptrunner.alerts.errors import MuteNotFoundError
from scriptrunner.alerts.models import Mute
from scriptrunner.alerts.representation import mute_to_json
from scriptrunner.clock import to_text
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, array_of
from scriptrunner.web.requests import read_json
from scriptrunner.web.routes.library_roots import BODY_ERRORS
from scriptrunner.web.routes.runs import MAX_LIMIT, MAX_OFFSET
from scriptrunner.web.routes.tasks import body_of
from scriptrunner.web.schemas.mutes import MuteRequest
from scriptrunner.web.schemas.run_request import validate

router = APIRouter(tags=["alerts"])


@router.get(
    "/api/alerts/mutes",
    name="list_mutes",
    responses=answers(
        array_of("AlertMute"),
        headers={"X-Total-Count": "How many there are, whatever limit and offset"},
    ),
)
def list_mutes(
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Response:
    """Return what is muted now, that which ends first at the top."""
    page = services.alerts.mutes.list_mutes(limit=limit, offset=offset)
    items = [mute_to_json(each) for each in page.items]
    return json_answer(items, headers={"X-Total-Count": str(page.total)})


async def read_mute(request: Request) -> MuteRequest:
    """Return what the body asks to mute."""
    return validate(MuteRequest, await read_json(request))


@router.post(
    "/api/alerts/mutes",
    name="mute_alerts",
    status_code=201,
    responses=answers("AlertMute", *BODY_ERRORS, status=201),
    openapi_extra=body_of("MuteRequest"),
)
def mute_alerts(
    actor: ActorDep, body: Annotated[MuteRequest, Depends(read_mute)]
) -> Response:
    """Mute a script or one of its rules; what is muted already gets the new time."""
    mute = actor.services.alerts.mutes.mute(
        body.script_path,
        rule=body.rule,
        condition=body.condition,
        duration_seconds=body.duration_seconds,
        note=body.note,
        principal=actor.principal,
    )
    end = "unmuted" if mute.until is None else to_text(mute.until)
    actor.note(f"mute {mute.id} until {end}: {_describe(mute)}")
    return json_answer(mute_to_json(mute), status=201)


@router.delete(
    "/api/alerts/mutes/{mute_id}",
    name="unmute_alerts",
    responses=answers("Unmuted", MuteNotFoundError),
)
def unmute_alerts(
    mute_id: Annotated[int, Path(description="Number of the mute")], actor: ActorDep
) -> Response:
    """Have alerts delivered again; what was held back meanwhile is not sent."""
    mute = actor.services.alerts.mutes.unmute(mute_id)
    actor.note(f"unmute {mute.id}: {_describe(mute)}")
    return json_answer({"success": True})


def _describe(mute: Mute) -> str:
    """Return what is muted, for the audit trail."""
    parts = [("rule", mute.rule), ("condition", mute.condition)]
    named = [f"{what} {text}" for what, text in parts if text is not None]
    return ", ".join([mute.script_path, *named])
