"""Every page before its data, without them, without the right, and when they fail."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Page, Route, TimeoutError, expect  # noqa: A004 - of clicks

from tests.browser.watch import Watch
from tests.server import Server

pytestmark = pytest.mark.slow

#: Address of a page, and the call that its main part needs.
PLACES = [
    ("/library", "**/api/library/folder-roots"),
    ("/library/duplicates", "**/api/library/duplicates?*"),
    ("/library/1", "**/api/library/scripts/1"),
    ("/schedules", "**/api/scheduler/tasks"),
    ("/schedules/x", "**/api/scheduler/tasks/x"),
    ("/analytics", "**/api/analytics/series?*"),
    ("/analytics?part=history", "**/api/analytics/history?*"),
    ("/analytics/gates", "**/api/analytics/history?*"),
    ("/alerts", "**/api/alerts?*"),
    ("/settings", "**/api/settings"),
    ("/tokens", "**/api/tokens"),
    ("/audit", "**/api/audit?*"),
]


def fail(route: Route, status: int) -> None:
    body = {"detail": "It is broken", "code": "x", "request_id": "4711-0815"}
    route.fulfill(status=status, json=body, headers={"X-Request-ID": "4711-0815"})


@pytest.mark.parametrize(("address", "call"), PLACES)
def test_loading_then_failing_then_not_allowed(
    page: Page, watch: Watch, address: str, call: str
) -> None:
    watch.allow("status of (500|403|404)")
    held: list[Route] = []
    status = 0

    def answer(route: Route) -> None:
        if status:
            fail(route, status)
        else:
            held.append(route)

    page.route(call, answer)
    page.goto(address)
    expect(page.get_by_test_id("skeleton").first).to_be_visible()
    status = 500
    for route in held:
        fail(route, status)
    box = page.get_by_test_id("error-box").filter(has_text="It is broken").first
    expect(box).to_contain_text("4711-0815")
    status = 403
    # A page that follows the stream may look again by itself before the click.
    with suppress(TimeoutError):
        box.get_by_role("button", name="Try again").click(timeout=2_000)
    expect(page.get_by_test_id("forbidden").first).to_contain_text("It is broken")


#: Address, call, the answer of a service in which nothing has happened, words.
EMPTY = [
    ("/library", "**/api/library/folder-roots", [], "Add your first folder"),
    ("/schedules", "**/api/scheduler/tasks", {"tasks": []}, "Nothing is scheduled"),
    ("/alerts", "**/api/alerts?*", [], "No alert was triggered"),
    ("/tokens", "**/api/tokens", {"tokens": []}, "There are no tokens"),
    (
        "/audit",
        "**/api/audit?*",
        {"items": [], "next_before": None},
        "Nothing has happened yet",
    ),
    ("/library/duplicates", "**/api/library/duplicates?*", [], "No duplicates"),
    (
        "/analytics?part=benchmarks",
        "**/api/analytics/benchmarks",
        {"benchmarks": []},
        "No benchmarks yet",
    ),
]


@pytest.mark.parametrize(("address", "call", "answer", "words"), EMPTY)
def test_nothing_there_yet(
    page: Page, address: str, call: str, answer: object, words: str
) -> None:
    headers = {"X-Total-Count": "0"}
    page.route(call, lambda route: route.fulfill(json=answer, headers=headers))
    page.goto(address)
    expect(page.get_by_text(words)).to_be_visible()


def test_without_the_right_controls_say_so(page: Page, filled: Server) -> None:
    me = {**filled.client.get("/api/me").json(), "role": "viewer", "permissions": []}
    page.route("**/api/me", lambda route: route.fulfill(json=me))
    page.goto("/schedules")
    add = page.get_by_test_id("sch-add")
    expect(add).to_have_attribute("aria-disabled", "true")
    expect(add).to_have_attribute("title", re.compile("schedule.write"))
    add.click(force=True)
    expect(page.get_by_test_id("task-editor")).to_have_count(0)
    run = page.get_by_test_id("sch-run").first
    expect(run).to_have_attribute("title", re.compile("schedule.run"))
    page.goto("/tokens")
    expect(page.get_by_test_id("token-add")).to_have_attribute("aria-disabled", "true")
