"""The one HTML shell of the dashboard: what a browser shows before any script runs.

It names the product, its tabs and the way in without JavaScript in plain markup, and
tells the browser at once which modules the page will need. All content comes from the
API afterwards; nothing about a run is ever written into this markup.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from scriptrunner import __version__
from scriptrunner.web.assets import AssetSet

#: Cookie in which the page keeps the reader's choice, so that nothing flashes.
THEME_COOKIE = "scriptrunner_theme"
THEMES = ("light", "dark")

#: Style sheets in cascade order.
STYLESHEETS = ("tokens", "base", "layout", "parts", "log", "code", "pages")

#: Parts of the page of a run; the first is shown when the address names none.
RUN_TABS = ("log", "steps", "metrics", "events", "details", "checks", "source")

_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NUMBER = "[1-9][0-9]{0,17}"
_TASK = "[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One kind of page: its addresses, its module, what it says without JavaScript."""

    #: Name of the page and of its route, such as ``library_script``.
    name: str
    heading: str
    #: Regular expression of its paths below the prefix; ``js/lib/router.js`` has the same.
    pattern: str
    #: Paths as the web framework writes them, such as ``/library/{script_id}``.
    routes: tuple[str, ...]
    #: The tab of the header that it belongs to, ``""`` for none.
    tab: str = ""
    status: int = 200
    #: Modules that it imports later but surely: fetched at once when it stands.
    soon: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """Path of its module below ``static/``."""
        return f"js/pages/{self.name.replace('_', '-')}.js"


def _page(name: str, heading: str, path: str, *, tab: str = "") -> Page:
    """Return a page with one fixed address."""
    return Page(name=name, heading=heading, pattern=path, routes=(path,), tab=tab)


RUNNER = Page(
    name="runner",
    heading="Runner",
    pattern="/",
    routes=("/",),
    tab="runner",
    soon=(
        "js/ui/header-tools.js",
        "js/ui/notices.js",
        "js/ui/status-strip.js",
        "js/pages/runner/launch-form.js",
        "js/pages/runner/more-filters.js",
        "js/pages/runner/attention.js",
        "js/pages/runner/days.js",
    ),
)
RUN = Page(
    name="run",
    heading="Run",
    pattern=rf"/runs/{_ID}(?:/(?:{'|'.join(RUN_TABS)}))?",
    routes=("/runs/{run_id}", "/runs/{run_id}/{tab}"),
    tab="runner",
)
NOT_FOUND = Page(
    name="not_found",
    heading="Page not found",
    pattern=r"(?!)",
    routes=(),
    status=404,
)

#: Every page with an address.
PAGES: tuple[Page, ...] = (
    RUNNER,
    _page("runs", "Runs", "/runs", tab="runner"),
    RUN,
    _page("compare", "Compare two runs", "/compare", tab="runner"),
    _page("launch", "Launch a run", "/launch", tab="runner"),
    _page("library", "Script Library", "/library", tab="library"),
    _page("duplicates", "Duplicates", "/library/duplicates", tab="library"),
    Page(
        name="script",
        heading="Script",
        pattern=f"/library/{_NUMBER}",
        routes=("/library/{script_id}",),
        tab="library",
    ),
    _page("schedules", "Schedules", "/schedules", tab="schedules"),
    Page(
        name="schedule",
        heading="Schedule",
        pattern=f"/schedules/{_TASK}",
        routes=("/schedules/{task_id}",),
        tab="schedules",
    ),
    _page("analytics", "Analytics", "/analytics", tab="analytics"),
    _page("gates", "Try gates", "/analytics/gates", tab="analytics"),
    _page("alerts", "Alerts", "/alerts", tab="alerts"),
    _page("system", "System", "/system", tab="system"),
    _page("settings", "Settings", "/settings", tab="system"),
    _page("tokens", "Access tokens", "/tokens", tab="system"),
    _page("audit", "Audit", "/audit", tab="system"),
)

