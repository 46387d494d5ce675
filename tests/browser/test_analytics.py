"""Analytics: the trend and what shifted it, benchmarks, history, cleanup, gates."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser import samples
from tests.server import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def script(filled: Server) -> str:
    """The script with a history, as part of an address."""
    return quote(str(filled.root / samples.ETL))


def test_a_shift_is_drawn_told_and_blamed(page: Page, script: str) -> None:
    page.goto(f"/analytics?script={script}")
    chart = page.get_by_test_id("an-chart")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator("figcaption")).to_contain_text("1 shift of level")
    shifts = page.get_by_test_id("an-shifts")
    expect(shifts).to_contain_text("the script changed: 4f1c0a9b → b82e61d3")
    expect(page.get_by_test_id("an-anomalies").get_by_role("row")).not_to_have_count(0)
    expect(page.get_by_test_id("an-baseline")).to_contain_text("Because")
    chart.get_by_role("button", name="Show as table").click()
    expect(chart.get_by_role("row")).to_have_count(samples.RUNS + 1)


def test_a_point_leads_to_its_run(page: Page, script: str) -> None:
    page.route("**/api/runs/00000000-*", lambda route: route.fulfill(json={}))
    page.goto(f"/analytics?script={script}&by=run")
    over = page.get_by_test_id("an-chart").locator(".u-over")
    over.click(position={"x": 400, "y": 120})
    expect(page).to_have_url(re.compile("/runs/00000000-"))


def test_method_and_metric_are_in_the_address(page: Page, script: str) -> None:
    page.goto(f"/analytics?script={script}")
    page.get_by_test_id("an-method-mad").check()
    names = page.get_by_test_id("an-metric").locator("option")
    expect(names.filter(has_text="page faults major")).to_have_count(1)
    expect(names.filter(has_text="script path")).to_have_count(0)  # it is no number
    page.get_by_test_id("an-metric").select_option("memory_max_mb")
    expect(page).to_have_url(re.compile("metric=memory_max_mb"))
    expect(page.get_by_test_id("an-trends")).to_contain_text("Memory max")
    page.reload()
    expect(page.get_by_test_id("an-method-mad")).to_be_checked()


def test_the_overview_leads_to_a_script(page: Page, script: str) -> None:
    page.goto("/analytics")
    table = page.get_by_test_id("an-overview-table")
    table.get_by_role("button", name="nightly_etl.py").click()
    expect(page).to_have_url(re.compile(f"script=.*{quote('nightly_etl.py')}"))
    assert script


def test_a_benchmark_is_taken_and_compared(page: Page, script: str) -> None:
    page.goto(f"/analytics?part=benchmarks&script={script}&name=nightly-etl")
    regressions = page.get_by_test_id("an-regressions")
    expect(regressions).to_contain_text("1.4 → 1.5")
    expect(regressions).to_contain_text("critical")
    page.get_by_test_id("bench-name").fill("again")
    page.get_by_test_id("an-benchmark-create").click()
    expect(page.get_by_test_id("an-versions").get_by_role("row")).to_have_count(2)


def test_history_is_exported_and_cleaned_with_numbers_first(
    page: Page, script: str
) -> None:
    page.goto(f"/analytics?part=history&script={script}")
    expect(
        page.get_by_test_id("an-history-table").get_by_role("row").nth(5)
    ).to_be_visible()
    expect(page.get_by_test_id("an-stats")).to_contain_text("runs.db")
    with page.expect_download() as download:
        page.get_by_test_id("an-export-start").click()
    assert download.value.suggested_filename == "metrics_export.csv"
    page.get_by_test_id("cleanup-days").fill("20")
    page.get_by_test_id("cleanup-look").click()
    plan = page.get_by_test_id("cleanup-plan")
    expect(plan).to_contain_text(re.compile(r"Would delete \d+ of \d+ executions"))
    page.get_by_test_id("cleanup-go").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("older than 20 days")
    page.get_by_test_id("dialog-cancel").click()
    expect(plan).to_be_visible()


def test_gates_are_tried_on_what_was(page: Page, script: str) -> None:
    page.goto(f"/analytics/gates?script={script}")
    page.get_by_test_id("gate-max_value").fill("5")
    verdict = page.get_by_test_id("gate-verdict")
    expect(verdict).to_contain_text("This gate would have failed 1 of 50 runs")
    page.get_by_test_id("gate-max_value").fill("2.4")
    expect(verdict).to_contain_text(re.compile(r"failed 3\d of 50"))
    expect(page.get_by_test_id("gate-failed").get_by_role("row").nth(1)).to_be_visible()
