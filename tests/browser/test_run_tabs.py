"""The tabs beside the log: metrics, checks, source; the strip of neighbours; comparing."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.server import Server


@pytest.fixture(scope="module")
def pair(server: Server) -> list[str]:
    """Two runs of one script, an hour's worth of options apart."""
    options = [
        {"args": ["1"], "performance_gates": [{"metric": "cpu_max", "max_value": 1e6}]},
        {
            "args": ["2"],
            "performance_gates": [
                {"metric": "execution_time_seconds", "max_value": 0.000001}
            ],
            "env_vars": {"API_TOKEN": "hush-hush-hush", "STAGE": "test"},
            "timeout": 77,
        },
    ]
    made = []
    for each in options:
        run_id = server.submit("measured.py", monitor_interval=0.05, **each)
        server.wait_finished(run_id)
        made.append(run_id)
    return made


def test_cpu_and_memory_are_drawn_over_time(page: Page, pair: list[str]) -> None:
    page.goto(f"/runs/{pair[1]}/metrics")
    for chart in ("chart-cpu", "chart-memory"):
        expect(page.get_by_test_id(chart).locator("canvas")).to_be_visible()
    expect(page.get_by_test_id("compared").first).to_contain_text("Duration")
    page.get_by_test_id("chart-cpu").get_by_text("Show as table").click()
    expect(page.get_by_role("table").first).to_contain_text("%")


def test_failed_gate_is_seen_on_its_tab(page: Page, pair: list[str]) -> None:
    page.goto(f"/runs/{pair[1]}")
    expect(page.get_by_test_id("tab-checks")).to_contain_text("1!")
    expect(page.get_by_test_id("runner-status")).to_contain_text("gates")
    page.get_by_test_id("tab-checks").click()
    expect(page.get_by_test_id("gates-table")).to_contain_text("exceeds max")
    page.goto(f"/runs/{pair[0]}/checks")
    expect(page.get_by_test_id("gates-table")).to_contain_text("passed")


def test_source_is_what_ran(page: Page, pair: list[str], server: Server) -> None:
    server.write_script("measured.py", "print('another text')\n")
    page.goto(f"/runs/{pair[0]}/source#L2")
    code = page.get_by_test_id("source-code")
    expect(code).to_contain_text("until = time.monotonic()")
    expect(code.locator(".hl-k").first).to_have_text("import")
    expect(code.locator(".is-marked")).to_have_count(1)


def test_strip_leads_to_the_neighbours(page: Page, pair: list[str]) -> None:
    page.goto(f"/runs/{pair[0]}/details")
    here = page.get_by_test_id("run-strip").locator("[aria-current=page]")
    for key, neighbour in (("", pair[0]), ("]", pair[1]), ("[", pair[0])):
        if key:
            page.keyboard.press(key)
        expect(page).to_have_url(re.compile(f"{neighbour}/details$"))
        expect(here).to_have_attribute("href", re.compile(neighbour))


def test_runs_are_compared_with_the_one_before(page: Page, pair: list[str]) -> None:
    page.goto(f"/runs/{pair[1]}")
    expect(page.get_by_test_id("runner-status")).to_be_visible()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile(f"a={pair[1]}&b={pair[0]}"))
    options = page.get_by_test_id("compare-options")
    for name in ("args", "timeout", "performance_gates", "env_vars"):
        expect(options.get_by_role("rowheader", name=name)).to_be_visible()
    expect(page.get_by_test_id("compare-metrics")).to_contain_text(
        "execution_time_seconds"
    )
    expect(page.get_by_test_id("diff-source")).to_contain_text("The same source ran")
    log = page.get_by_test_id("diff-log")
    expect(log).to_contain_text("1 line added")
    expect(log.locator(".diff-added")).to_contain_text("argument 2")
    expect(page.get_by_test_id("compare-chart").locator("canvas")).to_be_visible()


def test_compare_without_another_run_says_so(page: Page, server: Server) -> None:
    server.write_script("lonely.py", "pass\n")
    run_id = server.submit("lonely.py")
    server.wait_finished(run_id)
    page.goto(f"/compare?a={run_id}")
    expect(page.get_by_test_id("empty")).to_contain_text("no other run")
