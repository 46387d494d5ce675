"""Run again with edits, favourites, JSON, dry run first, folders, and copies for elsewhere."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import expect_status, open_runner, row
from tests.server import Server


def get_field(page: Page, name: str):
    return page.get_by_test_id(f"field-{name}")


@pytest.fixture(scope="module")
def finished(server: Server) -> str:
    run_id = server.submit(
        "environment.py",
        args=["a b", ""],
        timeout=44,
        env_vars={"API_TOKEN": "hush-hush-hush", "STAGE": "test"},
    )
    server.wait_finished(run_id)
    return run_id


def test_edit_and_rerun_asks_for_what_is_hidden(
    page: Page, server: Server, finished: str
) -> None:
    page.goto(f"/runs/{finished}")
    expect_status(page, "completed")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(f"/launch\\?from={finished}"))
    expect(get_field(page, "script_path")).to_have_value("environment.py")
    expect(get_field(page, "timeout")).to_have_value("44")
    expect(get_field(page, "args")).to_have_value("'a b' ''")
    expect(page.get_by_test_id("launch-missing")).to_contain_text("API_TOKEN")
    page.get_by_test_id("launch-submit").click()
    expect(page.locator("#field-env_vars-fault")).to_contain_text("Type what is hidden")
    page.get_by_label("Value of API_TOKEN").fill("again-again")
    expect(page.get_by_test_id("launch-missing")).to_have_count(0)
    get_field(page, "timeout").fill("45")
    expect(page.get_by_test_id("launch-origin")).to_contain_text("timeout")
    with page.expect_response("**/api/run") as answer:
        page.get_by_test_id("launch-submit").click()
    run_id = answer.value.json()["run_id"]
    expect(page).to_have_url(re.compile(f"/runs/{run_id}/log"))
    record = server.wait_finished(run_id)
    assert record["request"]["timeout"] == 45
    assert record["request"]["args"] == ["a b", ""]
    assert json.loads(record["result"]["stdout"])[1] == "test"


def test_edited_upload_sends_its_file_again(page: Page, server: Server) -> None:
    answer = server.client.post(
        "/api/run/upload",
        files={"file": ("mine.py", b"import sys\nprint('mine', sys.argv[1:])\n")},
        data={"args": '["one"]'},
    )
    server.wait_finished(answer.json()["run_id"])
    page.goto(f"/launch?from={answer.json()['run_id']}")
    expect(page.locator(".file-pick")).to_contain_text("mine.py")
    get_field(page, "args").fill("two")
    with page.expect_response("**/api/run/upload") as response:
        page.get_by_test_id("launch-submit").click()
    record = server.wait_finished(response.value.json()["run_id"])
    assert record["result"]["stdout"] == "mine ['two']\n"


def test_favourite_fills_the_form(page: Page) -> None:
    open_runner(page)
    get_field(page, "script_path").fill("hello.py")
    get_field(page, "args").fill("x y")
    page.get_by_role("button", name="More for this form").click()
    page.get_by_test_id("favourite-save").click()
    page.get_by_test_id("favourite-name").fill("Greeting")
    page.get_by_test_id("favourite-confirm").click()
    page.get_by_role("button", name="More for this form").click()
    page.get_by_test_id("launch-reset").click()
    expect(get_field(page, "script_path")).to_have_value("")
    page.get_by_role("button", name="Favourites").click()
    page.get_by_role("menuitem", name="Greeting").click()
    expect(get_field(page, "script_path")).to_have_value("hello.py")
    expect(get_field(page, "args")).to_have_value("x y")


def test_request_can_be_edited_as_json(page: Page) -> None:
    open_runner(page)
    page.get_by_role("button", name="More for this form").click()
    page.get_by_test_id("launch-json").click()
    text = page.get_by_test_id("json-text")
    text.fill('{"script_path": "hello.py", "nonsense": 1}')
    expect(page.get_by_test_id("dialog")).to_contain_text("There is no option nonsense")
    text.fill('{"script_path": "hello.py", "timeout": 12, "args": ["q"]}')
    page.get_by_test_id("json-apply").click()
    expect(get_field(page, "timeout")).to_have_value("12")
    expect(get_field(page, "args")).to_have_value("q")


def test_dry_run_first_then_in_earnest(page: Page) -> None:
    open_runner(page)
    get_field(page, "script_path").fill("hello.py")
    page.get_by_test_id("launch-dry").click()
    expect(page.get_by_test_id("plan")).to_contain_text("nothing was started")
    expect(page.get_by_test_id("plan")).to_contain_text("hello.py")
    with page.expect_response("**/api/run") as answer:
        page.get_by_test_id("plan-start").click()
    run_id = answer.value.json()["run_id"]
    expect_status(row(page, run_id), "completed", "success")


def test_gates_and_alerts_are_rows(page: Page, server: Server) -> None:
    page.goto("/launch")
    get_field(page, "script_path").fill("hello.py")
    page.get_by_test_id("performance_gates-add").click()
    page.get_by_label("Metric of gate 1").fill("cpu_max")
    page.get_by_label("cpu_max: at most").fill("500000")
    page.get_by_test_id("alerts-add").click()
    page.get_by_label("Name of rule 1").fill("slow")
    page.get_by_label("Condition of slow").fill("execution_time_seconds > 100")
    page.get_by_label("Channels of slow").fill("log, email")
    page.get_by_label("Severity of slow").select_option("CRITICAL")
    with page.expect_response("**/api/run") as answer:
        page.get_by_test_id("launch-submit").click()
    request = server.wait_finished(answer.value.json()["run_id"])["request"]
    (gate,) = request["performance_gates"]
    assert (gate["metric"], gate["max_value"]) == ("cpu_max", 500000)
    (rule,) = request["alerts"]
    assert rule["channels"] == ["log", "email"]
    assert (rule["name"], rule["severity"]) == ("slow", "CRITICAL")


def test_folder_is_picked_on_the_server(page: Page, server: Server) -> None:
    (server.root / "picked" / "below").mkdir(parents=True, exist_ok=True)
    page.goto("/launch")
    page.get_by_test_id("working_dir-browse").click()
    picker = page.get_by_test_id("folder-picker")
    picker.get_by_role("button", name=str(server.root), exact=True).click()
    picker.get_by_role("button", name="picked", exact=True).click()
    picker.get_by_role("button", name="below", exact=True).click()
    expect(picker).to_contain_text("No folders here")
    page.get_by_test_id("folder-use").click()
    expect(get_field(page, "working_dir")).to_have_value(
        str(server.root / "picked" / "below")
    )


def test_script_is_picked_from_what_ran_lately(page: Page, finished: str) -> None:  # noqa: ARG001
    open_runner(page)
    get_field(page, "script_path").click()
    get_field(page, "script_path").press_sequentially("enviro")
    expect(page.get_by_role("option", name="environment.py").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(get_field(page, "script_path")).to_have_value("environment.py")


def test_palette_finds_runs_and_pages(page: Page, finished: str) -> None:
    open_runner(page)
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.type(finished[:8])
    expect(page.get_by_role("option", name=finished[:8])).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(finished))
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.type("all runs")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs$"))
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("palette")).to_have_count(0)
