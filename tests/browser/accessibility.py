"""What axe finds wrong on a page, in both themes."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.shots import keep_picture

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    },
    "resultTypes": ["violations"],
    "preload": False,
}
#: What a theme can break; the structure of a page is the same in both.
COLOURS = {**RULES, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
RUN = (
    "([place, options]) =>"
    " axe.run(place ?? document, options).then((results) => results.violations)"
)


def expect_nothing_found(page: Page, *, place: str | None = None) -> None:
    """Let axe look at the page, or at what is below ``place``, and keep its pictures.

    All rules in the light theme, then the colours in the dark one; the page ends light.
    """
    page.emulate_media(color_scheme="light")
    found = find_faults(page, RULES, place=place)
    keep_picture(page, "light")
    page.emulate_media(color_scheme="dark")
    found += find_faults(page, COLOURS, place=place)
    keep_picture(page, "dark")
    page.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


def find_faults(
    page: Page, rules: dict[str, Any] = RULES, *, place: str | None = None
) -> list[str]:
    """Return what axe finds below the element ``place``, or on the whole page."""
    if not page.evaluate("'axe' in window"):
        # Half a megabyte: once for each document.
        page.evaluate(Axe().axe_script)
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for each in page.evaluate(RUN, [place, rules])
        for node in each["nodes"][:3]
    ]
