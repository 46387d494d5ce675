"""The web application: routes behind the gate, and the lifespan around both.

Making one has no effects: services are built in the lifespan, or at the first request.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import Receive, Scope, Send

from scriptrunner import __version__
from scriptrunner.access.roles import check_routes
from scriptrunner.engine.kernel import return_free_memory
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.settings import Settings
from scriptrunner.web.deps import GUARDS
from scriptrunner.web.edge import SecurityHeaders
from scriptrunner.web.errors import (
    ErrorBoundary,
    answer_known_error,
    answer_malformed,
    answer_plain_error,
)
from scriptrunner.web.figures import Figures
from scriptrunner.web.gate import Gate
from scriptrunner.web.parent import end_with_parent
from scriptrunner.web.request_id import RequestId
from scriptrunner.web.routes import (
    access,
    alerts,
    analytics,
    benchmarks,
    control,
    core,
    dashboard,
    history,
    library,
    library_roots,
    library_tags,
    login,
    logs,
    long_logs,
    me,
    mutes,
    run_views,
    runs,
    scheduler,
    start,
    streams,
    task_files,
    tasks,
)
from scriptrunner.web.runtime import Runtime

DESCRIPTION = (
    "Runs Python scripts, keeps every run alive, and keeps its output and its cost. "
    "Callers on the same machine need no token; others send a bearer token."
)
#: Those that are asked most often come first.
ROUTERS = (
    start.plain_router,
    runs.router,
    run_views.router,
    long_logs.router,
    start.router,
    control.router,
    logs.router,
    streams.router,
    core.router,
    me.router,
    alerts.router,
    mutes.router,
    analytics.router,
    history.router,
    benchmarks.router,
    library.router,
    library_roots.router,
    library_tags.router,
    tasks.router,
    task_files.router,
    scheduler.router,
    access.router,
    dashboard.router,
    login.router,
)


class Application(FastAPI):
    """The application; it remembers the connection that each request came by."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Only here is ``send`` the server's own. uvicorn's belongs to an object that has
        the connection's transport, which drops a reader that takes nothing; other
        servers have None there.
        """
        if scope["type"] == "http":
            transport = getattr(getattr(send, "__self__", None), "transport", None)
            scope.setdefault("state", {})["transport"] = transport
        await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return a web application.

    Args:
        settings: Those in force; by default those of the environment, read at the first
            use.

    Raises:
        MissingPermissionError: If a route has no permission.
    """
    runtime = Runtime(settings)
    app = Application(
        title="Script Runner",
        description=DESCRIPTION,
        version=__version__,
        # Both would load code from elsewhere; the document is a route of our own.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        lifespan=lifespan,
        exception_handlers={
            ScriptRunnerError: answer_known_error,
            RequestValidationError: answer_malformed,
            HTTPException: answer_plain_error,
        },
        middleware=[
            Middleware(RequestId),
            Middleware(SecurityHeaders),
            Middleware(ErrorBoundary),
            Middleware(Gate, runtime=runtime),
        ],
    )
    for router in ROUTERS:
        app.include_router(router, dependencies=GUARDS)
    check_routes(route_names(app))
    app.state.runtime = runtime
    app.state.figures = Figures(runtime)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def route_names(app: FastAPI) -> list[str]:
    """Return the names of all routes of ``app``, hidden ones included."""
    return [str(context.name) for context in iter_route_contexts(app.routes)]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Build everything, look after the supervisor, and let go of both at the end."""
    runtime: Runtime = app.state.runtime
    runtime.ending.renew()
    await run_in_threadpool(runtime.open)
    runtime.services.election.start()
    runtime.workers.enter()
    end_with_parent()
    return_free_memory()
    with runtime.ending.heard_by_signals():
        async with runtime.bell.listening():
            yield
        runtime.ending.begin()
    await run_in_threadpool(runtime.close)
