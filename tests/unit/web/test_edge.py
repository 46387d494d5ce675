"""The outer edge: security headers on every answer, static files from memory."""

import gzip
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from scriptrunner.web.assets import Assets
from scriptrunner.web.edge import SecurityHeaders, StaticFiles

Handler = Callable[[Request], Awaitable[Response]]


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "main.js").write_text("export const x = 1;\n" * 40)
    (tmp_path / "font.woff2").write_bytes(b"font")
    return Assets(tmp_path)


def make_client(assets: Assets, *, root_path: str = "") -> TestClient:
    async def plain(request: Request) -> Response:
        return PlainTextResponse(f"app {request.url.path}")

    async def kept(request: Request) -> Response:  # noqa: ARG001
        return PlainTextResponse("mine", headers={"Cache-Control": "no-cache"})

    inner = Starlette(routes=[Route("/kept", kept), Route("/{path:path}", plain)])
    app = SecurityHeaders(StaticFiles(inner, assets))
    return TestClient(app, root_path=root_path)


@pytest.fixture
def client(assets: Assets) -> TestClient:
    return make_client(assets)


def address(assets: Assets, name: str = "js/main.js") -> str:
    return f"/static/{assets.current().version}/{name}"


@pytest.mark.parametrize("path", ["/", "/api/runs", "/static/x/js/main.js"])
def test_every_answer_has_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "trusted-types worker" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def test_static_files_have_the_security_headers_too(
    client: TestClient, assets: Assets
) -> None:
    headers = client.get(address(assets)).headers
    assert "script-src 'self'" in headers["content-security-policy"]


def test_policy_allows_nothing_inline_or_foreign(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    for word in ("unsafe", "http", "*"):
        assert word not in policy


def test_answers_are_not_stored_unless_they_say_otherwise(client: TestClient) -> None:
    assert client.get("/api/runs").headers["cache-control"] == "no-store"
    assert client.get("/kept").headers["cache-control"] == "no-cache"


def test_static_file_is_immutable(client: TestClient, assets: Assets) -> None:
    answer = client.get(address(assets))
    assert answer.text.startswith("export const x")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_development_asks_for_every_file_again(assets: Assets) -> None:
    assets.development = True
    client = make_client(assets)
    assert client.get(address(assets)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br, gzip;q=0", None),
        ("gzip; q=0.000", None),
        ("identity", None),
        ("xgzip", None),
    ],
)
def test_gzip_only_if_accepted(
    client: TestClient, assets: Assets, accepted: str, coding: str | None
) -> None:
    answer = client.get(address(assets), headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.text.startswith("export const x")


def test_gzip_is_smaller(assets: Assets) -> None:
    asset = assets.current().files["js/main.js"]
    assert asset.compressed is not None
    assert len(asset.compressed) < len(asset.content)
    assert gzip.decompress(asset.compressed) == asset.content


def test_packed_formats_are_not_packed_again(
    client: TestClient, assets: Assets
) -> None:
    answer = client.get(
        address(assets, "font.woff2"), headers={"Accept-Encoding": "gzip"}
    )
    assert "content-encoding" not in answer.headers
    assert answer.content == b"font"


@pytest.mark.parametrize(
    "path",
    [
        "/static/000000000000/js/main.js",
        "/static/js/main.js",
        "/static/{version}/js/none.js",
        "/static/{version}/../secret",
        "/static/{version}//js/main.js",
    ],
)
def test_other_versions_and_names_are_passed_on(
    client: TestClient, assets: Assets, path: str
) -> None:
    answer = client.get(path.format(version=assets.current().version))
    assert answer.text.startswith("app ")


def test_other_methods_are_passed_on(client: TestClient, assets: Assets) -> None:
    assert client.post(address(assets)).status_code == 405


def test_static_files_below_a_root_path(assets: Assets) -> None:
    client = make_client(assets, root_path="/tools/runner")
    answer = client.get(f"/tools/runner{address(assets)}")
    assert answer.text.startswith("export const x")
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("report-uri /tools/runner/api/csp-report")
