"""The gate: builds the application's parts at the first request and guards the way in."""

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from scriptrunner.access.answers import App
from scriptrunner.web.assets import Assets
from scriptrunner.web.edge import StaticFiles
from scriptrunner.web.login_page import render_refusal
from scriptrunner.web.runtime import Runtime


class Gate:
    """Puts protected mode and limits in front of the application; plain ASGI."""

    def __init__(self, app: ASGIApp, *, runtime: Runtime) -> None:
        """Guard ``app``; nothing is built yet."""
        self.app = app
        self._runtime = runtime
        self._guarded: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let known callers through."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if self._guarded is None or not self._runtime.is_open:
            self._guarded = await run_in_threadpool(self._build)
        await self._guarded(scope, receive, send)

    def _build(self) -> App:
        assets = Assets(development=self._runtime.settings.development)
        inner = StaticFiles(self.app, assets)
        return self._runtime.wall_around(inner, login_page=render_refusal).app
