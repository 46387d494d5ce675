"""What routes get handed in: the caller, the services, checked headers and paths.

All are ``async`` and do no work that waits, so that they need no thread of their own.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from scriptrunner.access.models import Caller, ForbiddenError
from scriptrunner.access.roles import permission_for, require_permission
from scriptrunner.application.services import Services
from scriptrunner.errors import MalformedInputError
from scriptrunner.web.figures import Figures
from scriptrunner.web.request_id import get_request_id
from scriptrunner.web.runtime import Runtime

#: Methods whose unknown query parameters are refused: a typo must not change what is done.
WRITING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and the trail on which it is noted."""

    caller: Caller
    request_id: str
    permission: str
    services: Services
    #: Prefix below which the service is reached, ``""`` or such as ``/tools/runner``.
    root_path: str

    @property
    def principal(self) -> str:
        """The name that is stored with what is done."""
        return self.caller.principal

    def note(self, what: str) -> None:
        """Note in the audit trail that ``what`` (an id) was done."""
        self.services.access.audit.record(
            self.caller, self.permission, what, "allowed", self.request_id
        )


async def get_runtime(request: Request) -> Runtime:
    """Return what this application is made of."""
    runtime: Runtime = request.app.state.runtime
    return runtime


async def get_services(request: Request) -> Services:
    """Return the services, which the first request has built."""
    runtime: Runtime = request.app.state.runtime
    return runtime.services


async def get_actor(request: Request) -> Actor:
    """Return the caller that protected mode has found, for the matched route."""
    route: APIRoute = request.scope["route"]
    return Actor(
        caller=request.scope["state"]["caller"],
        request_id=get_request_id(request.scope),
        permission=permission_for(route.name),
        services=request.app.state.runtime.services,
        root_path=request.scope.get("root_path", "").rstrip("/"),
    )


async def guard(request: Request) -> None:
    """Let the caller pass if its role has the permission of the matched route.

    One dependency for all guards: each costs every request some microseconds.

    Raises:
        ForbiddenError: If it has not; the refusal is on the audit trail.
        MalformedInputError: If a writing call has query parameters that nobody knows.
    """
    route: APIRoute = request.scope["route"]
    permission = permission_for(route.name)
    caller = request.scope["state"]["caller"]
    try:
        require_permission(caller, permission)
    except ForbiddenError as error:
        audit = request.app.state.runtime.services.access.audit
        audit.count_refusal(
            caller, error.code, permission.value, get_request_id(request.scope)
        )
        raise
    if request.scope["query_string"] and request.method in WRITING_METHODS:
        refuse_unknown_query(request, route)


def refuse_unknown_query(request: Request, route: APIRoute) -> None:
    """Refuse query parameters that ``route`` does not have, with a fault for each."""
    known = {field.alias for field in route.dependant.query_params}
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise MalformedInputError(
            [
                {
                    "type": "extra_forbidden",
                    "loc": ["query", name],
                    "msg": f"{name[:100]} is not a parameter of this call",
                }
                for name in unknown
            ]
        )


async def get_figures(request: Request) -> Figures:
    """Return the figures that streams share."""
    figures: Figures = request.app.state.figures
    return figures


FiguresDep = Annotated[Figures, Depends(get_figures)]
RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
ServicesDep = Annotated[Services, Depends(get_services)]
ActorDep = Annotated[Actor, Depends(get_actor)]
#: Of every route, before anything else of it.
GUARDS = [Depends(guard)]
