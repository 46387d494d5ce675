"""The outer edge of the web application, as plain ASGI.

``SecurityHeaders`` puts the browser's rules on every answer, errors and static files
included: a worker script obeys the policy of its own answer, not that of the page.
``StaticFiles`` answers the dashboard's files before any routing. Neither decides who
may do what; that is ``scriptrunner.access``.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scriptrunner.web.assets import Asset, Assets

#: What a page of ours may load and do: our own files, no inline script, no eval.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types worker",
    )
)

_FIXED_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
)

_IMMUTABLE = b"public, max-age=31536000, immutable"


class SecurityHeaders:
    """Adds the security headers to every HTTP answer of the application it wraps."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through the wrapped application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        extra = _headers_for(scope.get("root_path", ""))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                headers.extend(extra)
                if not _has(headers, b"cache-control"):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_with_headers)


class StaticFiles:
    """Answers ``/static/<version>/<path>`` from memory; passes on everything else.

    An address of another version is passed on too and ends as 404: a page of an older
    release must notice, not load half of a newer one.
    """

    def __init__(self, app: ASGIApp, assets: Assets) -> None:
        """Serve ``assets`` in front of ``app``."""
        self.app = app
        self.assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a static file, or let the wrapped application answer."""
        asset = self._find(scope)
        if asset is None:
            # Pages name the addresses of the very files that are served here.
            scope.setdefault("state", {})["assets"] = self.assets
            await self.app(scope, receive, send)
            return
        packed = asset.compressed is not None and accepts_gzip(scope["headers"])
        body = asset.compressed if packed and asset.compressed else asset.content
        cache = b"no-cache" if self.assets.development else _IMMUTABLE
        headers = [
            (b"content-type", asset.content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", cache),
            (b"vary", b"accept-encoding"),
        ]
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _find(self, scope: Scope) -> Asset | None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        path = _path_below_root(scope)
        if not path.startswith("/static/"):
            return None
        version, _, name = path.removeprefix("/static/").partition("/")
        current = self.assets.current()
        return current.files.get(name) if version == current.version else None


def _headers_for(root_path: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return the security headers of a service that is reached below ``root_path``."""
    found = _headers_by_root.get(root_path)
    if found is None:
        policy = f"{CONTENT_SECURITY_POLICY}; report-uri {root_path}/api/csp-report"
        found = ((b"content-security-policy", policy.encode("latin-1", "replace")),)
        found += _FIXED_HEADERS
        if len(_headers_by_root) < 8:  # a proxy may send any prefix; keep few of them
            _headers_by_root[root_path] = found
    return found


_headers_by_root: dict[str, tuple[tuple[bytes, bytes], ...]] = {}


def _path_below_root(scope: Scope) -> str:
    """Return the path without the prefix under which the service is reached."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _has(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bool:
    return any(each.lower() == name for each, _ in headers)


def accepts_gzip(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Say whether ``Accept-Encoding`` names gzip with a weight above zero."""
    for name, value in headers:
        if name != b"accept-encoding":
            continue
        for choice in value.decode("latin-1").lower().split(","):
            coding, _, weight = choice.partition(";")
            if coding.strip() == "gzip":
                return weight.replace(" ", "") not in {
                    "q=0",
                    "q=0.0",
                    "q=0.00",
                    "q=0.000",
                }
    return False
