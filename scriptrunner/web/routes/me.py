"""``GET /api/me``: who the caller is to the service, and what they may do."""

from fastapi import APIRouter
from starlette.responses import Response

from scriptrunner.access.roles import list_permissions
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ActorDep
from scriptrunner.web.describe import answers

router = APIRouter(tags=["core"])


@router.get("/api/me", name="get_me", responses=answers("Me"))
async def get_me(actor: ActorDep) -> Response:
    """Return the caller's name, role and permissions."""
    caller = actor.caller
    return json_answer(
        {
            "principal": caller.principal,
            "role": caller.role.value,
            "permissions": [each.value for each in list_permissions(caller)],
            "local": caller.is_local,
        }
    )
