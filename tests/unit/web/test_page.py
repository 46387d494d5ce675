"""The HTML shell: readable without JavaScript, right under any prefix and in any theme."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.requests import Request

from scriptrunner.web import page as pages
from scriptrunner.web.assets import STATIC_FOLDER, read_assets
from scriptrunner.web.routes.dashboard import summary_of

ASSETS = read_assets(STATIC_FOLDER)
RUN_ID = "1a70c822-9d61-4a55-8b1e-0c5f8c1d2e3f"


def render(page: pages.Page = pages.RUNNER, **changes: object) -> str:
    values = {"root_path": "", "address": "http://127.0.0.1:9000/", "cookies": {}}
    return pages.render(page, assets=ASSETS, **{**values, **changes})  # type: ignore[arg-type]


class Links(HTMLParser):
    """Collects every address of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.boot: dict[str, Any] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "html":
            self.boot = json.loads(unescape(values["data-boot"] or ""))
        self.found += [v for k, v in attrs if k in {"href", "src"} and v]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "runner"),
        (f"/runs/{RUN_ID}", "run"),
        (f"/runs/{RUN_ID}/log", "run"),
        (f"/runs/{RUN_ID}/details", "run"),
        (f"/runs/{RUN_ID}/nothing", "not_found"),
        (f"/runs/{RUN_ID.upper()}", "not_found"),
        ("/runs/1", "not_found"),
        ("/library", "library"),
        ("/library/duplicates", "duplicates"),
        ("/library/12", "script"),
        ("/library/0", "not_found"),
        ("/schedules/nightly:etl", "schedule"),
        ("/analytics/gates", "gates"),
        ("/tokens", "tokens"),
        ("/index.html", "not_found"),
    ],
)
def test_pages_by_path(path: str, name: str) -> None:
    assert pages.find_page(path).name == name


def test_every_page_has_its_module() -> None:
    modules = [page.module for page in (*pages.PAGES, pages.NOT_FOUND)]
    assert [each for each in modules if each not in ASSETS.files] == []


def test_browser_and_server_know_the_same_pages() -> None:
    """The router of the page has the same names, paths and tabs, in the same order."""
    source = ASSETS.files["js/lib/router.js"].content.decode()
    row = r"^  \['([\w-]+)', (?:'([^']+)'|`[^`]+`), '(\w*)'\],"
    rows = re.findall(row, source, re.MULTILINE)
    ours = [(page.name.replace("_", "-"), page.tab) for page in pages.PAGES]
    assert [(name, tab) for name, _, tab in rows] == ours
    fixed = [page.pattern for page in pages.PAGES if "[" not in page.pattern]
    assert [path for _, path, _ in rows if path and "(" not in path] == fixed


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_one_tab_is_marked(page: pages.Page) -> None:
    html = render(page)
    assert html.count("aria-current=") == 1
    marked = re.search(r'data-tab="(\w+)"[^>]*aria-current="(\w+)"', html)
    assert marked is not None
    own = pages.find_page(f"/{page.tab}" if page.tab != "runner" else "/") is page
    assert marked.groups() == (page.tab, "page" if own else "true")


def test_unknown_page_is_a_404() -> None:
    assert pages.NOT_FOUND.status == 404
    assert "Page not found" in render(pages.NOT_FOUND)


def test_product_and_tabs_are_named_in_plain_markup() -> None:
    html = render()
    assert "<title>Script Runner</title>" in html
    for name in (
        "Runner",
        "Script Library",
        "Schedules",
        "Analytics",
        "Alerts",
        "System",
    ):
        assert name in html


def test_without_javascript_the_other_ways_are_named() -> None:
    html = render(address="http://runner.example:9000/")
    text = html[html.index("<noscript>") : html.index("</noscript>")]
    assert "scriptrunner run" in text
    assert "http://runner.example:9000/api/run" in text


def test_page_preloads_every_module_it_needs() -> None:
    html = render(pages.RUN)
    for module in ASSETS.modules_of("js/main.js", "js/pages/run.js"):
        assert f'modulepreload" href="/static/{ASSETS.version}/{module}"' in html


def test_what_the_runner_imports_later_is_named_but_not_preloaded() -> None:
    html = render(pages.RUNNER)
    soon = Links(html).boot["soon"]
    assert "js/pages/runner/launch-form.js" in soon
    for module in ASSETS.modules_of(*pages.RUNNER.soon):
        assert (f'/{module}"' in html) is (module not in soon)


def test_every_address_lies_below_the_root_path() -> None:
    links = Links(render(root_path="/tools/runner"))
    assert links.boot["base"] == "/tools/runner"
    outside = [
        each
        for each in links.found
        if not each.startswith("/tools/runner/") and not each.startswith("#")
    ]
    assert outside == []


def test_every_file_of_the_page_is_there() -> None:
    prefix = f"/static/{ASSETS.version}/"
    named = [
        each.partition("#")[0]
        for each in Links(render()).found
        if each.startswith(prefix)
    ]
    assert named
    assert [n for n in named if n.removeprefix(prefix) not in ASSETS.files] == []


@pytest.mark.parametrize(
    ("cookie", "markup"),
    [
        ("dark", ' data-theme="dark"'),
        ("light", ' data-theme="light"'),
        ('"><script>', ""),
        (None, ""),
    ],
)
def test_theme_comes_from_the_cookie(cookie: str | None, markup: str) -> None:
    html = render(cookies={pages.THEME_COOKIE: cookie} if cookie else {})
    assert f'<html lang="en"{markup} data-boot=' in html


def test_hostile_prefix_and_address_are_text() -> None:
    html = render(root_path='/"><script>1', address="http://<b>/")
    assert "<script>1" not in html
    assert "<b>" not in html


def test_markup_holds_no_inline_script_or_style() -> None:
    html = render()
    assert "<script>" not in html
    assert "<style" not in html
    assert 'style="' not in html
    assert " onclick" not in html


def make_request(path: str, accept: str | None, method: str = "GET") -> Request:
    headers = [(b"accept", accept.encode())] if accept else []
    return Request(
        {
            "type": "http",
            "method": method,
            "path": path,
            "headers": headers,
            "query_string": b"",
            "server": ("127.0.0.1", 9000),
            "scheme": "http",
        }
    )


BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (make_request("/nowhere", BROWSER), True),
        (make_request("/nowhere", "application/json"), False),
        (make_request("/nowhere", None), False),
        (make_request("/api/nowhere", BROWSER), False),
        (make_request("/nowhere", BROWSER, "POST"), False),
    ],
)
def test_pages_are_for_browsers(request_: Request, wanted: bool) -> None:
    assert pages.is_page_wanted(request_) is wanted


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        (
            b'{"csp-report": {"violated-directive": "img-src", "referrer": "x"}}',
            '{"violated-directive": "img-src"}',
        ),
        (
            b'[{"body": {"blockedURL": "eval", "effectiveDirective": "script-src"}}]',
            '{"blockedURL": "eval"}',
        ),
        (b"not json", "unreadable report"),
        (b"[]", "{}"),
        (b'["x"]', "unreadable report"),
        (b'{"csp-report": 7}', "unreadable report"),
    ],
)
def test_reports_are_told_on_one_line(body: bytes, summary: str) -> None:
    assert summary_of(body) == summary


def test_report_cannot_break_the_log_line() -> None:
    body = json.dumps({"csp-report": {"blocked-uri": "a\nb\x1b[31m" * 200}}).encode()
    line = summary_of(body)
    assert len(line) <= 400
    assert line.isprintable()
