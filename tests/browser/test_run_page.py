"""The page of one run: its log, live and stored, and the tabs beside it."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import expect_status
from tests.browser.watch import Watch
from tests.server import Server


def lines(page: Page) -> Locator:
    return page.locator(".log-line .log-text")


def test_log_grows_while_the_script_prints(
    page: Page, server: Server, tmp_path: Path
) -> None:
    feed = tmp_path / "feed.txt"
    feed.write_text("first\n")
    run_id = server.submit("echo_file.py", args=[str(feed)])
    page.goto(f"/runs/{run_id}")
    expect(lines(page)).to_have_text(["first"])
    with feed.open("a") as file:
        file.write("second\nhälf ünd €\n")
    expect(lines(page)).to_have_text(["first", "second", "hälf ünd €"])
    expect(page.get_by_test_id("log-follow")).to_have_attribute("aria-pressed", "true")
    with feed.open("a") as file:
        file.write("last\nend\n")
    expect_status(page, "completed", "success")
    expect(lines(page)).to_have_text(["first", "second", "hälf ünd €", "last"])
    expect(page).to_have_title("echo_file.py completed · Script Runner")


def test_live_and_stored_log_are_the_same(
    page: Page, server: Server, tmp_path: Path
) -> None:
    feed = tmp_path / "feed.txt"
    feed.write_text("")
    run_id = server.submit("echo_file.py", args=[str(feed)])
    page.goto(f"/runs/{run_id}")
    expect_status(page, "running")
    with feed.open("ab") as file:
        for number in range(25):
            file.write(f"\x1b[3{number % 8}mzeile {number}\x1b[0m €\n".encode())
            file.flush()
        file.write(b"end\n")
    expect_status(page, "completed")
    expect(lines(page)).to_have_count(25)
    live = lines(page).all_inner_texts()
    page.reload()
    expect(lines(page)).to_have_count(25)
    assert lines(page).all_inner_texts() == live


def test_scrolling_up_stops_following(
    page: Page, server: Server, tmp_path: Path
) -> None:
    feed = tmp_path / "feed.txt"
    feed.write_text("".join(f"line {n}\n" for n in range(300)))
    run_id = server.submit("echo_file.py", args=[str(feed)])
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_text("line 299", exact=True)).to_be_visible()
    scroller = page.locator(".log-scroll")
    scroller.hover()
    page.mouse.wheel(0, -2000)
    follow = page.get_by_test_id("log-follow")
    expect(follow).to_have_attribute("aria-pressed", "false")
    with feed.open("a") as file:
        file.write("one more\n")
    expect(page.get_by_test_id("log-new-lines")).to_have_text("1 new line")
    page.get_by_test_id("log-new-lines").click()
    expect(page.get_by_text("one more", exact=True)).to_be_visible()
    with feed.open("a") as file:
        file.write("end\n")
    server.wait_finished(run_id)


def test_failed_run_opens_at_its_error(page: Page, server: Server) -> None:
    run_id = server.submit("fails.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    expect_status(page, "failed", "exit 1")
    expect(page.get_by_test_id("error-summary")).to_contain_text(
        "Exit code 1 · KeyError: 'nobody'"
    )
    start = page.locator(".log-line.is-error")
    expect(start).to_contain_text("Traceback (most recent call last)")
    expect(start).to_be_in_viewport()


def test_streams_can_be_seen_apart(page: Page, server: Server) -> None:
    run_id = server.submit("fails.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    page.get_by_test_id("log-stream-stderr").check()
    expect(lines(page).first).to_have_text("about to fail")
    expect(page.get_by_test_id("log-size")).to_contain_text("6 lines")
    page.get_by_test_id("log-stream-stdout").check()
    expect(page.get_by_test_id("log-size")).to_contain_text("200 lines")


def test_colours_are_shown_and_nothing_else_is_obeyed(
    page: Page, server: Server
) -> None:
    run_id = server.submit("colours.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    expect(page.locator(".ansi-fg-1.ansi-bold")).to_have_text("red")
    expect(page.locator(".ansi-fg-free").first).to_have_text("orange")
    expect(lines(page).nth(2)).to_have_text("100%")
    expect(lines(page).nth(3)).to_have_text("<b>not markup</b> link")
    expect(page.locator(".log-text a, .log-text b")).to_have_count(0)


def test_search_finds_counts_and_walks(page: Page, server: Server) -> None:
    run_id = server.submit("many.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_test_id("log-size")).to_contain_text("100,000 lines")
    page.get_by_test_id("log-search").fill("line 9999")
    expect(page.get_by_test_id("log-hits")).to_have_text("1 of 11")
    expect(page.locator("mark")).to_have_text("line 9999")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("log-hits")).to_have_text("2 of 11")
    expect(page.get_by_text("line 99990 of many")).to_be_in_viewport()
    page.get_by_role("button", name="Regular expression").click()
    page.get_by_test_id("log-search").fill("line [0-9]0000 ")
    expect(page.get_by_test_id("log-hits")).to_have_text("1 of 9")
    page.get_by_test_id("log-search").fill("(")
    expect(page.get_by_test_id("log-hits")).to_have_text("not a valid expression")
    page.get_by_test_id("log-search").fill("nothing like it")
    expect(page.get_by_test_id("log-hits")).to_have_text("no match")


def test_only_visible_lines_are_drawn(page: Page, server: Server) -> None:
    run_id = server.submit("many.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_test_id("log-size")).to_contain_text("100,000 lines")
    assert lines(page).count() < 120
    page.locator(".log-scroll").press("End")
    expect(page.get_by_text("line 99999 of many")).to_be_visible()
    assert lines(page).count() < 120


def test_address_of_a_line_leads_to_it(page: Page, server: Server) -> None:
    run_id = server.submit("many.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}/log#L50001-L50003")
    marked = page.locator(".log-line.is-marked")
    expect(marked).to_have_count(3)
    expect(marked.first).to_contain_text("line 50000 of many")
    expect(marked.first).to_be_in_viewport()
    page.locator(".log-no", has_text="50005").click()
    expect(page).to_have_url(re.compile("#L50005$"))
    expect(marked).to_have_count(1)


def test_of_a_huge_log_the_end_is_shown_and_that_is_said(
    page: Page, server: Server
) -> None:
    run_id = server.submit("huge.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}#L200000")
    expect(
        page.get_by_text("Not shown here: the first 3.1 MiB of stdout")
    ).to_be_visible()
    marked = page.locator(".log-line.is-marked")
    expect(marked.locator(".log-no")).to_have_text("200000")
    expect(marked.locator(".log-text")).to_have_text(f"{200_000:099d}")
    # The numbers have room for their digits, on a phone too.
    for width in (1400, 390):
        page.set_viewport_size({"width": width, "height": 844})
        number = marked.locator(".log-no")
        expect(number).to_be_visible()
        assert number.evaluate(
            """e => { const range = document.createRange(); range.selectNodeContents(e);
            const { left, right } = range.getBoundingClientRect();
            const box = e.getBoundingClientRect();
            return left >= box.left - 0.5 && right <= box.right + 0.5; }"""
        )


def test_download_has_the_whole_log(page: Page, server: Server) -> None:
    run_id = server.submit("fails.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    with page.expect_download() as download:
        page.get_by_test_id("log-download").click()
    text = Path(download.value.path()).read_text()
    assert "row 199" in text
    assert "KeyError" in text


def test_each_attempt_has_its_log(page: Page, server: Server) -> None:
    run_id = server.submit("flaky.py", retry_on_failure=True, retry_initial_delay=0.1)
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}")
    expect(lines(page)).to_have_text(["attempt 2"])
    page.get_by_test_id("log-attempt").select_option("1")
    expect(lines(page)).to_have_text(["attempt 1"])


def test_steps_events_and_details(page: Page, server: Server) -> None:
    run_id = server.submit(
        "hello.py",
        enable_visualizer=True,
        env_vars={"API_TOKEN": "hush-hush", "STAGE": "test"},
    )
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}/steps")
    expect(page.get_by_test_id("steps-table")).to_contain_text("Execution")
    page.get_by_test_id("tab-events").click()
    expect(page).to_have_url(re.compile(f"/runs/{run_id}/events$"))
    table = page.get_by_test_id("events-table")
    for name in ("queued", "start", "success", "finished"):
        expect(table.get_by_text(name, exact=True).first).to_be_visible()
    page.get_by_test_id("tab-details").click()
    details = page.get_by_test_id("details")
    expect(details).to_contain_text("STAGE test")
    expect(details).to_contain_text("API_TOKEN ***")
    expect(details).to_contain_text("execution_time_seconds")
    expect(page.locator("body")).not_to_contain_text("hush-hush")


def test_run_without_report_shows_what_is_known(page: Page, server: Server) -> None:
    run_id = server.submit("hello.py")
    server.wait_finished(run_id)
    page.goto(f"/runs/{run_id}/steps")
    expect(page.get_by_test_id("no-report")).to_contain_text("No step report")
    expect(page.get_by_test_id("steps-table")).to_contain_text("Attempt 1")


def test_orders_on_the_page_of_a_run(page: Page, server: Server) -> None:
    run_id = server.submit("wait.py")
    page.goto(f"/runs/{run_id}")
    expect(lines(page)).to_have_text(["waiting"])
    page.get_by_test_id("run-restart").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("This run is still active")
    page.get_by_test_id("dialog-confirm").click()
    expect(page).not_to_have_url(re.compile(run_id))
    expect(page.get_by_text(f"restart of {run_id[:8]}")).to_be_visible()
    expect_status(page, "running")
    page.get_by_test_id("run-stop").click()
    expect_status(page, "cancelled", "stopped")


def test_unknown_run_and_unknown_page(page: Page, watch: Watch) -> None:
    watch.allow("404 \\(Not Found\\)")
    page.goto("/runs/00000000-0000-4000-8000-000000000000")
    expect(page.get_by_role("heading", name="Run not found")).to_be_visible()
    answer = page.goto("/no/such/page")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    page.get_by_role("link", name="To the Runner").click()
    expect(page.get_by_test_id("launch-form")).to_be_visible()
