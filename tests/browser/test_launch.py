"""Launching: by path and by upload, with every option, and what bad input shows."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.pages import (
    expect_status,
    launch,
    open_group,
    open_runner,
    row,
)
from tests.browser.watch import Watch
from tests.server import Server

SWITCHES = (
    "enable_code_analysis",
    "enable_secret_scanning",
    "enable_dependency_scanning",
    "enable_cost_tracking",
)
TEXTS = {
    "load_baseline": "before.json",
    "save_baseline": "after.json",
    "junit_output": "junit.xml",
}


def get_field(page: Page, name: str):
    return page.get_by_test_id(f"field-{name}")


def test_launched_script_appears_and_finishes(page: Page) -> None:
    open_runner(page)
    run_id = launch(page, "hello.py", args="--name 'two words' ''")
    expect_status(row(page, run_id), "completed", "success")
    expect(row(page, run_id)).to_contain_text("--name 'two words' ''")


def test_arguments_reach_the_script_unchanged(page: Page, server: Server) -> None:
    open_runner(page)
    run_id = launch(page, "environment.py", args="""a,b "c d" 'e"f' g\\ h ''""")
    record = server.wait_finished(run_id)
    assert record["request"]["args"] == ["a,b", "c d", 'e"f', "g h", ""]
    assert json.loads(record["result"]["stdout"])[0] == record["request"]["args"]


def test_every_option_is_sent(page: Page, server: Server) -> None:
    folder = server.root / "elsewhere"
    folder.mkdir(exist_ok=True)
    open_runner(page)
    for group in ("script", "limits", "retry", "checks", "gates", "history", "alerts"):
        open_group(page, group)
    get_field(page, "timeout").fill("77")
    get_field(page, "working_dir").fill("elsewhere")
    page.get_by_test_id("env-add").click()
    page.get_by_label("Name 1").fill("STAGE")
    page.get_by_label("Value of STAGE").fill("test")
    get_field(page, "log_level").select_option("DEBUG")
    get_field(page, "stream_output").check()
    get_field(page, "monitor_interval").fill("0.5")
    get_field(page, "retry_on_failure").check()
    get_field(page, "retry_max_attempts").fill("2")
    get_field(page, "retry_strategy").select_option("linear")
    get_field(page, "retry_initial_delay").fill("0.1")
    get_field(page, "retry_max_delay").fill("3")
    get_field(page, "retry_multiplier").fill("4")
    get_field(page, "retry_max_time").fill("9")
    get_field(page, "enable_visualizer").check()
    get_field(page, "visualizer_format").select_option("json")
    for name in SWITCHES:
        get_field(page, name).check()
    get_field(page, "enable_history").uncheck()
    for name, text in TEXTS.items():
        get_field(page, name).fill(text)
    get_field(page, "slack_webhook").fill("https://hooks.slack.com/services/T0/B0/x1")
    expect(page.get_by_text("Waits 0.1 s; gives up after 2 attempts")).to_be_visible()
    run_id = launch(page, "environment.py")
    record = server.wait_finished(run_id)
    sent = {
        "timeout": 77,
        "working_dir": "elsewhere",
        "env_vars": {"STAGE": "test"},
        "log_level": "DEBUG",
        "stream_output": True,
        "monitor_interval": 0.5,
        "retry_on_failure": True,
        "retry_max_attempts": 2,
        "retry_strategy": "linear",
        "retry_initial_delay": 0.1,
        "retry_max_delay": 3,
        "retry_multiplier": 4,
        "retry_max_time": 9,
        "enable_visualizer": True,
        "visualizer_format": "json",
        "enable_history": False,
        "slack_webhook": "https://hooks.slack.com/***",
        **dict.fromkeys(SWITCHES, True),
        **TEXTS,
    }
    assert {name: record["request"][name] for name in sent} == sent
    assert json.loads(record["result"]["stdout"])[1:] == ["test", str(folder)]


def test_upload_takes_the_same_options(
    page: Page, server: Server, tmp_path: Path
) -> None:
    script = tmp_path / "brought along.py"
    script.write_text("import os, sys\nprint(sys.argv[1:], os.environ['STAGE'])\n")
    open_runner(page)
    page.get_by_test_id("launch-mode-upload").check()
    page.get_by_test_id("launch-upload").set_input_files(script)
    get_field(page, "args").fill("'x, y' z")
    get_field(page, "timeout").fill("30")
    open_group(page, "script")
    page.get_by_test_id("env-add").click()
    page.get_by_label("Name 1").fill("STAGE")
    page.get_by_label("Value of STAGE").fill("up")
    with page.expect_response("**/api/run/upload") as answer:
        page.get_by_test_id("launch-submit").click()
    run_id = answer.value.json()["run_id"]
    expect_status(row(page, run_id), "completed", "success")
    record = server.wait_finished(run_id)
    assert record["request"]["timeout"] == 30
    assert record["result"]["stdout"] == "['x, y', 'z'] up\n"
    assert record["request"]["script_path"] == "upload:brought along.py"


def test_dry_run_starts_nothing(page: Page) -> None:
    open_runner(page)
    open_group(page, "checks")
    get_field(page, "dry_run").check()
    run_id = launch(page, "wait.py")
    expect_status(row(page, run_id), "completed", "dry run")
    row(page, run_id).get_by_test_id("run-details").click()
    expect(page.get_by_test_id("details")).to_contain_text("What would run")
    expect(page.get_by_test_id("details")).to_contain_text("wait.py")


def test_server_error_goes_to_its_field(page: Page, watch: Watch) -> None:
    watch.allow("400 \\(Bad Request\\)")
    open_runner(page)
    get_field(page, "script_path").fill("missing.py")
    page.get_by_test_id("launch-submit").click()
    expect(page.get_by_test_id("error-box")).to_contain_text("Nothing was started")
    fault = page.locator("#field-script_path-fault")
    expect(fault).to_have_text("Script path must point to an existing file")
    expect(get_field(page, "script_path")).to_be_focused()
    expect(get_field(page, "script_path")).to_have_value("missing.py")


def test_fault_in_a_closed_group_opens_it(page: Page, watch: Watch) -> None:
    watch.allow("400 \\(Bad Request\\)")
    open_runner(page)
    open_group(page, "script")
    get_field(page, "working_dir").fill("nowhere")
    page.get_by_test_id("group-script").click()
    expect(page.get_by_test_id("group-script")).to_contain_text("nowhere")
    get_field(page, "script_path").fill("hello.py")
    page.get_by_test_id("launch-submit").click()
    expect(get_field(page, "working_dir")).to_be_focused()
    expect(page.locator("#field-working_dir-fault")).to_contain_text("working_dir must")


def test_empty_form_is_not_sent(page: Page) -> None:
    open_runner(page)
    page.get_by_test_id("launch-submit").click()
    expect(page.locator("#field-script_path-fault")).to_have_text(
        "Name the script to run"
    )
    get_field(page, "script_path").fill("hello.py")
    get_field(page, "args").fill("'open")
    page.get_by_test_id("launch-submit").click()
    expect(page.locator("#field-args-fault")).to_have_text(
        "A single quote is not closed"
    )


def test_form_survives_a_reload_but_secrets_do_not(page: Page) -> None:
    open_runner(page)
    get_field(page, "script_path").fill("hello.py")
    get_field(page, "args").fill("--a 'b c'")
    open_group(page, "script")
    page.get_by_test_id("env-add").click()
    page.get_by_label("Name 1").fill("API_TOKEN")
    page.get_by_label("Value of API_TOKEN").fill("hush")
    expect(page.get_by_label("Value of API_TOKEN")).to_have_attribute(
        "type", "password"
    )
    page.reload()
    expect(get_field(page, "script_path")).to_have_value("hello.py")
    expect(get_field(page, "args")).to_have_value("--a 'b c'")
    expect(page.get_by_label("Name 1")).to_have_value("API_TOKEN")
    expect(page.get_by_label("Value of API_TOKEN")).to_have_value("")


def test_pasted_env_file_becomes_rows(page: Page) -> None:
    open_runner(page)
    open_group(page, "script")
    page.get_by_test_id("env-add").click()
    page.get_by_label("Name 1").evaluate(
        """(input) => {
            const data = new DataTransfer();
            data.setData('text', '# comment\\nexport A=1\\nB="two words"\\n');
            input.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, cancelable: true, bubbles: true}));
        }"""
    )
    expect(page.get_by_label("Name 2")).to_have_value("B")
    expect(page.get_by_label("Value of A")).to_have_value("1")
    expect(page.get_by_label("Value of B")).to_have_value("two words")


def test_start_by_keyboard_from_the_form(page: Page) -> None:
    open_runner(page)
    page.keyboard.press("n")
    expect(get_field(page, "script_path")).to_be_focused()
    page.keyboard.type("hello.py")
    with page.expect_response("**/api/run") as answer:
        page.keyboard.press("Control+Enter")
    expect_status(row(page, answer.value.json()["run_id"]), "completed")
