"""Several tabs, one stream; and a service that goes away and comes back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.pages import expect_status, open_runner, row
from tests.browser.watch import Watch
from tests.server import Server, running_server


def open_streams(server: Server) -> int:
    count: int = server.client.get("/api/system/status").json()["streams"]["open"]
    return count


@pytest.mark.timeout(60)
def test_tabs_share_one_stream(context: BrowserContext, server: Server) -> None:
    server.wait_finished(server.submit("hello.py"))
    before = open_streams(server)
    # With the log eight: more than a browser has connections to one host.
    tabs = [context.new_page() for _ in range(7)]
    for tab in tabs:
        tab.goto("/runs")
        expect(tab.get_by_test_id("live-state")).to_have_text("live")
    run_id = server.submit("wait.py")
    for tab in tabs:
        tab.get_by_test_id("new-rows").click()
        expect_status(row(tab, run_id), "running")
    log = context.new_page()
    log.goto(f"/runs/{run_id}")
    expect(log.locator(".log-text")).to_have_text(["waiting"])
    assert open_streams(server) == before + 1
    row(tabs[0], run_id).get_by_test_id("run-stop").click()
    for tab in tabs:
        expect_status(row(tab, run_id), "cancelled", "stopped")
    expect_status(log, "cancelled", "stopped")


def test_choice_of_theme_reaches_the_other_tab(context: BrowserContext) -> None:
    one, other = context.new_page(), context.new_page()
    open_runner(one)
    open_runner(other)
    one.get_by_test_id("theme-toggle").click()
    one.get_by_test_id("theme-toggle").click()
    for tab in (one, other):
        expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    other.reload(wait_until="commit")
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")


def test_browser_without_shared_workers_is_live_too(
    context: BrowserContext, server: Server
) -> None:
    context.add_init_script("delete globalThis.SharedWorker")
    page = context.new_page()
    open_runner(page)
    run_id = server.submit("hello.py")
    # The list may just be loading once more, now that the stream is open.
    pill = page.get_by_test_id("new-rows")
    expect(pill.or_(row(page, run_id))).to_be_visible()
    if pill.is_visible():
        pill.click()
    expect_status(row(page, run_id), "completed")


def test_restart_of_the_service_under_an_open_page(
    browser: Browser, tmp_path: Path
) -> None:
    """The page says that the service is gone, keeps everything, and catches up."""
    watch = Watch()
    watch.allow("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED")
    watch.allow("ERR_CONNECTION_RESET|Failed to load resource")
    with running_server(tmp_path) as server:
        server.write_script("hello.py", "print('hello')")
        server.write_script("wait.py", "import time\ntime.sleep(600)")
        context = browser.new_context(base_url=server.url)
        watch.over(context)
        page = context.new_page()
        waiting = server.submit("wait.py")
        open_runner(page)
        expect_status(row(page, waiting), "running")
        page.get_by_test_id("field-script_path").fill("hello.py")
        server.kill()
        page.get_by_test_id("launch-submit").click()
        expect(page.get_by_test_id("server-gone")).to_be_visible()
        expect(page.get_by_test_id("error-box")).to_contain_text("does not answer")
        expect(row(page, waiting)).to_be_visible()
        page.get_by_role("button", name="Try now").click()
        expect(page.get_by_test_id("server-gone")).to_be_visible()
        server.start()
        expect(page.get_by_test_id("server-gone")).to_be_hidden()
        expect(page.get_by_test_id("live-state")).to_have_text("live")
        expect(page.get_by_test_id("field-script_path")).to_have_value("hello.py")
        server.client.post(f"/api/runs/{waiting}/kill")
        expect_status(row(page, waiting), "cancelled", "killed")
        context.close()
    watch.check()


def test_failing_api_keeps_what_is_shown(
    page: Page, server: Server, watch: Watch
) -> None:
    watch.allow("503|Failed to load resource")
    run_id = server.submit("hello.py")
    server.wait_finished(run_id)
    open_runner(page)
    expect(row(page, run_id)).to_be_visible()
    page.route(
        "**/api/runs?*",
        lambda route: route.fulfill(
            status=503,
            json={"detail": "The database is busy", "code": "busy", "request_id": "x"},
        ),
    )
    page.get_by_test_id("filter-text").fill("hello")
    expect(page.get_by_text("The database is busy")).to_be_visible()
    expect(row(page, run_id)).to_be_visible()
    page.unroute("**/api/runs?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The database is busy")).to_be_hidden()
