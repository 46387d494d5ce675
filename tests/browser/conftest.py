"""A real browser against a real service. Any console error, page error or policy report
fails the test in which it happens.

Debian's Chromium is driven by Playwright from pip. The one without windows draws the
same pages for half of the work: ``apt-get install chromium-headless-shell``.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import samples
from tests.browser.scripts import SCRIPTS
from tests.browser.watch import Watch
from tests.server import Server, running_server

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
]
#: Milliseconds that a page may take to show something; generous, since tests share the
#: machine.
PATIENCE_MS = 8_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    reason = "No Chromium here: apt-get install chromium-headless-shell"
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.chromium)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=reason))


expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this folder; its driver runs an event loop until it is closed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One service for all tests of this folder; each looks only at its own runs."""
    folder = tmp_path_factory.mktemp("browser")
    environment = {"WEBAPI_SLOTS": "6", "WEBAPI_STOP_GRACE": "2"}
    with running_server(folder, environment=environment) as running:
        for name, text in SCRIPTS.items():
            running.write_script(name, text)
        yield running


@pytest.fixture(scope="package")
def filled(server: Server) -> Server:
    """The same service with history, tasks and a library."""
    samples.fill(server)
    return server


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What goes wrong in the browser during a test; expected faults are allowed first."""
    watch = Watch()
    yield watch
    watch.check()


@pytest.fixture
def context(browser: Browser, server: Server, watch: Watch) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=server.url, viewport={"width": 1400, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    watch.over(context)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
