"""axe finds nothing, in both themes, on a desktop and on a phone, dialogs included."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import open_group, open_runner
from tests.browser.watch import Watch
from tests.server import Server

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    }
}


@pytest.fixture(params=[1400, 390])
def page(
    request: pytest.FixtureRequest, browser: Browser, server: Server, watch: Watch
) -> Iterator[Page]:
    context = browser.new_context(
        base_url=server.url,
        viewport={"width": request.param, "height": 900},
        reduced_motion="reduce",
    )
    watch.over(context)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def runs(server: Server) -> dict[str, str]:
    """Runs of every look: finished, failed, coloured, cancelled, running."""
    made = {
        "failed": server.submit("fails.py", enable_visualizer=True),
        "coloured": server.submit("colours.py"),
        "cancelled": server.submit("wait.py"),
        "dry": server.submit("hello.py", dry_run=True),
    }
    server.client.post(f"/api/runs/{made['cancelled']}/cancel")
    for run_id in made.values():
        server.wait_finished(run_id)
    return made


def expect_nothing_found(page: Page) -> None:
    """Let axe look at the page in both themes."""
    found = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        results = Axe().run(page, options=RULES)
        found += [
            f"{theme} {each['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for each in results.response["violations"]
            for node in each["nodes"][:3]
        ]
    assert not found, "\n".join(found)


def expect_no_sideways_scroll(page: Page) -> None:
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def test_runner(page: Page, runs: dict[str, str]) -> None:  # noqa: ARG001
    open_runner(page)
    expect(page.get_by_test_id("run-row").first).to_be_visible()
    for group in ("script", "limits", "retry", "report"):
        open_group(page, group)
    page.get_by_test_id("field-retry_on_failure").check()
    page.get_by_test_id("env-add").click()
    page.get_by_test_id("run-select").first.check()
    expect_nothing_found(page)
    expect_no_sideways_scroll(page)
    page.get_by_test_id("launch-submit").click()
    page.get_by_role("button", name="More for").first.click()
    expect(page.get_by_test_id("run-delete")).to_be_visible()
    expect_nothing_found(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("bulk-delete").click()
    expect(page.get_by_test_id("dialog")).to_be_visible()
    expect_nothing_found(page)


def show_help(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_test_id("dialog")).to_be_visible()


def search_log(page: Page) -> None:
    page.get_by_test_id("log-search").fill("row 1")
    expect(page.get_by_test_id("log-hits")).to_contain_text("of")


def stay(page: Page) -> None:
    """Look at the page as it is."""


PLACES: list[tuple[str, str, Callable[[Page], None]]] = [
    ("failed", "log", search_log),
    ("failed", "steps", stay),
    ("failed", "events", stay),
    ("failed", "details", show_help),
    ("coloured", "log", stay),
    ("dry", "details", stay),
]


@pytest.mark.parametrize(("run", "tab", "prepare"), PLACES)
def test_page_of_a_run(
    page: Page,
    runs: dict[str, str],
    run: str,
    tab: str,
    prepare: Callable[[Page], None],
) -> None:
    page.goto(f"/runs/{runs[run]}/{tab}")
    expect(page.get_by_test_id("run-status")).to_be_visible()
    expect(page.get_by_test_id("skeleton")).to_have_count(0)
    prepare(page)
    expect_nothing_found(page)
    expect_no_sideways_scroll(page)
