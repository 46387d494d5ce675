"""What the first visit costs: requests, bytes, time. Times have four times their budget,
since tests share the machine; numbers and bytes have none to spare."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.watch import Watch
from tests.server import Server

MODULES = 30
GZIP_BYTES = 120_000
FIRST_PAINT_MS = 600
WARM_PAINT_MS = 300
PATIENCE = 4

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
        found: dict[str, Any] = page.evaluate(LOOK)
        return found

    cold = visit()
    early = [each for each in cold["modules"] if each["at"] <= cold["stands"]]
    assert len(early) <= MODULES, [each["name"] for each in early]
    assert sum(each["bytes"] for each in cold["modules"]) <= GZIP_BYTES
    assert cold["paint"] <= FIRST_PAINT_MS * PATIENCE
    warm = visit()
    assert warm["paint"] <= WARM_PAINT_MS * PATIENCE
    context.close()
    watch.check()
