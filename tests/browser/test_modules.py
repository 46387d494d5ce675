"""The pure modules of the page, tested where they run: ``js/*.test.js`` in Chromium."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

FOLDER = Path(__file__).parent / "js"


@pytest.mark.parametrize("name", sorted(each.stem for each in FOLDER.glob("*.test.js")))
def test_module(page: Page, name: str) -> None:
    def answer(route: Route) -> None:
        file = FOLDER / route.request.url.rpartition("/")[2]
        route.fulfill(body=file.read_text(), content_type="text/javascript")

    page.route("**/js/tests/*.js", answer)
    page.goto("/")
    result = page.evaluate(
        """async (name) => {
            const { static: folder } = JSON.parse(document.documentElement.dataset.boot);
            const { run } = await import(`${folder}/js/tests/${name}.js`);
            return run();
        }""",
        name,
    )
    assert result["failed"] == []
    assert result["count"] > 3
