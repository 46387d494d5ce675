"""Routes whose endpoint takes the request and nothing else.

FastAPI's injection costs a third of a millisecond a call, as much as a commit. The calls
that come by the hundred a second do without it; they stand in ``/openapi.json`` like all
others, described by hand.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from scriptrunner.web.deps import guard


class PlainRoute(APIRoute):
    """A route of an ``async`` endpoint that takes the request; guarded like the others."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request: the guard, then the endpoint."""
        endpoint = cast("Callable[[Request], Awaitable[Response]]", self.endpoint)

        async def answer(request: Request) -> Response:
            await guard(request)
            return await endpoint(request)

        return answer
