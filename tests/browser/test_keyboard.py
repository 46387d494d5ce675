"""The main path without a mouse."""

import re

from playwright.sync_api import Page, expect

from tests.browser.pages import expect_status, open_runner, row
from tests.server import Server


def test_launch_and_stop_by_keyboard_alone(page: Page) -> None:
    open_runner(page)
    page.keyboard.press("n")
    page.keyboard.type("wait.py")
    with page.expect_response("**/api/run") as answer:
        page.keyboard.press("Enter")
    run_id = answer.value.json()["run_id"]
    expect_status(row(page, run_id), "running")
    page.keyboard.press("Escape")
    page.get_by_test_id("field-script_path").evaluate("input => input.blur()")
    page.keyboard.press("j")
    expect(row(page, run_id)).to_be_focused()
    page.keyboard.press("s")
    expect_status(row(page, run_id), "cancelled", "stopped")
    expect(row(page, run_id)).to_be_focused()


def test_stop_by_tabbing_to_its_button(page: Page, server: Server) -> None:
    run_id = server.submit("wait.py")
    open_runner(page)
    expect_status(row(page, run_id), "running")
    row(page, run_id).get_by_test_id("run-details").focus()
    page.keyboard.press("Tab")
    expect(row(page, run_id).get_by_test_id("run-stop")).to_be_focused()
    page.keyboard.press("Space")
    expect_status(row(page, run_id), "cancelled", "stopped")


def test_help_lists_what_works_here(page: Page) -> None:
    open_runner(page)
    page.keyboard.press("?")
    dialog = page.get_by_test_id("dialog")
    expect(dialog).to_contain_text("Search the runs")
    expect(dialog).not_to_contain_text("Follow the end")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_dialog_takes_keys_from_its_first_moment(page: Page) -> None:
    """Escape was lost when it came between a dialog's insertion and its opening."""
    open_runner(page)
    page.evaluate(
        """() => {
          globalThis.opened = [];
          new MutationObserver(() => {
            const dialog = document.querySelector('dialog');
            if (dialog) opened.push(dialog.open);
          }).observe(document.body, { childList: true, subtree: true });
        }"""
    )
    page.keyboard.press("?")
    expect(page.get_by_test_id("dialog")).to_be_visible()
    assert page.evaluate("opened[0]") is True


def test_letters_typed_into_a_field_are_text(page: Page) -> None:
    open_runner(page)
    page.keyboard.press("/")
    expect(page.get_by_test_id("filter-text")).to_be_focused()
    page.keyboard.type("njk?")
    expect(page.get_by_test_id("filter-text")).to_have_value("njk?")
    expect(page.get_by_test_id("dialog")).to_have_count(0)


def test_keys_can_be_switched_off(page: Page) -> None:
    open_runner(page)
    page.keyboard.press("?")
    page.get_by_text("Use these keys").click()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_test_id("filter-text")).not_to_be_focused()


def test_keys_of_the_page_of_a_run(page: Page, server: Server) -> None:
    run_id = server.submit("hello.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_test_id("log-view")).to_be_visible()
    page.keyboard.press("v")
    expect(page).to_have_url(re.compile("/events$"))
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("/details$"))
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("/log$"))
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page.get_by_test_id("launch-form")).to_be_visible()


def test_focus_goes_to_the_heading_of_a_new_page(page: Page, server: Server) -> None:
    run_id = server.submit("hello.py")
    open_runner(page)
    row(page, run_id).get_by_test_id("run-logs").click()
    expect(page.get_by_role("heading", name="hello.py")).to_be_focused()


def test_dialog_keeps_the_focus_and_gives_it_back(page: Page, server: Server) -> None:
    run_id = server.submit("wait.py")
    open_runner(page)
    expect_status(row(page, run_id), "running")
    kill = row(page, run_id).get_by_test_id("run-kill")
    kill.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("dialog-cancel")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body"
            " || document.querySelector('dialog').contains(document.activeElement)"
        )
    page.keyboard.press("Escape")
    expect(kill).to_be_focused()
    server.client.post(f"/api/runs/{run_id}/kill")
