"""The page on which a browser logs in: one form, plain HTML, no script.

It says nothing about runs, and works below any root path and under the strict policy.
"""

import re
from collections.abc import Mapping
from html import escape
from string import Template
from typing import Any
from urllib.parse import quote

#: Where a login may lead: a path of this very service. Browsers read ``//`` and ``/\`` as
#: the name of another host, and skip control characters.
NEXT_PATTERN = re.compile(r"/(?![/\\])[!-\[\]-~]*")
NEXT_LENGTH = 2_000


def render_login(*, root_path: str, next_path: str, message: str = "") -> bytes:
    """Return the page.

    Args:
        root_path: Prefix of the service, ``""`` or such as ``/tools/runner``.
        next_path: Where the browser goes after the login; anything but a path of this
            service becomes the dashboard.
        message: Why the reader has to log in, or why that failed; any text.
    """
    base = root_path.rstrip("/")
    return _PAGE.substitute(
        base=escape(base),
        next=escape(clean_next(next_path, root_path=base)),
        message=f'<p class="message" role="alert">{escape(message)}</p>'
        if message
        else "",
    ).encode("utf-8", "replace")


def render_refusal(scope: Mapping[str, Any], detail: str) -> bytes:
    """Return the page for a request that was refused with ``detail``."""
    query = scope.get("query_string", b"")
    asked = quote(scope["path"], safe="/") + (
        "?" + query.decode("latin-1") if query else ""
    )
    return render_login(
        root_path=scope.get("root_path", ""), next_path=asked, message=detail
    )


def clean_next(path: str, *, root_path: str) -> str:
    """Return ``path`` if it leads to this service, else the dashboard's."""
    if len(path) <= NEXT_LENGTH and NEXT_PATTERN.fullmatch(path):
        return path
    return f"{root_path}/"


_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Log in · Script Runner</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="$base/login.css">
</head>
<body>
<main>
<h1>Script Runner</h1>
$message
<form method="post" action="$base/login">
<input type="hidden" name="next" value="$next">
<label for="token">Access token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password" spellcheck="false" aria-describedby="help">
<p id="help">Whoever runs this service makes one on its machine with <code>scriptrunner token create</code> (in a checkout <code>./scripts/scriptrunner token create</code>).</p>
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
""")
