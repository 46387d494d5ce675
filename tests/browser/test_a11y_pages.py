"""axe finds nothing on the pages of library, schedules, analytics, alerts and system."""

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser import samples
from tests.browser.accessibility import expect_nothing_found
from tests.browser.test_a11y import DESKTOP, PHONE, WINDOW, expect_good_at
from tests.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

#: Address (`{script}` is the one with a history), and what must be there first.
PLACES = [
    ("/library?search=nightly&script={id}", "lib-source"),
    ("/library/{id}?part=versions", "lib-versions"),
    ("/library/duplicates", "duplicate-group"),
    ("/schedules?new=1&q=nightly", "sch-table"),
    ("/schedules?view=calendar", "sch-calendar"),
    ("/schedules?view=day", "sch-day"),
    ("/schedules?view=graph", "graph"),
    ("/schedules/nightly-etl", "sch-why"),
    ("/analytics?script={script}", "an-distribution"),
    ("/analytics?part=benchmarks&script={script}", "an-regressions"),
    ("/analytics?part=history&days=1&script={script}", "an-history-table"),
    ("/analytics/gates?script={script}", "gate-verdict"),
    ("/alerts?part=channels", "channel-row"),
    ("/alerts?part=mutes", "mute-add"),
    ("/system", "sys-health"),
    ("/settings", "settings-server"),
    ("/tokens", "token-add"),
    ("/audit?action=schedule", "audit-table"),
]


@pytest.mark.parametrize(("address", "there"), PLACES)
def test_page(page: Page, filled: Server, address: str, there: str) -> None:
    """Header and footer are looked at by ``test_a11y``, so only ``main`` is here."""
    page.emulate_media(reduced_motion="reduce", color_scheme="light")
    script_id = samples.find_scripts(filled)[samples.ETL]
    path = quote(str(filled.root / samples.ETL))
    page.goto(address.format(script=path, id=script_id))
    expect(page.get_by_test_id(there).first).to_be_visible()
    expect_good_at(page, WINDOW)
    for width in (DESKTOP, PHONE):
        expect_good_at(page, width)
        expect(page.get_by_test_id(there).first).to_be_visible()
        expect_nothing_found(page, place="main")
