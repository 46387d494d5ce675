"""Attacks on the way in: other hosts, other users, other sites, odd requests.

The service listens on every address. "Remote" is another host in a network namespace.
"""

import contextlib
import json
import os
import re
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.acceptance.conftest import Remote, assert_refused, make_token, run_cli
from tests.network import (
    NOBODY_UID,
    RemoteHost,
    Reply,
    connect_as,
    send_raw,
    send_request,
)
from tests.server import Server, running_server, wait_for

EVIL = "https://evil.example"
JSON = {"Content-Type": "application/json"}
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="run as root: another user's process is needed"
)


@pytest.fixture
def body(server: Server) -> str:
    """A request that would run a script, which leaves a file behind."""
    marker = server.folder / "started"
    script = server.write_script("mark.py", f"open({str(marker)!r}, 'w')\n")
    return json.dumps({"script_path": str(script)})


@pytest.fixture
def no_run(server: Server) -> Iterator[None]:
    """Fail if the test made a run or started a script."""
    before = list_runs(server)
    yield
    assert list_runs(server) == before
    assert not (server.folder / "started").exists()


def list_runs(server: Server) -> list[str]:
    return [run["id"] for run in server.client.get("/api/runs?limit=200").json()]


def ask(server: Server, method: str, path: str, **options) -> Reply:
    """Send one request over loopback, with exactly these headers."""
    return send_request(lambda: connect(server), method, path, **options)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=15)


# --- Another host ---------------------------------------------------------------------


@pytest.mark.usefixtures("no_run")
def test_1_remote_is_asked_for_a_token(remote: Remote, body: str) -> None:
    for answer in (
        remote.ask("GET", "/api/runs"),
        remote.ask("POST", "/api/run", body=body, headers=JSON),
        remote.ask("DELETE", "/api/runs", body="[]", headers=JSON),
        remote.ask("HEAD", "/api/runs"),
    ):
        if answer.body:
            assert_refused(answer, 401, "unauthenticated")
            assert remote.host.address in answer.json()["detail"]
        assert answer.status == 401


def test_2_remote_sees_a_login_page_and_health(remote: Remote) -> None:
    page = remote.ask("GET", "/")
    health = remote.ask("GET", "/api/health")

    assert page.status == 401
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert 'type="password"' in page.text
    assert "<script" not in page.text
    assert (health.status, health.body) == (200, b'{"status":"ok"}')


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
def test_3_remote_sees_no_description_of_the_api(remote: Remote, path: str) -> None:
    assert remote.ask("GET", path).status == 401


@pytest.mark.usefixtures("no_run")
def test_20_remote_gets_nothing_from_any_route(remote: Remote, server: Server) -> None:
    operations = server.client.get("/openapi.json").json()["paths"]
    answers = {
        (method, path): remote.ask(
            method.upper(), re.sub(r"\{\w+\}", "x", path), headers=JSON, body="{}"
        ).status
        for path, methods in operations.items()
        for method in methods
    }

    assert len(answers) > 15
    assert {key for key, status in answers.items() if status == 200} == {
        ("get", "/api/health")
    }
    assert set(answers.values()) == {200, 401}


@pytest.mark.parametrize(
    "path",
    [
        "/API/RUNS",
        "/api/runs/",
        "//api/runs",
        "/api/health/../runs",
        "/api/health/%2e%2e/runs",
        "/api/health%2f..%2fruns",
        "/login/../api/runs",
        "/login.css/api/runs",
        "/api/runs;/api/health",
        "/api/runs?/api/health",
        "/api/runs#/api/health",
        "/static/../api/runs",
        "http://127.0.0.1/api/runs",
    ],
)
def test_no_spelling_of_a_path_gets_in(remote: Remote, path: str) -> None:
    answer = remote.ask("GET", path)

    assert answer.status in {400, 401, 404}
    assert b'"status"' not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "::1"},
        {"Host": "localhost"},
        {"X-Forwarded-For": "testclient", "Host": "testserver"},
        {"X-HTTP-Method-Override": "GET"},
        {"Authorization": "Bearer null"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Cookie": "scriptrunner_session=" + "A" * 43},
        {"Cookie": "scriptrunner_session=' OR 1=1 --"},
    ],
)
def test_no_header_makes_remote_local(remote: Remote, headers: dict[str, str]) -> None:
    assert_refused(
        remote.ask("GET", "/api/runs", headers=headers), 401, "unauthenticated"
    )


