"""axe finds nothing, in both themes, on a desktop and on a phone, dialogs included."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.accessibility import (
    COLOURS,
    RULES,
    expect_nothing_found,
    find_faults,
)
from tests.browser.pages import open_runner
from tests.browser.shots import keep_picture
from tests.server import Server, wait_for

#: CSS pixels: a desktop, a small window, a small phone.
DESKTOP, WINDOW, PHONE = 1400, 1000, 360


@pytest.fixture(scope="module")
def runs(server: Server) -> dict[str, str]:
    """Runs of every look: finished, failed, coloured, cancelled, running."""
    made = {
        "failed": server.submit(
            "fails.py",
            enable_visualizer=True,
            enable_code_analysis=True,
            performance_gates=[{"metric": "cpu_max", "max_value": 0}],
            alerts=[{"condition": "exit_code > 0", "channels": ["log"]}],
            enable_cost_tracking=True,
            junit_output="junit.xml",
        ),
        "measured": server.submit("measured.py", args=["1"]),
        "coloured": server.submit("colours.py"),
        "cancelled": server.submit("wait.py"),
        "dry": server.submit("hello.py", dry_run=True),
    }
    server.client.post(f"/api/runs/{made['cancelled']}/cancel")
    for run_id in made.values():
        server.wait_finished(run_id)
    return made


def expect_no_sideways_scroll(page: Page) -> None:
    """What is measured anew after a change of the width may take a frame to settle."""
    wait_for(
        lambda: page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ),
        what="a page that fits into its window",
    )


def expect_good_at_every_width(page: Page) -> None:
    expect_good_at(page, WINDOW)
    for width in (DESKTOP, PHONE):
        expect_good_at(page, width)
        expect_nothing_found(page)


def expect_good_at(page: Page, width: int) -> None:
    """Give the window that width: nothing is loading, nothing scrolls sideways."""
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.get_by_test_id("skeleton")).to_have_count(0)
    expect_no_sideways_scroll(page)
    if width == WINDOW:
        keep_picture(page, "light")


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page in which nothing moves, so that no colour is seen half way."""
    page = context.new_page()
    page.emulate_media(reduced_motion="reduce", color_scheme="light")
    return page


@pytest.mark.parametrize(
    ("rules", "expected"),
    [(RULES, ["button-name", "color-contrast"]), (COLOURS, ["color-contrast"])],
    ids=["all", "colours"],
)
def test_what_is_wrong_is_found(page: Page, rules: dict, expected: list[str]) -> None:
    """Or the tests of this file could not fail."""
    grey = "<p style='color: #ccc; background: #ddd'>faint</p>"
    page.set_content(f"<main><button></button>{grey}</main>{grey}")
    found = find_faults(page, rules, place="main")
    assert [each.partition(":")[0] for each in found] == expected


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("runs")
def test_runner(page: Page) -> None:
    open_runner(page)
    expect(page.get_by_test_id("run-row").first).to_be_visible()
    page.get_by_test_id("field-script_path").fill("")
    page.get_by_test_id("launch-submit").click()
    expect_good_at_every_width(page)


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("runs")
def test_selection_menu_and_question(page: Page) -> None:
    page.goto("/runs")
    page.get_by_test_id("run-select").first.check()
    page.get_by_role("button", name="More for").first.click()
    expect(page.get_by_test_id("run-delete")).to_be_visible()
    expect_nothing_found(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("bulk-delete").click()
    expect(page.get_by_test_id("dialog")).to_be_visible()
    expect_good_at_every_width(page)


@pytest.mark.usefixtures("runs")
def test_no_width_scrolls_sideways(page: Page) -> None:
    open_runner(page)
    for width in (350, 639, 640, 768, 899, 900, 979, 980, 1100, 1259):
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_test_id("run-row").first).to_be_visible()
        expect_no_sideways_scroll(page)


@pytest.mark.timeout(60)
def test_whole_launch_form(page: Page) -> None:
    page.goto("/launch")
    page.get_by_test_id("field-retry_on_failure").check()
    for button in ("env-add", "performance_gates-add", "alerts-add"):
        page.get_by_test_id(button).click()
    expect_good_at_every_width(page)


def show_help(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_test_id("dialog")).to_be_visible()


def show_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()


def search_log(page: Page) -> None:
    page.get_by_test_id("log-search").fill("row 1")
    expect(page.get_by_test_id("log-hits")).to_contain_text("of")
    page.get_by_test_id("log-filter").select_option("3")


def see_chart(page: Page) -> None:
    expect(page.locator("canvas").first).to_be_visible()


def stay(page: Page) -> None:
    """Look at the page as it is."""


#: Address (names in braces are runs), and what is done there first.
PLACES: list[tuple[str, Callable[[Page], None]]] = [
    ("/runs/{failed}/log", search_log),
    ("/runs/{failed}/steps", show_palette),
    ("/runs/{failed}/events", stay),
    ("/runs/{failed}/details", show_help),
    ("/runs/{failed}/checks", stay),
    ("/runs/{failed}/source", stay),
    ("/runs/{measured}/metrics", see_chart),
    ("/runs/{coloured}/log", stay),
    ("/runs/{dry}/details", stay),
    ("/compare?a={failed}&b={measured}", see_chart),
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("address", "prepare"), PLACES)
def test_page_of_a_run(
    page: Page,
    runs: dict[str, str],
    address: str,
    prepare: Callable[[Page], None],
) -> None:
    page.goto(address.format(**runs))
    expect(page.get_by_test_id("run-status").first).to_be_visible()
    expect(page.get_by_test_id("skeleton")).to_have_count(0)
    prepare(page)
    expect_good_at_every_width(page)
