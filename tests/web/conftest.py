"""A whole service in this process: TestClient in front, a real supervisor behind.

``web`` is shared by all tests of this folder, each of which makes runs of its own.
``quiet`` is fresh for each test and starts nothing: no run is ever submitted there.
"""

import itertools
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from scriptrunner.settings import Settings
from scriptrunner.web.app import create_app

TERMINAL = {"completed", "failed", "cancelled"}
#: Seconds between SIGTERM and SIGKILL in these tests.
GRACE_SECONDS = 1.0
UNKNOWN_ID = "5d2b2a5e-6f0c-4d43-9c39-0b5f0f7f8a11"
#: Says that it runs, in one write, then waits to be ended.
WAITING = "import os, time\nos.write(1, b'waiting\\n')\ntime.sleep(60)\n"


def make_settings(folder: Path, **changes: Any) -> Settings:
    """Return settings for a service below ``folder``, whose script folder is made."""
    root = folder / "scripts"
    root.mkdir(parents=True, exist_ok=True)
    return Settings(
        database_url=f"sqlite:///{folder}/data/runs.db",
        data_dir=folder / "data",
        allowed_roots=(root,),
        python=sys.executable,
        **{
            "slots": 4,
            "linger_seconds": 1.0,
            "stop_grace_seconds": GRACE_SECONDS,
            "ballast_bytes": 0,
            **changes,
        },
    )


class Web:
    """A service as its tests use it."""

    def __init__(self, client: TestClient, root: Path) -> None:
        self.client = client
        self.root = root
        self._numbers = itertools.count(1)

    @property
    def app(self) -> FastAPI:
        assert isinstance(self.client.app, FastAPI)
        return self.client.app

    def write(self, text: str, name: str | None = None) -> str:
        """Write a script and return its path below the root."""
        name = name or f"script_{next(self._numbers)}.py"
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def submit(self, text: str = "print('hello')\n", **fields: Any) -> str:
        """Submit a script with ``text`` and return the run's id."""
        path = self.write(text)
        answer = self.client.post("/api/run", json={"script_path": path, **fields})
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    def get(self, run_id: str) -> dict[str, Any]:
        record: dict[str, Any] = self.client.get(f"/api/runs/{run_id}").json()
        return record

    def finish(self, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run and return its record."""
        answer = self.client.get(f"/api/runs/{run_id}?wait=15")
        assert answer.status_code == 200, answer.text
        record: dict[str, Any] = answer.json()
        assert record["status"] in TERMINAL, record
        return record

    def run(self, text: str = "print('hello')\n", **fields: Any) -> dict[str, Any]:
        """Run a script to its end and return its record."""
        return self.finish(self.submit(text, **fields))

    def wait_until(
        self, run_id: str, is_true: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Return the record of a run as soon as it is as wanted."""
        return wait_for(lambda: self.get(run_id), is_true)

    def start(self, text: str = WAITING, **fields: Any) -> str:
        """Submit a script that waits, and return its id once it has printed something."""
        run_id = self.submit(text, **fields)
        self.wait_until(
            run_id, lambda run: bool((run["live"] or {}).get("stdout_bytes"))
        )
        return run_id

    def error(self, method: str, path: str, status: int, **options: Any) -> Any:
        """Send a request, check that it is refused in good form, return the body."""
        answer = self.client.request(method, path, **options)
        assert answer.status_code == status, answer.text
        return check_error(answer)


def check_error(answer: Any) -> Any:
    """Return the body of an error after having checked its form."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert isinstance(body["code"], str)
    if answer.status_code == 422:
        for fault in body["detail"]:
            assert {"type", "loc", "msg"} <= set(fault)
    else:
        assert isinstance(body["detail"], str)
    assert "Traceback" not in answer.text
    return body


def wait_for(look: Callable[[], Any], is_true: Callable[[Any], bool]) -> Any:
    """Return the first value of ``look()`` for which ``is_true``, within 15 s."""
    for _ in range(1_500):
        value = look()
        if is_true(value):
            return value
        pause()
    raise AssertionError(f"it did not come: {value!r}")


def pause() -> None:
    """Let others work for 10 ms."""
    select.select([], [], [], 0.01)


@contextmanager
def running_web(folder: Path, **changes: Any) -> Iterator[Web]:
    """Yield a service below ``folder`` with some settings of its own."""
    settings = make_settings(folder, **changes)
    with TestClient(create_app(settings)) as client:
        yield Web(client, settings.allowed_roots[0])


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The service that most tests share."""
    with running_web(tmp_path_factory.mktemp("web")) as shared:
        yield shared


@pytest.fixture
def client(web: Web) -> TestClient:
    """A local caller of the shared service."""
    return web.client


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Web]:
    """A service of this test's own, in which nothing has happened yet."""
    settings = make_settings(tmp_path)
    app = create_app(settings)
    yield Web(TestClient(app), settings.allowed_roots[0])
    app.state.runtime.close()
