"""Attacks from another host, in a network namespace, on a service that listens everywhere."""

import contextlib
import re
import sqlite3
import stat
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.acceptance.callers import JSON
from tests.acceptance.conftest import Remote, assert_refused, make_token, run_cli
from tests.network import RemoteHost
from tests.server import Server, running_server, wait_for


@pytest.mark.usefixtures("nothing_started")
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


@pytest.mark.usefixtures("nothing_started")
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


def test_log_names_the_command_when_nobody_reads_the_terminal(server: Server) -> None:
    wait_for(lambda: "token create" in server.read_log(), what="the hint in the log")
    assert not re.search(r"wapi_[a-z0-9]{8}_", server.read_log())
