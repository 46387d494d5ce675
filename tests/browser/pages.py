"""How a person uses the pages, in words."""

from playwright.sync_api import Locator, Page, expect


def open_runner(page: Page, query: str = "") -> None:
    """Open the Runner and wait until form and table are there."""
    page.goto(f"/{query}")
    expect(page.get_by_test_id("launch-submit")).to_be_visible()
    expect(page.get_by_test_id("live-state")).to_have_text("live")


def launch(page: Page, script: str, *, args: str = "") -> str:
    """Start a script by the form and return the run's id."""
    page.get_by_test_id("field-script_path").fill(script)
    page.get_by_test_id("field-args").fill(args)
    with page.expect_response("**/api/run") as answer:
        page.get_by_test_id("launch-submit").click()
    run_id: str = answer.value.json()["run_id"]
    expect(row(page, run_id)).to_be_visible()
    return run_id


def row(page: Page, run_id: str) -> Locator:
    """The row of a run."""
    return page.locator(f'[data-testid=run-row][data-run-id="{run_id}"]')


def expect_status(
    place: Locator | Page, status: str, detail: str | None = None
) -> None:
    """Wait until a run shows a status, and what it adds."""
    expect(place.get_by_test_id("run-status")).to_have_text(status)
    if detail is not None:
        expect(place.get_by_test_id("runner-status")).to_have_text(detail)


def open_group(page: Page, group: str) -> None:
    """Open a group of the launch form."""
    switch = page.get_by_test_id(f"group-{group}")
    if switch.get_attribute("aria-expanded") == "false":
        switch.click()
