import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.callers import list_runs
from tests.network import RemoteHost, Reply
from tests.server import PROJECT, Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that listens on every address; one per test file."""
    with running_server(tmp_path_factory.mktemp("service"), host="0.0.0.0") as started:
        yield started


@pytest.fixture
def hello(server: Server) -> str:
    return str(server.write_script("hello.py", "print('hello')\n"))


@pytest.fixture
def no_run(server: Server) -> Iterator[None]:
    """Fail if the test left a run behind."""
    before = server.client.get("/api/stats").json()["total_runs"]
    yield
    assert server.client.get("/api/stats").json()["total_runs"] == before


@pytest.fixture
def body(server: Server) -> str:
    """A request that would run a script, which leaves a file behind."""
    marker = server.folder / "started"
    script = server.write_script("mark.py", f"open({str(marker)!r}, 'w')\n")
    return json.dumps({"script_path": str(script)})


@pytest.fixture
def nothing_started(server: Server) -> Iterator[None]:
    """Fail if the test made a run or started a script."""
    before = list_runs(server)
    yield
    assert list_runs(server) == before
    assert not (server.folder / "started").exists()


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    """An admin token, made as an administrator makes one."""
    return make_token(server)


def make_token(server: Server, *options: str) -> str:
    return run_cli(server, "token", "create", *options).splitlines()[-1]


def run_cli(server: Server, *arguments: str) -> str:
    """Run the service's own command line and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(PROJECT / "WEBAPI" / "api.py"), *arguments],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Remote:
    """The service as another host sees it."""

    host: RemoteHost
    server: Server

    def ask(self, method: str, path: str, **options: Any) -> Reply:
        return self.host.request(self.server.port, method, path, **options)


@pytest.fixture
def remote(remote_host: RemoteHost, server: Server) -> Remote:
    return Remote(remote_host, server)


def assert_refused(answer: Reply, status: int, code: str) -> None:
    """Check the whole shape of a refusal."""
    assert answer.status == status, answer.text
    error = answer.json()
    assert error["code"] == code
    assert error["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "token create" in error["hint"]
