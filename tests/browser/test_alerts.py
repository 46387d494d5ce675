"""Alerts: what a rule found stands there, is acknowledged, muted; channels are tried."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.accessibility import expect_nothing_found
from tests.browser.test_a11y import expect_no_sideways_scroll
from tests.server import Server

pytestmark = pytest.mark.slow


def test_an_alert_appears_and_is_acknowledged(page: Page, server: Server) -> None:
    rule = {
        "name": "too quick",
        "condition": "execution_time < 60",
        "channels": ["log"],
    }
    page.goto("/alerts")
    expect(page.get_by_test_id("live-state")).to_have_text("live")
    run_id = server.submit("hello.py", alerts=[rule])
    row = page.get_by_test_id("alert-row").filter(has_text=run_id[:8])
    expect(row).to_contain_text("too quick")
    expect(row).to_contain_text("execution_time_seconds = ")
    row.get_by_test_id("alert-acknowledge").click()
    expect(row).to_contain_text("by local")


def test_a_rule_is_muted_for_everybody_and_unmuted(
    page: Page, context: BrowserContext, server: Server
) -> None:
    server.write_script("noisy.py", "print()\n")
    rule = {"name": "noise", "condition": "true", "channels": ["log"]}
    first = server.submit("noisy.py", alerts=[rule])
    page.goto("/alerts?script=noisy")
    row = page.get_by_test_id("alert-row").filter(has_text=first[:8])
    expect(row).to_contain_text("log: sent")
    row.get_by_test_id("alert-mute").click()
    page.get_by_test_id("mute-time-28800").check()
    page.get_by_test_id("mute-note").fill("moving house")
    page.get_by_test_id("mute-submit").click()
    expect(page.get_by_test_id("dialog")).to_have_count(0)
    second = server.submit("noisy.py", alerts=[rule])
    row = page.get_by_test_id("alert-row").filter(has_text=second[:8])
    expect(row).to_contain_text("log: muted")
    expect(row).to_contain_text("by local: moving house")
    page.get_by_test_id("alert-delivery").select_option("sent")
    expect(row).to_have_count(0)
    page.get_by_test_id("alert-delivery").select_option("muted")
    expect(row).to_be_visible()
    page.get_by_test_id("alert-seen").select_option("true")
    expect(page.get_by_test_id("empty")).to_contain_text("No alert matches")
    page.get_by_role("button", name="Show all").click()
    page.get_by_test_id("alert-script").fill("noisy")

    other = context.new_page()
    other.goto("/alerts?part=mutes")
    muted = other.get_by_test_id("mute-row").filter(has_text="noisy.py")
    expect(muted).to_contain_text("rule noise")
    expect(muted).to_contain_text("in 8 h")
    muted.get_by_test_id("unmute").click()
    expect(muted).to_have_count(0)
    third = server.submit("noisy.py", alerts=[rule])
    row = page.get_by_test_id("alert-row").filter(has_text=third[:8])
    expect(row).to_contain_text("log: sent")


def test_muting_is_accessible_on_a_phone(page: Page, server: Server) -> None:
    server.write_script("quiet.py", "print()\n")
    rule = {"name": "quiet", "condition": "true or exit_code > 0"}
    server.wait_finished(server.submit("quiet.py", alerts=[rule]))
    page.emulate_media(reduced_motion="reduce", color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto("/alerts?part=mutes")
    page.get_by_label("Script", exact=True).fill("quiet.py")
    page.get_by_test_id("mute-time").select_option("")
    page.get_by_test_id("mute-add").click()
    muted = page.get_by_test_id("mute-row").filter(has_text="quiet.py")
    expect(muted).to_contain_text("when unmuted")
    expect(muted).to_contain_text("every rule")
    check_looks(page, "main")
    page.goto("/alerts?script=quiet")
    page.get_by_test_id("alert-mute").click()
    expect(page.get_by_test_id("mute-what-rule")).to_be_checked()
    check_looks(page, "dialog")


def check_looks(page: Page, place: str) -> None:
    """Nothing is wider than the page, and axe finds nothing, in both themes."""
    expect(page.get_by_test_id("skeleton")).to_have_count(0)
    expect_no_sideways_scroll(page)
    expect_nothing_found(page, place=place)


def test_a_channel_is_tried(page: Page) -> None:
    page.goto("/alerts?part=channels")
    log = page.locator('[data-channel="log"]')
    log.get_by_test_id("channel-test").click()
    expect(log).to_contain_text("sent")
    slack = page.locator('[data-channel="slack"]').get_by_test_id("channel-test")
    expect(slack).to_have_attribute("aria-disabled", "true")
    expect(slack).to_have_attribute(
        "title", "slack has no address: give slack_webhook or set WEBAPI_SLACK_WEBHOOK"
    )


def test_a_rule_is_tried_on_the_last_runs(page: Page, server: Server) -> None:
    server.wait_finished(server.submit("hello.py"))
    page.goto("/alerts?part=try")
    page.get_by_test_id("try-condition").fill("execution_time < 3600")
    expect(page.get_by_test_id("try-count")).to_contain_text("would have alerted")
    expect(page.get_by_test_id("try-runs")).to_contain_text("would alert")
    page.get_by_test_id("try-condition").fill("execution_time <")
    expect(page.get_by_test_id("try-verdict").locator(".text-bad")).to_be_visible()
    expect(page.get_by_test_id("try-runs")).to_have_count(0)
