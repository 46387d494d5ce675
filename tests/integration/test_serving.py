"""The service as a process: its start, its end, and several workers that are one."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from tests.server import PROJECT, Server, running_server, wait_for

pytestmark = pytest.mark.slow

WAITING = "import time\nprint('waiting', flush=True)\ntime.sleep(30)\n"


def serve(*options, **environment):
    """Run ``WEBAPI/api.py`` to its end and return what it said and its exit code."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WEBAPI_")}
    done = subprocess.run(
        [sys.executable, str(PROJECT / "WEBAPI" / "api.py"), *options],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stdout + done.stderr, done.returncode


def test_a_taken_port_is_said_and_nobody_is_ended(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words, code = serve(
            "--port", str(port), WEBAPI_RUN_DB=str(tmp_path / "runs.db")
        )
        assert code == 1
        assert f"port {port} of 127.0.0.1 cannot be used" in words
        assert "Traceback" not in words
        # Whoever listened there still does.
        socket.create_connection(("127.0.0.1", port)).close()


def test_an_address_of_another_machine_is_said(tmp_path):
    words, code = serve(
        "--host", "192.0.2.77", "--port", "0", WEBAPI_RUN_DB=str(tmp_path / "runs.db")
    )
    assert code == 1
    assert "name one of this machine with --host" in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "99999"], "99999"),
        (["--workers", "0"], "workers"),
        (["--host", "no.such.host.invalid"], "no address of this machine"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_option_is_said(options, words, tmp_path):
    said, code = serve(*options, WEBAPI_RUN_DB=str(tmp_path / "runs.db"))
    assert code in (1, 2)
    assert words in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_said_by_name():
    said, code = serve(WEBAPI_ALLOWED_ROOT="/no/such/folder", WEBAPI_SLOTS="4")
    assert code == 1
    assert "WEBAPI_ALLOWED_ROOT names a folder that does not exist" in said
    assert "Traceback" not in said


def test_the_banner_says_who_may_do_what(tmp_path):
    with running_server(tmp_path) as server:
        log = server.read_log()
        for words in (server.url, "protected mode", "containment", str(server.root)):
            assert words in log


@pytest.mark.parametrize("launcher", ["api", "uvicorn"])
def test_sigterm_ends_the_service_soon_and_no_script(tmp_path, launcher):
    with running_server(tmp_path, launcher=launcher) as server:
        run_id = server.submit(server.write_script("waiting.py", WAITING))
        with contextlib.ExitStack() as stack:
            path = f"{server.url}/api/runs/{run_id}/logs/stream"
            stream = stack.enter_context(httpx.stream("GET", path, timeout=20))
            lines = stream.iter_lines()
            assert any("waiting" in line for line in lines)
            begin = time.monotonic()
            server.signal(signal.SIGTERM)
            # The stream is ended in good form, not cut.
            assert not any(line.startswith("event: end") for line in lines)
            wait_for(lambda: not server.is_running(), seconds=8, what="the end")
            assert time.monotonic() - begin < 5
        server.start()
        record = server.client.get(f"/api/runs/{run_id}").json()
        assert record["status"] == "running"
        server.client.post(f"/api/runs/{run_id}/kill")


def test_two_workers_are_one_service(tmp_path):
    with running_server(tmp_path, workers=2) as server:
        script = server.write_script("ok.py", "print('ok')")
        ids = [server.submit(script) for _ in range(8)]
        for run_id in ids:
            assert server.wait_finished(run_id)["status"] == "completed"

        def ask(path):
            """Ask on a new connection, so that either worker may answer."""
            return httpx.get(server.url + path).json()

        for path in ("/api/runs", "/api/stats", f"/api/runs/{ids[0]}/events"):
            first = ask(path)
            assert all(ask(path) == first for _ in range(6)), path
        with httpx.stream("GET", f"{server.url}/api/stream?topic=runs"):
            wait_for(
                lambda: ask("/api/system/status")["streams"]["open"] == 1,
                what="the stream to be counted",
            )
            counts = [ask("/api/system/status")["streams"]["open"] for _ in range(8)]
            assert counts == [1] * 8


def test_our_own_launcher_serves_with_two_workers(tmp_path):
    class Launched(Server):
        @property
        def command(self):
            return [*super().command, "--workers", "2"]

    server = Launched(tmp_path, launcher="api")
    try:
        server.start()
        assert server.run("print('ok')")["status"] == "completed"
        server.terminate()
    finally:
        server.close()


def test_a_service_reached_through_a_prefix_keeps_it(tmp_path):
    class Below(Server):
        @property
        def command(self):
            return [*super().command, "--root-path", "/tools/runner"]

    server = Below(tmp_path, launcher="uvicorn")
    try:
        server.start()
        assert "/tools/runner/static/" in httpx.get(server.url + "/").text
        answer = httpx.head(server.url + "/api/runs")
        assert answer.headers["allow"] == "DELETE, GET"
    finally:
        server.close()


def test_the_log_is_json_lines_without_queries(tmp_path):
    with running_server(tmp_path) as server:
        server.client.get("/api/runs?q=secretword")
        lines = [
            line for line in server.read_log().splitlines() if line.startswith("{")
        ]
        assert all(json.loads(line)["level"] for line in lines)
        assert "secretword" not in server.read_log()


def test_an_address_of_ipv6_works(tmp_path):
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6; nothing to install")
    with running_server(tmp_path, host="::1") as server:
        assert server.client.get("/api/health").json() == {"status": "ok"}
