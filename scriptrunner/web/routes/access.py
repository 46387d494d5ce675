"""Tokens and the audit trail: who may come in, and who did what."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from scriptrunner.access.models import AuditFilter, Role, TokenNotFoundError
from scriptrunner.errors import UnsupportedMediaTypeError
from scriptrunner.web.answers import json_answer
from scriptrunner.web.body import BodyTooLargeError
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, ref
from scriptrunner.web.requests import read_json
from scriptrunner.web.routes.runs import Text
from scriptrunner.web.schemas.access import TokenRequest, token_to_json
from scriptrunner.web.schemas.run_request import validate
from scriptrunner.web.times import Since, Until

router = APIRouter(tags=["access"])

#: Lines of one page of the audit trail.
MAX_LINES = 200
#: Largest number of a line that the database takes.
MAX_NUMBER = 2**63 - 1


@router.get("/api/tokens", name="list_tokens", responses=answers("Tokens"))
def list_tokens(services: ServicesDep) -> Response:
    """Return all tokens, oldest first; never their secrets."""
    now = services.clock.utc_now()
    found = [token_to_json(each, now) for each in services.access.list_tokens()]
    return json_answer({"tokens": found, "count": len(found)})


async def read_token_request(request: Request) -> TokenRequest:
    """Return what token the body asks for."""
    return validate(TokenRequest, await read_json(request))


@router.post(
    "/api/tokens",
    name="create_token",
    status_code=201,
    responses=answers(
        "TokenMade", BodyTooLargeError, UnsupportedMediaTypeError, status=201
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("TokenRequest")}},
        }
    },
)
def create_token(
    actor: ActorDep, wanted: Annotated[TokenRequest, Depends(read_token_request)]
) -> Response:
    """Make a token; this answer is the only time its text is shown."""
    made = actor.services.access.create_token(
        caller=actor.caller,
        name=wanted.name,
        role=Role(wanted.role),
        scope=wanted.event,
        expires_at=wanted.expires,
    )
    body = {
        "id": made.id,
        "name": made.name,
        "role": wanted.role,
        "expires_at": made.expires_at,
        "token": made.text,
    }
    return json_answer(body, status=201, headers={"Cache-Control": "no-store"})


@router.delete(
    "/api/tokens/{token_id}",
    name="revoke_token",
    responses=answers("TokenRevoked", TokenNotFoundError),
)
def revoke_token(token_id: str, actor: ActorDep) -> Response:
    """Make a token worthless and end its logins, at once on every worker."""
    actor.services.access.revoke_token(token_id, caller=actor.caller)
    return json_answer({"success": True})


async def read_audit_filter(
    principal: Annotated[Text, Query(description="Exactly this caller")] = None,
    action: Annotated[
        Text, Query(description="An action, or the first part of several: `run`")
    ] = None,
    decision: Annotated[
        Text, Query(description="`allowed`, `refused` or `failed`")
    ] = None,
    q: Annotated[Text, Query(description="Part of object, peer or request id")] = None,
    since: Since = None,
    until: Until = None,
) -> AuditFilter:
    """Return what the query of the audit trail asks for."""
    return AuditFilter(
        principal=principal or None,
        action=action or None,
        decision=decision or None,
        text=q or None,
        since=since,
        until=until,
    )


@router.get("/api/audit", name="list_audit", responses=answers("AuditLines"))
def list_audit(
    services: ServicesDep,
    wanted: Annotated[AuditFilter, Depends(read_audit_filter)],
    limit: Annotated[int, Query(ge=1, le=MAX_LINES)] = 50,
    before: Annotated[
        int | None,
        Query(ge=1, le=MAX_NUMBER, description="Only lines with a smaller number"),
    ] = None,
) -> Response:
    """Return who asked for what, newest first."""
    page = services.access.find_audit_page(wanted, limit=limit, before=before)
    items = [
        {
            "id": number,
            "at": entry.at,
            "principal": entry.principal,
            "peer": entry.peer,
            "action": entry.action,
            "object": entry.object,
            "decision": entry.decision,
            "request_id": entry.request_id,
            "count": entry.count,
        }
        for number, entry in page.rows
    ]
    return json_answer(
        {"items": items, "count": len(items), "next_before": page.next_before}
    )