_PATTERNS = tuple((re.compile(page.pattern), page) for page in PAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """An entry of the header."""

    key: str
    path: str
    title: str
    icon: str


#: The tabs of the header, in order.
TABS: tuple[Tab, ...] = (
    Tab(key="runner", path="/", title="Runner", icon="terminal"),
    Tab(key="library", path="/library", title="Script Library", icon="book-open"),
    Tab(key="schedules", path="/schedules", title="Schedules", icon="calendar-clock"),
    Tab(key="analytics", path="/analytics", title="Analytics", icon="chart-line"),
    Tab(key="alerts", path="/alerts", title="Alerts", icon="bell"),
    Tab(key="system", path="/system", title="System", icon="server"),
)


def find_page(path: str) -> Page:
    """Return the page of ``path``, which is given without any root path."""
    for pattern, page in _PATTERNS:
        if pattern.fullmatch(path):
            return page
    return NOT_FOUND


def is_page_wanted(request: Request) -> bool:
    """Say whether a person's browser asks for something to look at, not for data."""
    if request.method != "GET" or "/api/" in request.url.path:
        return False
    return "text/html" in request.headers.get("accept", "")


def page_response(request: Request) -> Response:
    """Return the page of the request's path; a 404 page if there is none."""
    root_path: str = request.scope.get("root_path", "").rstrip("/")
    path = request.url.path
    if root_path and path.startswith(root_path):
        path = path[len(root_path) :]
    found = find_page(path)
    html = render(
        found,
        assets=request.scope["state"]["assets"].current(),
        root_path=root_path,
        address=str(request.base_url),
        cookies=request.cookies,
    )
    # Asked for again at each visit, so that a new release and a login take effect.
    headers = {"Cache-Control": "no-cache", "Vary": "Cookie"}
    return HTMLResponse(html, status_code=found.status, headers=headers)


def render(
    page: Page,
    *,
    assets: AssetSet,
    root_path: str,
    address: str,
    cookies: Mapping[str, str],
) -> str:
    """Return the HTML of ``page``.

    Args:
        page: One of the pages of this module.
        assets: The files it refers to.
        root_path: Prefix of the service, ``""`` or such as ``/tools/runner``.
        address: The service's address as the reader reached it, for the examples.
        cookies: Those of the request; only the theme is read.
    """
    base = root_path.rstrip("/")
    static = f"{base}/static/{assets.version}"
    modules = assets.modules_of("js/main.js", page.module)
    # The page asks for these by itself when it stands, all at the same time.
    soon = [each for each in assets.modules_of(*page.soon) if each not in modules]
    theme = cookies.get(THEME_COOKIE)
    boot: dict[str, object] = {
        "base": base,
        "static": static,
        "version": __version__,
        "build": assets.version,
        "soon": soon,
    }
    return _SHELL.substitute(
        base=escape(base),
        address=escape(address.rstrip("/")),
        static=escape(static),
        theme=f' data-theme="{theme}"' if theme in THEMES else "",
        boot=escape(json.dumps(boot, separators=(",", ":"))),
        heading=escape(page.heading),
        tabs="\n".join(_tab(each, page, base=base, static=static) for each in TABS),
        styles="\n".join(
            f'<link rel="stylesheet" href="{escape(static)}/css/{each}.css">'
            for each in STYLESHEETS
        ),
        preloads="\n".join(
            f'<link rel="modulepreload" href="{escape(static)}/{each}">'
            for each in modules
        ),
        version=escape(__version__),
    )


def _tab(tab: Tab, page: Page, *, base: str, static: str) -> str:
    """Return the link of one tab, marked if ``page`` belongs to it."""
    current = ""
    if page.tab == tab.key:
        current = f' aria-current="{"page" if tab.path == page.pattern else "true"}"'
    return (
        f'<a href="{escape(base)}{tab.path}" data-tab="{tab.key}" '
        f'data-testid="nav-{tab.key}"{current}>'
        f'<svg class="icon" aria-hidden="true"><use href="{escape(static)}'
        f'/icons.svg#{tab.icon}"/></svg>'
        f'<span data-short="{tab.title.split()[-1]}">{tab.title}</span></a>'
    )


_SHELL = Template("""<!doctype html>
<html lang="en"$theme data-boot="$boot">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Script Runner</title>
<link rel="icon" type="image/svg+xml" href="$static/favicon.svg">
<link rel="preload" as="font" type="font/woff2" crossorigin href="$static/vendor/inter-latin.woff2">
$styles
$preloads
<script type="module" src="$static/js/main.js"></script>
</head>
<body>
<a class="skip-link" href="#main">Skip to content</a>
<header class="topbar">
<a class="brand" href="$base/"><img src="$static/favicon.svg" alt="" width="22" height="22">Script Runner</a>
<nav class="tabs-main" aria-label="Pages">
$tabs
</nav>
<div class="topbar-tools" id="tools"></div>
</header>
<div id="status" class="status-strip"></div>
<div id="notices"></div>
<main id="main" tabindex="-1">
<h1 class="boot-heading">$heading</h1>
<noscript>
<section class="card plain">
<h2>Without JavaScript</h2>
<p>This page needs JavaScript. Everything it does can be done by the command line and by the HTTP API:</p>
<pre>scriptrunner run path/to/script.py     # start a script and follow its output
scriptrunner ps                        # list runs
scriptrunner logs -f RUN_ID            # watch one
scriptrunner stop RUN_ID               # end one

curl -X POST -H 'Content-Type: application/json' \\
     -d '{"script_path": "path/to/script.py"}' $address/api/run
curl $address/api/runs</pre>
<p>All calls are described in <a href="$base/openapi.json">the OpenAPI document</a>.</p>
</section>
</noscript>
</main>
<footer class="footer">
<span>Script Runner $version</span>
<a href="$base/openapi.json">OpenAPI document</a>
</footer>
<div id="overlays"></div>
</body>
</html>
""")
