"""What goes wrong in a browser without anybody seeing it."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError


class Watch:
    """Collects console errors, page errors, policy reports and foreign requests."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def over(self, context: BrowserContext) -> None:
        """Watch every page of ``context``."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)

    def allow(self, pattern: str) -> None:
        """Expect faults that match ``pattern``."""
        self._allowed.append(re.compile(pattern))

    def check(self) -> None:
        """Fail if anything happened that was not expected."""
        seen = [
            fault
            for fault in self.faults
            if not any(each.search(fault) for each in self._allowed)
        ]
        assert not seen, "\n".join(seen)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self.faults.append(f"console {message.type}: {message.text} ({where})")

    def _on_error(self, error: WebError) -> None:
        self.faults.append(f"page error: {error.error}")

    def _on_request(self, request: Request) -> None:
        if request.url.endswith("/api/csp-report"):
            self.faults.append(f"policy report: {request.post_data}")
        elif not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.faults.append(f"foreign request: {request.url}")
