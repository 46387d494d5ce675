"""What helps to read a log: filter, wrap, whole window; and logs that stay on the server."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.server import Server


def lines(page: Page) -> Locator:
    return page.locator(".log-line .log-text")


@pytest.fixture(scope="module")
def failed(server: Server) -> str:
    run_id = server.submit("fails.py")
    server.wait_finished(run_id)
    return run_id


@pytest.fixture(scope="module")
def huge(server: Server) -> str:
    run_id = server.submit("huge.py")
    server.wait_finished(run_id)
    return run_id


def test_filter_keeps_matches_and_their_neighbours(page: Page, failed: str) -> None:
    page.goto(f"/runs/{failed}")
    page.get_by_test_id("log-search").fill("row 57")
    page.get_by_test_id("log-filter").select_option("3")
    expect(lines(page)).to_have_text([f"ok row {n}" for n in range(54, 61)])
    page.get_by_test_id("log-filter").select_option("0")
    expect(lines(page)).to_have_text(["ok row 57"])
    page.get_by_test_id("log-search").fill("nowhere")
    hidden = page.get_by_test_id("log-hidden")
    expect(hidden).to_contain_text("lines hidden")
    hidden.get_by_role("button").click()
    expect(lines(page).first).to_be_visible()


def test_level_hides_what_is_below_it(page: Page, server: Server) -> None:
    server.write_script(
        "levels.py",
        "print('start')\nprint('INFO one row')\nprint('ERROR broken row')\n"
        "print('  in the middle')\nprint('WARNING slow row')\nprint('INFO two')\n",
    )
    run_id = server.submit("levels.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    level = page.get_by_test_id("log-level")
    level.select_option("WARNING")
    expect(lines(page)).to_have_text(
        ["ERROR broken row", "  in the middle", "WARNING slow row"]
    )
    page.get_by_test_id("log-search").fill("row")
    expect(page.get_by_test_id("log-hits")).to_have_text("1 of 2")
    page.get_by_test_id("log-filter").select_option("0")
    expect(lines(page)).to_have_text(["ERROR broken row", "WARNING slow row"])
    level.select_option("CRITICAL")
    page.get_by_test_id("log-hidden").get_by_role("button").click()
    expect(lines(page)).to_have_count(6)


def test_whole_words_are_told_from_parts(page: Page, failed: str) -> None:
    page.goto(f"/runs/{failed}")
    page.get_by_test_id("log-search").fill("row 5")
    expect(page.get_by_test_id("log-hits")).to_have_text("1 of 11")
    page.get_by_role("button", name="Whole words only").click()
    expect(page.get_by_test_id("log-hits")).to_have_text("1 of 1")


def test_long_lines_wrap_and_the_log_takes_the_window(
    page: Page, server: Server
) -> None:
    server.write_script("wide.py", "print('a' * 3000)\nprint('next')\n")
    run_id = server.submit("wide.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    expect(lines(page)).to_have_count(2)
    scroller = page.locator(".log-scroll")
    overflows = "element => element.scrollWidth > element.clientWidth + 1"
    assert scroller.evaluate(overflows)
    page.get_by_test_id("log-wrap").click()
    expect(page.locator(".log.is-wrapped")).to_be_visible()
    expect(page.locator(".log-line").first).not_to_have_css("height", "19px")
    assert not scroller.evaluate(overflows)
    page.get_by_test_id("log-full").click()
    box = page.get_by_test_id("log-view").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["height"]) == (0, 0, 900)
    page.keyboard.press("Escape")
    page.get_by_test_id("log-wrap").click()


def test_very_long_log_is_read_from_the_server(page: Page, huge: str) -> None:
    page.goto(f"/runs/{huge}")
    page.get_by_test_id("log-all").click()
    view = page.get_by_test_id("log-windows")
    expect(view.get_by_test_id("log-size")).to_have_text("200,000 lines")
    expect(lines(page).first).to_have_text(f"{1:099d}")
    page.get_by_test_id("log-search").fill("0123456")
    page.keyboard.press("Enter")
    expect(page.locator(".is-current .log-text")).to_have_text(f"{123456:099d}")
    expect(page.get_by_test_id("log-hits")).to_contain_text("1 of 1")
    page.locator(".log-scroll").evaluate("e => e.scrollTop = e.scrollHeight")
    expect(lines(page).last).to_have_text(f"{200_000:099d}")


def test_the_server_searches_as_the_page_does(page: Page, huge: str, watch) -> None:
    watch.allow("status of 422")
    page.goto(f"/runs/{huge}")
    page.get_by_test_id("log-all").click()
    box, hits = page.get_by_test_id("log-search"), page.get_by_test_id("log-hits")
    box.fill("777$")
    expect(hits).to_have_text("no match")
    page.get_by_role("button", name="Regular expression").click()
    expect(hits).to_have_text("1 of 200")
    expect(page.locator(".is-current .log-text")).to_have_text(f"{777:099d}")
    page.get_by_role("button", name="Next match").click()
    expect(page.locator(".is-current .log-text")).to_have_text(f"{1777:099d}")
    expect(page.locator(".is-current mark")).to_have_text("777")
    page.get_by_role("button", name="Previous match").click()
    page.get_by_role("button", name="Previous match").click()
    expect(hits).to_have_text("200 of 200")
    page.get_by_test_id("log-filter").select_option("3")
    shown = [*range(774, 781), *range(1774, 1781)]
    expect(lines(page).first).to_have_text(f"{shown[0]:099d}")
    for at, number in enumerate(shown):
        expect(lines(page).nth(at)).to_have_text(f"{number:099d}")
    expect(page.locator(".log-line").nth(7)).to_have_class(re.compile("is-gap"))
    box.fill("7(")
    expect(page.get_by_test_id("log-search-error")).to_contain_text("position 1")
    box.fill("")
    expect(page.get_by_test_id("log-size")).to_have_text("200,000 lines")


def test_the_server_filters_by_level(page: Page, server: Server) -> None:
    server.write_script(
        "huge_levels.py",
        "import sys\n"
        "for n in range(100_000):\n"
        "    level = 'ERROR' if n % 1000 == 7 else 'INFO'\n"
        "    sys.stdout.write(f'{level} row {n} {0:0200d}\\n')\n"
        "    if n == 7: sys.stdout.write('  in the middle\\n')\n",
    )
    run_id = server.submit("huge_levels.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}#L3")
    level = page.get_by_test_id("log-windows").get_by_test_id("log-level")
    level.select_option("ERROR")
    expect(lines(page).nth(2)).to_contain_text("ERROR row 1007")
    assert lines(page).nth(1).inner_text().strip() == "in the middle"
    level.select_option("CRITICAL")
    page.get_by_test_id("log-hidden").get_by_role("button").click()
    expect(lines(page).first).to_contain_text("INFO row 0")


def test_address_of_a_line_that_is_not_loaded_leads_to_it(
    page: Page, huge: str
) -> None:
    page.goto(f"/runs/{huge}#L777")
    expect(page.locator(".is-marked .log-text")).to_have_text(f"{777:099d}")