def test_token_in_the_address_is_not_looked_at(remote: Remote, token: str) -> None:
    for name in ("token", "access_token", "authorization"):
        answer = remote.ask("GET", f"/api/runs?{urlencode({name: token})}")
        assert answer.status == 401


def test_token_opens_and_its_end_closes(remote: Remote, server: Server) -> None:
    token = make_token(server, "--name", "short-lived")
    headers = {"Authorization": f"Bearer {token}"}

    assert remote.ask("GET", "/api/runs", headers=headers).status == 200
    me = remote.ask("GET", "/api/me", headers=headers).json()
    assert me["principal"] == f"token:{token.split('_')[1]}"
    assert me["local"] is False
    run_cli(server, "token", "revoke", token.split("_")[1])

    assert_refused(
        remote.ask("GET", "/api/runs", headers=headers), 401, "unauthenticated"
    )


@pytest.mark.slow
def test_open_stream_ends_when_its_token_is_revoked(
    remote: Remote, server: Server
) -> None:
    token = make_token(server, "--name", "watcher")
    request = (
        "GET /api/stream?topic=runs HTTP/1.1\r\nHost: runner\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    )
    with remote.host.connect(server.port) as connection:
        connection.sendall(request.encode())
        assert b" 200 " in connection.recv(65_536).split(b"\r\n")[0]
        run_cli(server, "token", "revoke", token.split("_")[1])
        received = b""
        while piece := connection.recv(65_536):
            received += piece
            if received.endswith(b"0\r\n\r\n"):
                break

    assert received.endswith(b"0\r\n\r\n"), "the stream did not end in good form"


def test_answers_to_strangers_carry_the_security_headers(remote: Remote) -> None:
    for path in ("/", "/api/runs", "/login"):
        headers = remote.ask("GET", path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers or "uvicorn" not in headers["server"]


# --- This machine, and pages in its browsers ------------------------------------------


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


@pytest.mark.usefixtures("no_run")
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


@pytest.mark.usefixtures("no_run")
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


@pytest.mark.usefixtures("no_run")
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


@pytest.mark.usefixtures("no_run")
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


@pytest.mark.usefixtures("no_run")
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
@pytest.mark.usefixtures("no_run")
def test_15_other_users_are_asked_for_a_token(server: Server, body: str) -> None:
    def connect_as_nobody() -> socket.socket:
        return connect_as(NOBODY_UID, server.port)

    for method, path in (("GET", "/api/runs"), ("POST", "/api/run")):
        answer = send_request(connect_as_nobody, method, path, body=body, headers=JSON)
        assert_refused(answer, 401, "unauthenticated")
        assert f"uid {NOBODY_UID}" in answer.json()["detail"]
        assert "WEBAPI_LOCAL_UIDS" in answer.json()["hint"]


@needs_root
@pytest.mark.usefixtures("no_run")
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


# --- Who did it -------------------------------------------------------------------------


def test_17_restart_names_who_restarted(
    remote: Remote, server: Server, token: str
) -> None:
    old = server.run("print('hello')\n")

    answer = remote.ask(
        "POST",
        f"/api/runs/{old['id']}/restart",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status == 202, answer.text
    new = server.wait_finished(answer.json()["run_id"])
    assert old["principal"] == "local"
    assert new["principal"] == f"token:{token.split('_')[1]}"


def test_audit_trail_tells_who_did_what_and_counts_refusals(
    remote_host: RemoteHost, tmp_path: Path
) -> None:
    with running_server(tmp_path, host="0.0.0.0") as server:
        remote = Remote(remote_host, server)
        for _ in range(20):
            remote.ask("GET", "/api/runs")
        run_id = server.submit(server.write_script("hello.py", "print(1)\n"))
        server.wait_finished(run_id)
        server.client.delete(f"/api/runs/{run_id}").raise_for_status()
        server.terminate()
        rows = read_audit(server)

    assert ("local", "127.0.0.1", "run.start", run_id, "allowed", 1) in rows
    assert ("local", "127.0.0.1", "run.delete", run_id, "allowed", 1) in rows
    refused = (
        "anonymous",
        remote_host.address,
        "unauthenticated",
        "peer",
        "refused",
        20,
    )
    assert refused in rows


def read_audit(server: Server) -> list[tuple]:
    query = "SELECT principal, peer, action, object, decision, count FROM audit_entries"
    with contextlib.closing(sqlite3.connect(server.data_dir / "runs.db")) as connection:
        return connection.execute(query).fetchall()


def test_data_is_for_the_service_alone(server: Server, token: str) -> None:
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (server.data_dir, *server.data_dir.iterdir())
    }

    assert modes["data"] == 0o700
    assert not {name for name, mode in modes.items() if mode & 0o077}
    secret = token[-43:].encode()
    for path in server.data_dir.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()
    assert token[-43:] not in server.read_log()


# --- Shapes that no honest client sends ----------------------------------------------


def test_60_oversized_requests_leave_the_worker_alive(server: Server) -> None:
    many = "".join(f"X-{n}: y\r\n" for n in range(201))
    requests: dict[str, tuple[bytes, ...]] = {
        f"GET /{'x' * 65_536} HTTP/1.1\r\nHost: localhost\r\n\r\n": (
            b"414",
            b"400",
            b"431",
        ),
        f"GET /?{'x' * 9_000} HTTP/1.1\r\nHost: localhost\r\n\r\n": (b"414",),
        f"GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n": (b"431", b"400"),
        f"GET / HTTP/1.1\r\nHost: localhost\r\nX: {'y' * 1_048_576}\r\n\r\n": (
            b"431",
            b"400",
        ),
    }

    for request, expected in requests.items():
        answer = send_raw(lambda: connect(server), request.encode())
        assert answer.split(b" ")[1] in expected, request[:60]
    assert server.is_running()
    assert server.client.get("/api/health").status_code == 200


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x10\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
    ],
)
def test_ambiguous_framing_ends_the_connection(server: Server, framing: str) -> None:
    request = (
        "POST /api/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"{framing}\r\n0\r\n\r\nGET /api/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )

    answer = send_raw(lambda: connect(server), request.encode())

    assert answer.startswith(b"HTTP/1.1 4")
    assert b"total_runs" not in answer


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /api/runs HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "GET /api/runs HTTP/1.1\r\nHost: \r\n\r\n",
        "GET /api/runs HTTP/1.1\r\n\r\n",
        "GET /api/runs HTTP/1.1\r\nHost: localhost\x00.evil\r\n\r\n",
        "GET http://evil.example/api/runs HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_odd_requests_get_no_data(server: Server, request_text: str) -> None:
    answer = send_raw(lambda: connect(server), request_text.encode("latin-1"))

    assert not answer.startswith(b"HTTP/1.1 2")
    assert server.is_running()


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "BREW"])
def test_unknown_methods_are_refused(server: Server, method: str) -> None:
    answer = ask(server, method, "/api/runs")

    assert answer.status in {400, 405}
    assert "cookie" not in answer.text.lower()


