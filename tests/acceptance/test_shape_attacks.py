"""Requests that no honest client sends, and floods of them."""

from pathlib import Path

import pytest

from tests.acceptance.callers import JSON, ask, connect
from tests.acceptance.conftest import Remote, assert_refused, make_token
from tests.network import RemoteHost, send_raw
from tests.server import Server, running_server


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


@pytest.mark.usefixtures("nothing_started")
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
