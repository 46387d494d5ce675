"""Attacks from this machine: other users, and pages of other sites in its browsers."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.acceptance.callers import EVIL, JSON, ask, connect, needs_root
from tests.acceptance.conftest import assert_refused, make_token
from tests.network import NOBODY_UID, Reply, connect_as, send_raw, send_request
from tests.server import Server, running_server


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "localhost:8080"]
)
def test_4_local_needs_no_token(server: Server, host: str) -> None:
    host = host if ":8080" in host else f"{host}:{server.port}"
    script = server.write_script("hello.py", "print('hello')\n")
    body = json.dumps({"script_path": str(script)})

    assert ask(server, "GET", "/api/runs", host=host).status == 200
    assert (
        ask(server, "POST", "/api/run", host=host, body=body, headers=JSON).status
        == 202
    )


@pytest.mark.usefixtures("nothing_started")
@pytest.mark.parametrize("with_token", [False, True])
def test_6_foreign_host_is_refused(
    server: Server, token: str, body: str, with_token: bool
) -> None:
    credentials = {"Authorization": f"Bearer {token}"} if with_token else {}

    for method, path in (("GET", "/api/runs"), ("GET", "/"), ("POST", "/api/run")):
        answer = ask(
            server,
            method,
            path,
            host="evil.example",
            body=body if method == "POST" else None,
            headers={**JSON, **credentials},
        )
        assert_refused(answer, 403, "bad_host")


@pytest.mark.parametrize("path", ["/api/runs", "/", "/api/health"])
def test_7_http10_without_host_is_refused(server: Server, path: str) -> None:
    answer = send_raw(lambda: connect(server), f"GET {path} HTTP/1.0\r\n\r\n".encode())

    assert re.match(rb"HTTP/1\.[01] 40[013] ", answer)


@pytest.mark.usefixtures("nothing_started")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_8_and_9_pages_of_other_sites_start_nothing(
    server: Server, body: str, headers: dict[str, str]
) -> None:
    answer = ask(server, "POST", "/api/run", body=body, headers={**JSON, **headers})

    assert_refused(answer, 403, "cross_site")


@pytest.mark.usefixtures("nothing_started")
def test_10_form_upload_of_another_site_stores_nothing(server: Server) -> None:
    before = set(server.data_dir.rglob("*"))
    boundary = "x" * 20
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        f'filename="evil.py"\r\n\r\nprint(1)\r\n--{boundary}--\r\n'
    )

    answer = ask(
        server,
        "POST",
        "/api/run/upload",
        body=form,
        headers={
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Origin": EVIL,
        },
    )

    assert_refused(answer, 403, "cross_site")
    new = {path for path in set(server.data_dir.rglob("*")) - before if path.is_file()}
    assert not [path for path in new if path.suffix == ".py"]


@pytest.mark.usefixtures("nothing_started")
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", None, "application/jsonx"],
)
def test_11_json_without_its_type_is_refused(
    server: Server, body: str, kind: str | None
) -> None:
    headers = {"Content-Type": kind} if kind else {}

    answer = ask(server, "POST", "/api/run", body=body, headers=headers)

    assert_refused(answer, 415, "unsupported_media_type")


def test_12_preflight_is_not_granted(server: Server) -> None:
    answer = ask(
        server,
        "OPTIONS",
        "/api/run",
        headers={
            "Origin": EVIL,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )

    assert answer.status >= 400
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.usefixtures("nothing_started")
@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"]
)
def test_13_forwarded_requests_are_not_local(
    server: Server, body: str, header: str
) -> None:
    headers = {**JSON, header: "127.0.0.1"}

    answer = ask(server, "POST", "/api/run", body=body, headers=headers)

    assert_refused(answer, 401, "unauthenticated")
    assert header.lower() in answer.json()["detail"]


def test_14_http10_is_refused_by_name(server: Server) -> None:
    request = f"GET /api/runs HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"

    answer = send_raw(lambda: connect(server), request.encode())

    assert b" 401 " in answer.split(b"\r\n")[0]
    assert b"WEBAPI_RULE_HTTP10" in answer


@needs_root
@pytest.mark.usefixtures("nothing_started")
def test_15_other_users_are_asked_for_a_token(server: Server, body: str) -> None:
    def connect_as_nobody() -> socket.socket:
        return connect_as(NOBODY_UID, server.port)

    for method, path in (("GET", "/api/runs"), ("POST", "/api/run")):
        answer = send_request(connect_as_nobody, method, path, body=body, headers=JSON)
        assert_refused(answer, 401, "unauthenticated")
        assert f"uid {NOBODY_UID}" in answer.json()["detail"]
        assert "WEBAPI_LOCAL_UIDS" in answer.json()["hint"]


@needs_root
@pytest.mark.usefixtures("nothing_started")
def test_client_that_hides_by_closing_starts_nothing(server: Server, body: str) -> None:
    request = (
        f"POST /api/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/json\r\n\r\n{body}"
    ).encode()

    for _ in range(50):
        with connect_as(NOBODY_UID, server.port) as connection:
            connection.sendall(request)


def test_local_stream_is_not_for_other_sites(server: Server) -> None:
    for headers in ({"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}):
        answer = ask(server, "GET", "/api/stream?topic=runs", headers=headers)
        assert_refused(answer, 403, "cross_site")


def test_61_websockets_are_refused(server: Server) -> None:
    answer = ask(
        server,
        "GET",
        "/api/runs",
        headers={
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Origin": EVIL,
        },
    )

    assert answer.status in {403, 404}


def test_listed_names_and_strict_local_role(tmp_path: Path) -> None:
    changes = {"WEBAPI_HOSTS": "runner.lan", "WEBAPI_LOCAL_ROLE": "none"}
    with running_server(tmp_path, environment=changes) as server:
        headers = {"Authorization": f"Bearer {make_token(server)}"}
        get: Callable[..., Reply] = lambda **options: ask(  # noqa: E731
            server, "GET", "/api/runs", **options
        )
        assert get(host="runner.lan", headers=headers).status == 200
        assert get(host="other.lan", headers=headers).status == 403
        assert_refused(get(host="localhost"), 401, "unauthenticated")


def test_service_on_ipv6_is_local_too(tmp_path: Path) -> None:
    with running_server(tmp_path, host="::1") as server:
        assert server.client.get("/api/runs").status_code == 200
        client = httpx.get(server.url + "/api/me", trust_env=False).json()
        assert (client["principal"], client["local"]) == ("local", True)
