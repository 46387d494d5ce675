"""The figures of the Runner, and what it says needs attention."""

from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.pages import expect_status, open_runner, row
from tests.server import Server


def answer(page: Page, path: str, body: dict[str, Any]) -> None:
    page.route(f"**{path}*", lambda route: route.fulfill(json=body))


def moment(minutes: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def test_figures_lead_to_what_they_count(page: Page, server: Server) -> None:
    server.wait_finished(server.submit("hello.py"))
    run_id = server.submit("wait.py")
    open_runner(page)
    expect(page.get_by_test_id("stat-p95")).to_contain_text("s")
    running = page.locator(".figure", has=page.get_by_test_id("stat-running"))
    running.get_by_role("link").click()
    expect_status(row(page, run_id), "running")
    expect(page.get_by_test_id("run-row")).not_to_have_count(0)
    before = int(page.get_by_test_id("stat-running").inner_text())
    server.client.post(f"/api/runs/{run_id}/kill")
    expect(page.get_by_test_id("stat-running")).to_have_text(str(before - 1))


def test_missed_schedules_and_slower_scripts_need_attention(page: Page) -> None:
    fire = {"run_id": None, "run_status": None}
    missed = {"state": "skipped", "reason": "missed: 3 h late"} | fire
    answer(
        page,
        "/api/scheduler/calendar",
        {
            "fires": [
                {"task_id": "backup", "at": moment(180), **missed},
                {"task_id": "caught-up", "at": moment(120), **missed},
                {
                    "task_id": "caught-up",
                    "at": moment(60),
                    **fire,
                    "state": "started",
                    "reason": None,
                },
            ]
        },
    )
    due = {"task_id": "held", "script_path": "a.py", "next_run": moment(5)}
    waits = {**due, "task_id": "waits", "waiting_for": ["held"]}
    answer(
        page,
        "/api/scheduler/due",
        {"due_tasks": [{**due, "waiting_for": []}, waits], "count": 2},
    )
    scripts = [
        {
            "script_path": "/srv/report.py",
            "flags": ["slower"],
            "recent_change_percent": 41.2,
        },
        {"script_path": "/srv/fine.py", "flags": [], "recent_change_percent": None},
    ]
    answer(page, "/api/analytics/overview", {"scripts": scripts})
    answer(page, "/api/stats/attention", {"scripts": []})
    open_runner(page)
    card = page.get_by_test_id("attention")
    expect(card.locator("li")).to_have_count(2)
    card.get_by_test_id("attention-all").click()
    expect(card.locator("li")).to_have_count(3)
    backup = card.locator('[data-task="backup"]')
    expect(backup).to_contain_text("3 h late")
    expect(backup.get_by_role("button", name="Run now")).to_be_enabled()
    expect(card.locator('[data-task="held"]')).to_contain_text("not started yet")
    slow = card.locator('[data-script="/srv/report.py"]')
    expect(slow).to_contain_text("41 % longer")
    slow.get_by_role("button", name="Hide 1 h").click()
    expect(slow).to_be_hidden()