def test_flood_of_posts_is_slowed_over_all_workers(
    remote_host: RemoteHost, tmp_path: Path
) -> None:
    with running_server(tmp_path, host="0.0.0.0", workers=2) as server:
        headers = {"Authorization": f"Bearer {make_token(server)}", **JSON}
        remote = Remote(remote_host, server)
        answers = [
            remote.ask("POST", "/api/run", body="{}", headers=headers)
            for _ in range(160)
        ]
        local = [
            server.client.post("/api/run", json={}).status_code for _ in range(160)
        ]

    limited = [answer for answer in answers if answer.status == 429]
    # 100 at once and 20 a second while the loop ran, whichever worker answered.
    assert limited
    assert len(answers) - len(limited) >= 100
    assert_refused(limited[0], 429, "rate_limited")
    assert int(limited[0].headers["retry-after"]) >= 1
    assert set(local) == {422}


# --- Doors that look different -----------------------------------------------------


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


def test_token_file_lets_the_first_one_in(
    remote_host: RemoteHost, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("f" * 64 + "\n")
    changes = {"WEBAPI_ADMIN_TOKEN_FILE": str(file)}
    with running_server(
        tmp_path, host="0.0.0.0", workers=2, environment=changes
    ) as server:
        answer = remote_host.request(
            server.port,
            "GET",
            "/api/me",
            headers={"Authorization": f"Bearer {'f' * 64}"},
        )

    assert answer.json()["role"] == "admin"


def test_service_on_ipv6_is_local_too(tmp_path: Path) -> None:
    with running_server(tmp_path, host="::1") as server:
        assert server.client.get("/api/runs").status_code == 200
        client = httpx.get(server.url + "/api/me", trust_env=False).json()
        assert (client["principal"], client["local"]) == ("local", True)


def test_log_names_the_command_when_nobody_reads_the_terminal(server: Server) -> None:
    wait_for(lambda: "token create" in server.read_log(), what="the hint in the log")
    assert not re.search(r"wapi_[a-z0-9]{8}_", server.read_log())
