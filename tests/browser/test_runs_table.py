"""The runs table: orders, live changes, filters, pages, selection, deletion."""

import re

from playwright.sync_api import BrowserContext, JSHandle, Locator, Page, Route, expect

from tests.browser.pages import expect_status, launch, open_runner, row
from tests.browser.watch import Watch
from tests.server import Server


def test_stop_ends_a_run(page: Page) -> None:
    open_runner(page)
    run_id = launch(page, "wait.py")
    expect_status(row(page, run_id), "running")
    row(page, run_id).get_by_test_id("run-stop").click()
    expect_status(row(page, run_id), "cancelled", "stopped")
    stop = row(page, run_id).get_by_test_id("run-stop")
    expect(stop).to_have_attribute("aria-disabled", "true")
    expect(stop).to_have_attribute("title", "This run has finished")


def test_kill_asks_and_enter_does_not_confirm(page: Page) -> None:
    open_runner(page)
    run_id = launch(page, "stubborn.py")
    expect_status(row(page, run_id), "running")
    row(page, run_id).get_by_test_id("run-kill").click()
    dialog = page.get_by_test_id("dialog")
    expect(dialog).to_contain_text("Kill stubborn.py?")
    expect(page.get_by_test_id("dialog-cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect_status(row(page, run_id), "running")
    row(page, run_id).get_by_test_id("run-kill").click()
    page.get_by_test_id("dialog-confirm").click()
    expect_status(row(page, run_id), "cancelled", "killed")


def test_stop_of_a_deaf_script_says_stopping_until_it_is_true(page: Page) -> None:
    open_runner(page)
    run_id = launch(page, "stubborn.py")
    expect_status(row(page, run_id), "running")
    words = note_words(row(page, run_id))
    row(page, run_id).get_by_test_id("run-stop").click()
    expect_status(row(page, run_id), "cancelled", "stopped")
    seen: list[str] = words.json_value()
    assert [each for each in dict.fromkeys(seen) if "stop" in each] == [
        "stopping…",
        "stopped",
    ]


def note_words(place: Locator) -> JSHandle:
    """A list that gets what a run's row says whenever that changes, however short."""
    return place.evaluate_handle(
        """(row) => {
            const words = [];
            const read = () => words.push(row.querySelector('[data-testid=runner-status]')?.textContent ?? '');
            new MutationObserver(read).observe(row, { subtree: true, childList: true, characterData: true });
            return words;
        }"""
    )


def test_restart_puts_the_new_run_on_top(page: Page, server: Server) -> None:
    open_runner(page)
    old = launch(page, "hello.py", args="again")
    expect_status(row(page, old), "completed")
    with page.expect_response("**/restart") as answer:
        row(page, old).get_by_test_id("run-restart").click()
    new = answer.value.json()["run_id"]
    expect_status(row(page, new), "completed")
    expect(page.get_by_test_id("run-row").first).to_have_attribute("data-run-id", new)
    assert server.wait_finished(new)["restarted_from"] == old


def test_delete_asks_and_removes_the_row(
    page: Page, server: Server, watch: Watch
) -> None:
    open_runner(page)
    run_id = launch(page, "hello.py", args="to be deleted")
    # The form may be looking up what the script's last run measured: that very run.
    watch.allow(f"404 .*{run_id}")
    expect_status(row(page, run_id), "completed")
    row(page, run_id).get_by_role("button", name="More for hello.py").click()
    page.get_by_test_id("run-delete").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("Delete hello.py?")
    page.get_by_test_id("dialog-confirm").click()
    expect(row(page, run_id)).to_be_hidden()
    assert server.client.get(f"/api/runs/{run_id}").status_code == 404


def test_bulk_delete_leaves_active_runs_and_says_so(page: Page, server: Server) -> None:
    open_runner(page)
    active = launch(page, "wait.py", args="bulk")
    done = [launch(page, "hello.py", args=f"bulk {n}") for n in range(2)]
    expect_status(row(page, active), "running")
    for run_id in done:
        expect_status(row(page, run_id), "completed")
    for run_id in [active, *done]:
        row(page, run_id).get_by_test_id("run-select").check()
    page.get_by_test_id("bulk-delete").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("Delete 3 runs?")
    page.get_by_test_id("dialog-confirm").click()
    expect(page.get_by_test_id("toast").last).to_contain_text(
        "2 runs deleted. 1 run still active, not deleted."
    )
    for run_id in done:
        expect(row(page, run_id)).to_be_hidden()
    expect(row(page, active)).to_be_visible()
    server.client.post(f"/api/runs/{active}/kill")


def test_runs_of_others_wait_behind_a_notice(page: Page, server: Server) -> None:
    open_runner(page)
    mine = launch(page, "hello.py", args="notice")
    run_id = server.submit("hello.py", args=["from elsewhere"])
    expect(page.get_by_test_id("new-rows")).to_have_text("1 new run")
    expect(row(page, run_id)).to_be_hidden()
    expect(page.get_by_test_id("run-row").first).to_have_attribute("data-run-id", mine)
    page.get_by_test_id("new-rows").click()
    expect(row(page, run_id)).to_be_visible()
    expect(page.get_by_test_id("new-rows")).to_be_hidden()


def test_filter_lives_in_the_address(page: Page, server: Server) -> None:
    failed = server.submit("fails.py", args=["needle"])
    server.wait_finished(failed)
    open_runner(page)
    page.get_by_test_id("filter-status").get_by_text("failed").click()
    expect(page).to_have_url(re.compile(r"\?status=failed$"))
    page.get_by_test_id("filter-text").fill("needle")
    expect(page).to_have_url(re.compile("q=needle"))
    expect(page.get_by_test_id("run-row")).to_have_count(1)
    page.reload()
    expect(page.get_by_test_id("run-row")).to_have_count(1)
    expect(page.get_by_test_id("filter-text")).to_have_value("needle")
    page.get_by_test_id("filter-text").fill("nothing matches this")
    expect(page.get_by_test_id("empty")).to_contain_text("No run matches")
    page.get_by_role("button", name="Show all runs").click()
    expect(row(page, failed)).to_be_visible()


def test_pages_do_not_shift_when_runs_come(page: Page, server: Server) -> None:
    for number in range(30):
        server.submit("hello.py", args=[f"page {number}"], dry_run=True)
    open_runner(page)
    page.get_by_test_id("page-next").click()
    expect(page.get_by_test_id("page-range")).to_contain_text("26–")
    rows = page.get_by_test_id("run-row")
    first = rows.first.get_attribute("data-run-id")
    server.submit("hello.py", dry_run=True)
    page.reload()
    expect(rows.first).to_have_attribute("data-run-id", first or "")
    page.get_by_test_id("page-prev").click()
    expect(page.get_by_test_id("page-range")).to_contain_text("1–25")


def test_figures_follow_the_runs(page: Page, server: Server) -> None:
    open_runner(page)
    total = page.get_by_test_id("stat-total")
    expect(total).to_have_text(re.compile(r"\d"))
    before = int(total.inner_text().replace(",", ""))
    server.submit("hello.py", dry_run=True)
    expect(total).to_have_text(f"{before + 1:,}")
    expect(page.get_by_test_id("stat-24h")).to_have_text(f"{before + 1:,}")
    expect(page.get_by_test_id("stat-success")).to_contain_text("%")


def test_correlation_id_is_copied(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_runner(page)
    run_id = launch(page, "hello.py")
    expect_status(row(page, run_id), "completed")
    row(page, run_id).get_by_test_id("run-corr").click()
    expect(page.get_by_test_id("toast").last).to_contain_text("correlation id copied")
    assert re.fullmatch(
        r"[0-9a-f-]{36}", page.evaluate("navigator.clipboard.readText()")
    )


def test_figures_fit_into_their_cards_on_a_phone(page: Page) -> None:
    def answer(route: Route) -> None:
        told = {
            **route.fetch().json(),
            "success_rate_24h": 78.88,
            "success_rate": 78.88,
        }
        route.fulfill(json=told)

    page.route("**/api/stats", answer)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    expect(page.get_by_test_id("stat-24h")).to_be_visible()
    expect(page.get_by_text("78.9 % succeeded")).to_be_visible()
    wide = page.locator(".figure").evaluate_all(
        "all => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.innerText)"
    )
    assert wide == []
    # Nothing names a span of days where its bars have no room.
    expect(page.get_by_text("14 days", exact=True)).to_be_hidden()
