"""The Runner with 100,000 runs stored."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.listing import STORED, multiply
from tests.browser.pages import open_runner
from tests.browser.watch import Watch
from tests.server import Server, running_server

#: Rows that the table holds unless the reader wants more.
PAGE = 25
#: Milliseconds for one page of the list, with four times its budget.
LIST_MS = 4 * 150


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("many")) as server:
        server.run("print('hello')\n", name="hello.py")
        multiply(server.folder)
        yield server


@pytest.fixture
def runner(browser: Browser, crowded: Server, watch: Watch) -> Iterator[Page]:
    context = browser.new_context(
        base_url=crowded.url, viewport={"width": 1400, "height": 900}
    )
    watch.over(context)
    yield context.new_page()
    context.close()


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_runner_opens_and_pages(runner: Page) -> None:
    open_runner(runner)
    expect(runner.get_by_test_id("stat-total")).to_have_text("100,000")
    expect(runner.get_by_test_id("run-row")).to_have_count(PAGE)
    expect(runner.get_by_test_id("runs-table")).to_be_visible()
    first = runner.get_by_test_id("run-row").first.get_attribute("data-run-id")
    with runner.expect_response("**/api/runs?*") as answer:
        runner.get_by_test_id("page-next").click()
    answer.value.finished()
    timing = answer.value.request.timing
    assert timing["responseStart"] - timing["requestStart"] <= LIST_MS
    rows = runner.get_by_test_id("run-row")
    expect(rows.first).not_to_have_attribute("data-run-id", first or "")
    expect(rows).to_have_count(PAGE)
    runner.get_by_test_id("page-prev").click()
    expect(rows.first).to_have_attribute("data-run-id", first or "")


@pytest.mark.slow
def test_far_page_and_search_see_every_run(runner: Page) -> None:
    open_runner(runner, f"?page={STORED // PAGE - 1}")
    expect(runner.get_by_test_id("run-row")).to_have_count(PAGE)
    runner.get_by_test_id("page-next").click()
    expect(runner.get_by_test_id("page-next")).to_be_disabled()
    oldest = f"{99_999:08x}-0000-4000-8000-000000000000"
    runner.get_by_test_id("filter-text").fill(oldest[:8])
    expect(runner.get_by_test_id("run-row")).to_have_count(1)
    expect(runner.get_by_test_id("run-row")).to_have_attribute("data-run-id", oldest)
