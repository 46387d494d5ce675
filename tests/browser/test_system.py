"""System, settings, tokens and audit."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server import Server, running_server, wait_for

pytestmark = pytest.mark.slow


def test_the_state_of_the_service_in_one_sentence(page: Page) -> None:
    page.goto("/system")
    expect(page.get_by_test_id("sys-health")).to_have_attribute("data-tone", "good")
    for name in ("sys-cpu", "sys-memory", "sys-disk", "sys-slots"):
        expect(page.get_by_test_id(name)).not_to_be_empty()


def test_what_is_kept_is_said(page: Page, tmp_path: Path) -> None:
    environment = {"WEBAPI_KEEP_DAYS": "90", "WEBAPI_KEEP_MB": "20000"}
    with running_server(tmp_path, environment=environment) as server:
        page.goto(f"{server.url}/system")
        kept = page.get_by_test_id("sys-runs-kept")
        expect(kept).to_contain_text("at most 90 days and 20,000 MiB")
        stamp = server.data_dir / "run-retention.stamp"
        wait_for(stamp.exists, what="a first round")
        page.reload()
        expect(kept).to_contain_text("seen to")
        page.goto("about:blank")


def test_a_full_disk_is_said_first(page: Page, tmp_path: Path) -> None:
    # No disk has that much room: a real service takes its own for full.
    environment = {"WEBAPI_DISK_MARGIN": str(1 << 50)}
    with running_server(tmp_path, environment=environment) as full:
        page.goto(f"{full.url}/system")
        health = page.get_by_test_id("sys-health")
        expect(health).to_have_attribute("data-tone", "bad")
        expect(health).to_contain_text("new runs are refused")
        page.goto("about:blank")


def test_choices_are_kept_in_the_browser(page: Page) -> None:
    page.goto("/settings")
    page.get_by_test_id("set-theme-dark").check()
    page.get_by_test_id("set-density-compact").check()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.dataset.density") == "compact"
    page.get_by_test_id("settings-search").fill("slots")
    table = page.get_by_test_id("settings-server")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table).to_contain_text("environment")


def read_token(page: Page) -> str:
    """Return the token that a dialog shows, and close that."""
    shown = page.get_by_test_id("token-text")
    expect(shown).to_be_visible()
    text = shown.inner_text()
    page.keyboard.press("Escape")
    return text


def test_a_token_is_shown_once_and_revoked(page: Page, server: Server) -> None:
    page.goto("/tokens")
    page.get_by_test_id("token-name").fill("robot")
    page.get_by_test_id("token-add").click()
    text = read_token(page)
    assert text.startswith("wapi_")
    row = page.locator(f'[data-token-id="{text.split("_")[1]}"]')
    row.get_by_test_id("token-revoke").click()
    page.get_by_test_id("dialog-confirm").click()
    expect(row).to_contain_text("revoked")
    headers = {"Authorization": f"Bearer {text}"}
    assert server.client.get("/api/me", headers=headers).status_code == 401


def test_a_token_ends_by_itself(page: Page) -> None:
    page.goto("/tokens")
    page.get_by_test_id("token-end").select_option("30d")
    page.get_by_test_id("token-add").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("expires in 30 d")
    text = read_token(page)
    row = page.locator(f'[data-token-id="{text.split("_")[1]}"]')
    expect(row).to_contain_text("in 30 d")
    page.get_by_test_id("token-end").select_option("date")
    page.get_by_test_id("token-date").fill("2036-01-31")
    page.get_by_test_id("token-add").click()
    expect(page.get_by_test_id("dialog")).to_contain_text("expires in")


def test_a_token_for_another_system_fires_one_event(page: Page, server: Server) -> None:
    page.goto("/tokens")
    page.get_by_test_id("token-role").select_option("event")
    page.get_by_test_id("token-event").fill("parcel")
    page.get_by_test_id("token-add").click()
    text = read_token(page)
    row = page.locator(f'[data-token-id="{text.split("_")[1]}"]')
    expect(row).to_contain_text("fire parcel")
    headers = {"Authorization": f"Bearer {text}"}
    assert server.client.get("/api/runs", headers=headers).status_code == 403


def test_the_trail_is_filtered(page: Page, server: Server) -> None:
    token = server.client.post("/api/tokens", json={"name": "x"}).json()["id"]
    query = {"q": token, "action": "token"}
    wait_for(
        lambda: server.client.get("/api/audit", params=query).json()["items"],
        what="the line about the token",
    )
    page.goto("/audit?action=token")
    rows = page.get_by_test_id("audit-row")
    expect(rows.filter(has_text=token)).to_have_count(1)
    page.get_by_test_id("audit-search").fill(token)
    expect(rows).to_have_count(1)
    page.get_by_test_id("audit-decision").select_option("refused")
    expect(page.get_by_test_id("empty")).to_contain_text("No line matches")
