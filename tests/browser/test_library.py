"""The library: roots are added and scanned, scripts found, described, compared and run."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import samples
from tests.browser.pages import row
from tests.server import Server

pytestmark = pytest.mark.slow


def script(page: Page, script_id: int) -> Locator:
    return page.locator(f'[data-testid=script-row][data-script-id="{script_id}"]')


@pytest.fixture
def scripts(filled: Server) -> dict[str, int]:
    """Ids of the scripts by path below their root."""
    return samples.find_scripts(filled)


def test_a_root_is_added_scanned_and_removed(page: Page, filled: Server) -> None:
    folder = filled.root / "extra"
    filled.write_script("extra/one.py", "print(1)\n")
    page.goto("/library")
    page.get_by_test_id("root-add").click()
    page.get_by_test_id("root-browse").click()
    picker = page.get_by_test_id("folder-picker")
    picker.get_by_role("button", name=str(filled.root)).click()
    picker.locator('[data-path="extra"]').click()
    picker.get_by_test_id("folder-use").click()
    expect(page.get_by_test_id("root-path")).to_have_value(str(folder))
    page.get_by_test_id("root-name").fill("Extra")
    page.get_by_test_id("root-submit").click()
    root = page.get_by_test_id("root-row").filter(has_text="Extra")
    state = root.get_by_test_id("root-scan-state")
    expect(state).to_have_attribute("data-status", "completed")
    expect(state).to_contain_text("1 new")
    filled.write_script("extra/two.py", "print(2)\n")
    root.get_by_test_id("root-scan").click()
    expect(state).to_contain_text("1 new")
    expect(root).to_contain_text("2")
    root.get_by_role("button", name="More for Extra").click()
    page.get_by_test_id("root-edit").click()
    page.get_by_test_id("root-exclude_patterns").fill("two.py")
    page.get_by_test_id("root-submit").click()
    expect(state).to_contain_text("1 gone")
    root.get_by_role("button", name="More for Extra").click()
    page.get_by_test_id("root-delete").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("the library with their tags")
    page.get_by_test_id("dialog-confirm").click()
    expect(root).to_have_count(0)


def test_filters_are_in_the_address(page: Page, scripts: dict[str, int]) -> None:
    page.goto("/library")
    etl = script(page, scripts[samples.ETL])
    expect(etl).to_be_visible()
    page.get_by_test_id("lib-filter-tag").select_option("ml")
    expect(etl).to_have_count(0)
    expect(script(page, scripts["ml/train_model.py"])).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("script-row")).to_have_count(1)
    page.get_by_test_id("lib-filter-tag").select_option("")
    page.get_by_test_id("lib-search").fill("nightly")
    expect(etl).to_be_visible()
    expect(page.get_by_test_id("script-row")).to_have_count(1)
    page.get_by_test_id("lib-search").fill("no such script")
    page.get_by_role("button", name="Show all scripts").click()
    page.get_by_test_id("lib-filter-status").select_option("deprecated")
    expect(page.get_by_test_id("script-row")).to_have_count(1)


def test_folders_unfold_and_filter(page: Page, scripts: dict[str, int]) -> None:
    page.goto("/library")
    page.get_by_role("button", name="Folders of Ops").click()
    page.locator(".tree").get_by_role("button", name=re.compile("^old")).click()
    expect(page).to_have_url(re.compile("folder=old"))
    expect(page.get_by_test_id("script-row")).to_have_count(1)
    expect(script(page, scripts["old/backup.py"])).to_be_visible()


def test_text_inside_the_scripts_is_found(page: Page, scripts: dict[str, int]) -> None:
    page.goto("/library")
    page.get_by_test_id("lib-search-content").check()
    page.get_by_test_id("lib-search").fill("One batch per hour")
    expect(page.get_by_test_id("script-row")).to_have_count(1)
    expect(script(page, scripts[samples.ETL])).to_be_visible()


def test_the_preview_shows_source_and_is_edited_in_place(
    page: Page, filled: Server, scripts: dict[str, int]
) -> None:
    script_id = scripts["jobs/sync_users.py"]
    page.goto("/library")
    script(page, script_id).get_by_text("Python").click()
    preview = page.get_by_test_id("lib-preview")
    expect(preview.locator(".hl-s").first).to_contain_text("nobody new")
    page.get_by_test_id("meta-status").select_option("draft")
    page.get_by_test_id("meta-owner").fill("bob")
    page.get_by_test_id("meta-save").click()
    expect(script(page, script_id)).to_contain_text("draft")
    expect(script(page, script_id)).to_contain_text("bob")
    stored = filled.client.get(f"/api/library/scripts/{script_id}").json()
    assert (stored["status"], stored["owner"]) == ("draft", "bob")


def test_a_tag_is_made_attached_and_taken_off(
    page: Page, scripts: dict[str, int]
) -> None:
    script_id = scripts["jobs/backup.py"]
    page.goto(f"/library?script={script_id}")
    page.get_by_test_id("tag-add").click()
    page.get_by_test_id("tag-name").fill("a|b")
    page.get_by_role("button", name="Colour #10b981").click()
    page.get_by_test_id("tag-save").click()
    page.get_by_test_id("tag-attach").get_by_role("button").click()
    page.get_by_test_id("attach-a|b").click()
    chip = script(page, script_id).locator('[data-tag="a|b"]')
    expect(chip).to_be_visible()
    assert "--tag: #10b981" in (chip.get_attribute("style") or "")
    preview = page.get_by_test_id("lib-preview")
    preview.get_by_role("button", name="Take the tag a|b off").click()
    expect(chip).to_have_count(0)
    page.get_by_role("button", name="Delete the tag a|b").click()
    page.get_by_test_id("dialog-confirm").click()
    expect(page.locator('[data-tag="a|b"]')).to_have_count(0)


def test_versions_and_duplicates_are_compared(
    page: Page, scripts: dict[str, int]
) -> None:
    page.goto(f"/library/{scripts[samples.ETL]}?part=versions")
    page.get_by_test_id("version-diff").first.click()
    expect(page.get_by_test_id("lib-diff")).to_contain_text("420 + 12")
    page.goto("/library")
    page.get_by_test_id("lib-duplicates").click()
    group = page.get_by_test_id("duplicate-group").filter(has_text="backup.py")
    expect(group).to_contain_text("equal contents")
    group.get_by_test_id("duplicate-compare").click()
    expect(group).to_contain_text("The two have the same bytes")


def test_run_switches_to_the_runner_with_the_run_in_focus(
    page: Page, scripts: dict[str, int]
) -> None:
    page.goto("/library")
    with page.expect_response("**/run") as answer:
        script(page, scripts["jobs/report.py"]).get_by_test_id("lib-run").click()
    run_id = answer.value.json()["run_id"]
    expect(page.get_by_test_id("nav-runner")).to_have_attribute("aria-current", "page")
    expect(row(page, run_id)).to_be_focused()
    expect(page.get_by_test_id("run-row").first).to_have_attribute(
        "data-run-id", run_id
    )
    page.goto(f"/library/{scripts['jobs/report.py']}?part=runs")
    expect(page.get_by_test_id("lib-runs")).to_contain_text(run_id[:8])
    expect(page.get_by_test_id("lib-run-figures")).to_contain_text("1 run")


def test_a_deprecated_script_asks_first(page: Page, scripts: dict[str, int]) -> None:
    page.goto("/library")
    script(page, scripts["old/backup.py"]).get_by_test_id("lib-run").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("deprecated")
    page.get_by_test_id("dialog-cancel").click()
    expect(page).to_have_url(re.compile("/library$"))


def test_rows_are_walked_and_opened_by_keyboard(page: Page, filled: Server) -> None:
    page.goto("/library")
    expect(page.get_by_test_id("script-row").first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.get_by_test_id("script-row").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("lib-preview")).to_have_attribute(
        "data-script-id", second.get_attribute("data-script-id") or ""
    )
    page.keyboard.press("/")
    expect(page.get_by_test_id("lib-search")).to_be_focused()
    assert filled.is_running()
