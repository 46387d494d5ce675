"""The addresses of the dashboard's pages, and the mailbox for policy violations."""

import json
import logging
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from scriptrunner.errors import TooLargeError, UnsupportedMediaTypeError
from scriptrunner.web.page import PAGES, page_response

logger = logging.getLogger(__name__)
router = APIRouter(tags=["dashboard"])

#: Largest report that is read, in bytes; real ones have about 1 KiB.
REPORT_BYTES = 8 * 1024
#: Reports logged per minute and worker; the rest is dropped, so that no page can
#: fill the log.
REPORTS_PER_MINUTE = 30
REPORT_TYPES = ("application/csp-report", "application/reports+json")


@router.get("/", name="dashboard", response_class=HTMLResponse)
def get_dashboard(request: Request) -> Response:
    """The dashboard: launch scripts and watch runs."""
    return page_response(request)


def get_page(request: Request) -> Response:
    """Any other page: the shell is the same, and the page reads its own address."""
    return page_response(request)


for _page in PAGES:
    for _path in _page.routes:
        if _path != "/":
            # Two routes never share a name: it is what permissions go by.
            _suffix = "_tab" if _path.endswith("/{tab}") else ""
            router.add_api_route(
                _path,
                get_page,
                name=f"page_{_page.name}{_suffix}",
                include_in_schema=False,
            )


@router.post(
    "/api/csp-report",
    name="csp_report",
    status_code=204,
    responses={413: {"description": "Too large"}, 415: {"description": "Not a report"}},
)
async def post_csp_report(request: Request) -> Response:
    """Take a browser's report that a page broke its content security policy."""
    if request.headers.get("content-type", "").partition(";")[0] not in REPORT_TYPES:
        raise UnsupportedMediaTypeError("A report is application/csp-report")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > REPORT_BYTES:
            raise TooLargeError(f"A report has at most {REPORT_BYTES} bytes")
    if _log_allowance.take():
        logger.warning(
            "Content security policy violated: %s",
            summary_of(body),
            extra={"action": "csp_violated"},
        )
    return Response(status_code=204)


def summary_of(body: bytes) -> str:
    """Return what a report complains of, on one line, at most 400 characters."""
    try:
        report: Any = json.loads(body)
    except ValueError:
        return "unreadable report"
    if isinstance(report, list):
        report = report[0] if report else {}
    if isinstance(report, dict):
        report = report.get("csp-report") or report.get("body") or report
    if not isinstance(report, dict):
        return "unreadable report"
    wanted = ("directive", "blocked", "source-file", "sourceFile", "line", "sample")
    parts = {
        str(name): str(value)[:120]
        for name, value in report.items()
        if any(each in str(name) for each in wanted)
    }
    return json.dumps(parts)[:400]


class _Allowance:
    """Lets a number of things pass per minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._minute = 0
        self._taken = 0

    def take(self) -> bool:
        """Say whether one more may pass now."""
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._taken = minute, 0
        self._taken += 1
        return self._taken <= self.per_minute


_log_allowance = _Allowance(REPORTS_PER_MINUTE)
