"""What the first visit costs: requests, bytes, time. Times have four times their budget,
since tests share the machine; numbers and bytes have none to spare."""

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watch import Watch
from tests.server import Server

#: Modules until the page stands: what the reader waits for.
MODULES = 30
#: Modules until nothing more is fetched, the launch form with all its fields included.
ALL_MODULES = 50
GZIP_BYTES = 120_000
FIRST_PAINT_MS = 600
WARM_PAINT_MS = 300
PATIENCE = 4
#: Seconds without a request after which nothing more is expected.
QUIET_SECONDS = 0.8

#: Modules with their bytes on the wire and when they were asked for, and moments in ms.
LOOK = """() => {
    const resources = performance.getEntriesByType('resource');
    return {
        modules: resources.filter(({ name }) => new URL(name).pathname.endsWith('.js'))
            .map(({ name, startTime, encodedBodySize }) => ({ name, at: startTime, bytes: encodedBodySize })),
        stands: performance.getEntriesByName('page-stands')[0].startTime,
        paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    };
}"""


def wait_until_quiet(page: Page) -> None:
    """Wait until nothing was fetched for a while; the stream of changes never ends."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_SECONDS:
        now = page.evaluate("performance.getEntriesByType('resource').length")
        if now != seen:
            seen, since = now, time.monotonic()
        page.wait_for_timeout(50)


@pytest.mark.timeout(60)
def test_first_visit_keeps_its_budgets(browser: Browser, server: Server) -> None:
    """The watch sees to foreign requests, console errors and policy reports."""
    server.wait_finished(server.submit("hello.py"))
    watch = Watch()
    context = browser.new_context(base_url=server.url)
    watch.over(context)
    page = context.new_page()

    def visit() -> dict[str, Any]:
        page.goto("/")
        expect(page.get_by_test_id("run-row").first).to_be_visible()
        expect(page.get_by_test_id("launch-submit")).to_be_visible()
        expect(page.get_by_test_id("live-state")).to_have_text("live")
        wait_until_quiet(page)
        found: dict[str, Any] = page.evaluate(LOOK)
        return found

    cold = visit()
    early = [each for each in cold["modules"] if each["at"] <= cold["stands"]]
    assert len(early) <= MODULES, [each["name"] for each in early]
    names = [each["name"] for each in cold["modules"]]
    assert len(names) <= ALL_MODULES, names
    assert sum(each["bytes"] for each in cold["modules"]) <= GZIP_BYTES
    assert cold["paint"] <= FIRST_PAINT_MS * PATIENCE
    warm = visit()
    assert warm["paint"] <= WARM_PAINT_MS * PATIENCE
    context.close()
    watch.check()
