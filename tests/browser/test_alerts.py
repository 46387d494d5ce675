"""Alerts: what a rule found stands there, is acknowledged; channels are tried."""

import pytest
from playwright.sync_api import Page, expect

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
