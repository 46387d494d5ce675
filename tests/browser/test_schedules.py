"""Schedules: tasks are made, looked at, run, paused and deleted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import row
from tests.browser.watch import Watch
from tests.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("filled")]


def task(page: Page, task_id: str):
    return page.locator(f'[data-testid=sch-row][data-task-id="{task_id}"]')


def add(server: Server, task_id: str, **fields: object) -> None:
    json = {"task_id": task_id, "script_path": "hello.py", **fields}
    answer = server.client.post("/api/scheduler/tasks", json=json)
    assert answer.status_code == 201, answer.text


def test_a_task_is_made_with_its_next_fires_in_sight(page: Page, watch: Watch) -> None:
    watch.allow("status of 422")
    page.goto("/schedules")
    page.get_by_test_id("sch-add").click()
    page.get_by_test_id("task-task_id").fill("made-here")
    page.get_by_test_id("task-script_path").fill("hello.py")
    page.get_by_test_id("task-kind-cron").check()
    page.get_by_test_id("task-cron_expr").fill("30 2 * * *")
    page.get_by_test_id("task-timezone").fill("Europe/Berlin")
    preview = page.get_by_test_id("task-preview")
    expect(preview.locator("li")).to_have_count(10)
    expect(preview.get_by_test_id("fire-warning").first).to_contain_text("clock skips")
    page.get_by_test_id("task-cron_expr").fill("61 2 * * *")
    expect(preview.locator(".fault")).to_contain_text("61")
    page.get_by_test_id("task-save").click()
    expect(
        page.get_by_test_id("task-editor").get_by_test_id("error-box")
    ).to_be_visible()
    expect(page.get_by_test_id("task-cron_expr")).to_be_focused()
    page.get_by_test_id("task-cron_expr").fill("30 2 * * *")
    page.get_by_test_id("task-save").click()
    expect(task(page, "made-here")).to_contain_text("Europe/Berlin")
    expect(page.get_by_test_id("task-editor")).to_be_hidden()


def test_run_now_leads_to_the_run_in_the_runner(page: Page, server: Server) -> None:
    add(server, "by-hand")
    page.goto("/schedules?q=by-hand")
    with page.expect_response("**/tasks/by-hand/run") as answer:
        task(page, "by-hand").get_by_test_id("sch-run").click()
    run_id = answer.value.json()["run_id"]
    expect(row(page, run_id)).to_be_focused()
    expect(page.get_by_test_id("nav-runner")).to_have_attribute("aria-current", "page")


def test_a_task_shows_how_often_in_a_row_it_went_well(
    page: Page, server: Server
) -> None:
    add(server, "in-a-row")
    page.goto("/schedules?q=in-a-row")
    expect(task(page, "in-a-row").locator("td", has_text="–").last).to_be_visible()
    for _ in range(2):
        run = server.client.post("/api/scheduler/tasks/in-a-row/run").json()["run_id"]
        server.wait_finished(run)
    expect(task(page, "in-a-row").get_by_test_id("task-streak")).to_have_text("2 ok")
    page.goto("/schedules/in-a-row")
    expect(page.get_by_test_id("task-streak")).to_have_text("2 ok")


def test_a_switch_pauses_and_resumes(page: Page, server: Server) -> None:
    add(server, "on-and-off", schedule="every 2 hours")
    page.goto("/schedules?q=on-and-off")
    switch = task(page, "on-and-off").get_by_test_id("sch-toggle")
    switch.click()
    state = task(page, "on-and-off").get_by_test_id("task-state")
    expect(state).to_have_attribute("data-state", "paused")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(state).to_have_attribute("data-state", "scheduled")


def test_what_others_do_appears_by_itself(page: Page, server: Server) -> None:
    page.goto("/schedules?q=live-")
    expect(page.get_by_test_id("live-state")).to_have_text("live")
    add(server, "live-1")
    add(server, "live-2")
    expect(task(page, "live-1")).to_be_visible()
    expect(task(page, "live-2")).to_be_visible()
    server.client.post("/api/scheduler/tasks/live-1/pause")
    server.client.delete("/api/scheduler/tasks/live-2")
    expect(task(page, "live-1")).to_have_attribute("data-state", "paused")
    expect(task(page, "live-2")).to_have_count(0)


def test_deleting_names_who_depends_on_it(page: Page, server: Server) -> None:
    add(server, "before")
    add(server, "afterwards", dependencies=["before"])
    page.goto("/schedules?q=before")
    task(page, "before").get_by_role("button", name="More for before").click()
    page.get_by_test_id("sch-delete").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("afterwards")
    expect(page.get_by_test_id("dialog-cancel")).to_be_focused()
    page.get_by_test_id("dialog-confirm").click()
    expect(task(page, "before")).to_have_count(0)
    page.goto("/schedules?q=afterwards")
    expect(task(page, "afterwards")).to_have_attribute("data-state", "paused")


def test_an_event_says_beforehand_what_it_starts(page: Page, server: Server) -> None:
    add(server, "listener", events=["parcel"])
    page.goto("/schedules")
    page.get_by_test_id("sch-event-fire").click()
    page.get_by_test_id("event-name").fill("nobody-listens")
    expect(page.get_by_test_id("event-starts")).to_contain_text("nothing would start")
    page.get_by_test_id("event-name").fill("parcel")
    expect(page.get_by_test_id("event-starts")).to_contain_text("listener")
    page.get_by_test_id("event-submit").click()
    expect(page.get_by_test_id("event-outcome")).to_contain_text("1 run queued")


def test_days_hours_and_dependencies_are_drawn(page: Page) -> None:
    page.goto("/schedules?view=calendar")
    expect(page.locator(".calendar td.has-fires").first).to_be_visible()
    page.get_by_role("button", name="Month after").click()
    expect(page).to_have_url(re.compile("month="))
    page.get_by_test_id("sch-view-day").click()
    page.get_by_role("button", name="Day after").click()
    expect(page.get_by_test_id("lanes")).to_contain_text("of")
    page.get_by_role("button", name="Show as table").click()
    expect(page.get_by_test_id("lanes").get_by_role("table")).to_be_visible()
    page.get_by_test_id("sch-view-graph").click()
    expect(page.locator('[data-node="nightly-etl"]')).to_be_visible()
    page.locator('[data-node="nightly-etl"]').click()
    expect(page).to_have_url(re.compile("/schedules/nightly-etl$"))


def test_the_page_of_a_task_says_why_and_when(page: Page) -> None:
    page.goto("/schedules/nightly-etl")
    expect(page.get_by_test_id("sch-why")).to_contain_text("It runs next at")
    expect(page.get_by_test_id("sch-next").locator("li")).to_have_count(10)
    page.get_by_test_id("tab-edit").click()
    page.get_by_test_id("task-description").fill("Every working day")
    page.get_by_test_id("task-save").click()
    expect(page.get_by_text("Every working day")).to_be_visible()


def test_a_crontab_is_looked_at_before_it_is_imported(page: Page) -> None:
    page.goto("/schedules")
    page.get_by_role("button", name="More for schedules").click()
    page.get_by_text("Import tasks or a crontab").click()
    page.get_by_test_id("import-kind-crontab").check()
    page.get_by_test_id("import-text").fill(
        "5 3 * * * python3 hello.py --full\n@reboot x"
    )
    page.get_by_test_id("import-look").click()
    outcome = page.get_by_test_id("import-outcome")
    expect(outcome).to_contain_text("Would be added (1)")
    expect(outcome).to_contain_text("line 2")
    page.get_by_test_id("import-submit").click()
    expect(page.get_by_test_id("toast")).to_contain_text("1 task added")
