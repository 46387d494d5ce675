"""Pictures of what tests have looked at, for a person to look at as well."""

import os
import re
from pathlib import Path

from playwright.sync_api import Page

#: Not in the repository; each run of the tests writes them anew.
FOLDER = Path(__file__).parent / "screenshots"
#: Milliseconds; a picture is never what a test fails of on a slow machine.
PATIENCE_MS = 30_000


def keep_picture(page: Page, theme: str) -> None:
    """Write the visible part of the page, named after the test, the width and the theme."""
    test = os.environ["PYTEST_CURRENT_TEST"].partition("::")[2]
    name = re.sub(r"[^a-z0-9]+", "-", test.removesuffix(" (call)").lower()).strip("-")
    size = page.viewport_size
    width = size["width"] if size else 0
    FOLDER.mkdir(exist_ok=True)
    page.screenshot(
        path=FOLDER / f"{name}-{width}-{theme}.jpeg",
        type="jpeg",
        quality=80,
        timeout=PATIENCE_MS,
    )
