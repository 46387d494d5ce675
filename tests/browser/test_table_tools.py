"""What helps to find runs: order, filters, views, columns, and choosing all of them."""

import csv
import re

import pytest
from playwright.sync_api import Download, Page, Route, expect

from tests.server import Server


@pytest.fixture(scope="module")
def thirty(server: Server) -> list[str]:
    """Thirty runs of one script, more than a page shows."""
    return submit_thirty(server, "thirty.py")


def submit_thirty(server: Server, name: str) -> list[str]:
    server.write_script(name, "pass\n")
    ids = [server.submit(name, dry_run=True) for _ in range(30)]
    for run_id in ids:
        server.wait_finished(run_id)
    return ids


def test_server_sorts_all_runs(page: Page, thirty: list[str]) -> None:
    page.goto("/runs?q=thirty.py")
    expect(page.get_by_test_id("page-range")).to_have_text("1–25 of 30")
    page.get_by_role("button", name="Started").click()
    expect(page).to_have_url(re.compile("order=asc"))
    first = page.get_by_test_id("run-row").first
    expect(first).to_have_attribute("data-run-id", thirty[0])
    page.get_by_test_id("page-next").click()
    expect(page.get_by_test_id("run-row")).to_have_count(5)
    expect(page.get_by_test_id("run-row").last).to_have_attribute(
        "data-run-id", thirty[-1]
    )


def test_filters_stand_in_the_address_and_can_be_kept(
    page: Page,
    thirty: list[str],  # noqa: ARG001
) -> None:
    page.goto("/runs?script=thirty.py")
    expect(page.get_by_test_id("page-range")).to_have_text("1–25 of 30")
    page.get_by_test_id("filter-trigger").select_option("upload")
    expect(page.get_by_test_id("empty")).to_contain_text("No run matches")
    page.get_by_test_id("filter-trigger").select_option("api")
    page.get_by_test_id("filter-since").select_option("24h")
    expect(page).to_have_url(re.compile("trigger=api.*since=24h"))
    expect(page.get_by_test_id("page-range")).to_have_text("1–25 of 30")
    page.get_by_role("button", name="Views").click()
    page.get_by_test_id("view-save").click()
    page.get_by_test_id("view-name").fill("mine")
    page.keyboard.press("Enter")
    page.get_by_test_id("filter-clear").click()
    expect(page).to_have_url(re.compile("/runs$"))
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="mine").click()
    expect(page).to_have_url(re.compile("script=thirty.py.*since=24h"))


def test_all_that_match_can_be_deleted(page: Page, server: Server) -> None:
    submit_thirty(server, "doomed.py")
    page.goto("/runs?script=doomed.py")
    page.get_by_label("Select all runs of this page").check()
    page.get_by_test_id("select-all-matching").click()
    expect(page.locator(".selection")).to_contain_text("30 selected")
    page.get_by_test_id("bulk-delete").click()
    page.get_by_test_id("dialog-confirm").click()
    expect(page.get_by_test_id("toast")).to_contain_text("30 runs deleted")
    expect(page.get_by_test_id("empty")).to_be_visible()


def test_columns_are_chosen(page: Page, server: Server) -> None:
    run_id = server.submit("hello.py")
    server.wait_finished(run_id)
    page.goto("/runs")
    expect(page.get_by_role("columnheader", name="Memory")).to_have_count(0)
    page.get_by_test_id("columns").click()
    page.get_by_label("Memory").check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="Memory")).to_be_visible()
    page.reload()
    expect(page.get_by_role("columnheader", name="Memory")).to_be_visible()


def test_script_in_trouble_is_named_and_hidden(page: Page, server: Server) -> None:
    server.write_script("broken.py", "raise SystemExit('out of luck')\n")
    for _ in range(2):
        server.wait_finished(server.submit("broken.py"))
    page.goto("/")
    trouble = page.locator("[data-script='broken.py']")
    expect(trouble).to_contain_text("failed 2 times in a row")
    expect(trouble).to_contain_text("out of luck")
    trouble.get_by_role("button", name="Hide 1 h").click()
    expect(trouble).to_have_count(0)


def test_export_has_every_run_of_the_filter(
    page: Page, server: Server, thirty: list[str]
) -> None:
    server.wait_finished(server.submit("hello.py", args=["=1+1", 'a "b", c']))
    page.goto("/runs?script=thirty.py")
    expect(page.get_by_test_id("run-row").first).to_be_visible()
    page.get_by_test_id("runs-export").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("30 runs")
    with page.expect_download() as download:
        page.get_by_test_id("export-start").click()
    assert download.value.suggested_filename == "runs.csv"
    rows = read_csv(download.value)
    assert [row["id"] for row in rows] == thirty[::-1]
    expect(page.get_by_test_id("export-done")).to_contain_text("30 runs saved")
    page.goto("/runs?script=hello.py&q=%3D1%2B1")
    expect(page.get_by_test_id("run-row")).to_have_count(1)
    page.get_by_test_id("runs-export").click()
    with page.expect_download() as download:
        page.get_by_test_id("export-start").click()
    (row,) = read_csv(download.value)
    assert row["args"] == """'=1+1 'a "b", c'"""
    assert row["status"] == "completed"
    assert float(row["duration_seconds"]) > 0


def test_export_says_how_many_runs_it_leaves_out(
    page: Page,
    thirty: list[str],  # noqa: ARG001
) -> None:
    def many(route: Route) -> None:
        answer = route.fetch()
        headers = {**answer.headers, "x-total-count": "128440"}
        route.fulfill(response=answer, headers=headers)

    page.route("**/api/runs?*", many)
    page.goto("/runs?script=thirty.py")
    expect(page.get_by_test_id("page-range")).to_contain_text("128,440")
    page.get_by_test_id("runs-export").click()
    expect(page.get_by_test_id("export-cap")).to_contain_text("the older 108,440")


def read_csv(download: Download) -> list[dict[str, str]]:
    with open(download.path(), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
