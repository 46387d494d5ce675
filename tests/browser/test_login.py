"""A service that asks everybody for a token: in by the form, out by the button."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.acceptance.conftest import make_token
from tests.browser.accessibility import expect_nothing_found
from tests.browser.conftest import PATIENCE_MS
from tests.browser.watch import Watch
from tests.server import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environment = {"WEBAPI_LOCAL_ROLE": "none"}
    folder = tmp_path_factory.mktemp("closed")
    with running_server(folder, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return make_token(server)


@pytest.fixture
def with_script() -> bool:
    return True


@pytest.fixture
def context(
    with_script: bool, browser: Browser, server: Server, watch: Watch
) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=server.url, java_script_enabled=with_script)
    context.set_default_timeout(PATIENCE_MS)
    watch.allow("401")
    watch.over(context)
    yield context
    context.close()


def log_in(page: Page, token: str) -> None:
    page.get_by_label("Access token").fill(token)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("with_script", [True, False])
def test_token_leads_back_to_where_one_was(page: Page, token: str) -> None:
    page.goto("/?q=nothing")
    expect(page.get_by_role("alert")).to_contain_text("A token is needed")
    expect(page.get_by_label("Access token")).to_be_focused()
    log_in(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("The token is not valid")

    log_in(page, token)

    expect(page).to_have_url(re.compile(r"/\?q=nothing$"))
    expect(page.get_by_role("navigation")).to_be_visible()


def test_logout_leads_to_the_form_and_closes_the_door(page: Page, token: str) -> None:
    page.goto("/login")
    log_in(page, token)
    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_label("Access token")).to_be_visible()
    page.goto("/")
    expect(page.get_by_label("Access token")).to_be_visible()


def test_form_is_for_everybody(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_label("Access token")).to_be_visible()
    expect_nothing_found(page)
