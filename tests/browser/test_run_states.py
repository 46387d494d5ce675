"""Runner, run, launch and compare: before their data, failing, and without the right."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_page_states import fail
from tests.browser.watch import Watch
from tests.server import Server

pytestmark = pytest.mark.slow

#: Address (`{run}` is a run), the call that its main part needs, whether 403 is its own.
PLACES = [
    ("/runs", "**/api/runs?*", True),
    ("/runs/{run}/log", "**/api/runs/{run}", True),
    ("/runs/{run}/metrics", "**/api/runs/{run}/samples", True),
    ("/runs/{run}/source", "**/api/runs/{run}/script/tokens", True),
    ("/compare?a={run}&b={run}", "**/api/runs/{run}/compare/{run}", True),
    ("/launch", "**/openapi.json", False),
]


@pytest.fixture(scope="module")
def run_id(server: Server) -> str:
    run_id = server.submit("hello.py")
    server.wait_finished(run_id)
    return run_id


@pytest.mark.parametrize(("address", "call", "knows_rights"), PLACES)
def test_loading_then_failing_then_not_allowed(
    page: Page, watch: Watch, run_id: str, address: str, call: str, knows_rights: bool
) -> None:
    watch.allow("status of (500|403)")
    held: list[Route] = []
    status = 0

    def answer(route: Route) -> None:
        if status:
            fail(route, status)
        else:
            held.append(route)

    page.route(call.format(run=run_id), answer)
    page.goto(address.format(run=run_id))
    expect(page.get_by_test_id("skeleton").first).to_be_visible()
    status = 500
    for route in held:
        fail(route, status)
    box = page.get_by_test_id("error-box").filter(has_text="It is broken").first
    expect(box).to_contain_text("4711-0815")
    if knows_rights:
        status = 403
        # A message of the stream may have made the page try again already.
        page.reload()
        expect(page.get_by_test_id("forbidden").first).to_contain_text("It is broken")


def test_without_the_right_nothing_can_be_started(
    page: Page, server: Server, run_id: str
) -> None:
    me = {**server.client.get("/api/me").json(), "role": "viewer", "permissions": []}
    page.route("**/api/me", lambda route: route.fulfill(json=me))
    page.goto("/launch")
    start = page.get_by_test_id("launch-submit")
    expect(start).to_have_attribute("aria-disabled", "true")
    expect(start).to_have_attribute("title", "Your role lacks the permission run.start")
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_test_id("run-restart")).to_have_attribute(
        "aria-disabled", "true"
    )
