"""What attacks on runs are made with, and how a refusal must look."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx

from tests.server import Server, wait_for

JSON = {"Content-Type": "application/json"}


UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def submit(server: Server, **fields: Any) -> httpx.Response:
    return server.client.post("/api/run", json=fields)


def submit_raw(server: Server, body: str | bytes) -> httpx.Response:
    return server.client.post("/api/run", content=body, headers=JSON)


def upload(
    server: Server, name: str, content: bytes = b"print(1)\n", **fields: Any
) -> httpx.Response:
    return server.client.post(
        "/api/run/upload", files={"file": (name, content)}, data=fields
    )


def assert_refused(answer: httpx.Response, *statuses: int, code: str = "") -> None:
    """Check that an error has its shape and gives nothing away."""
    assert answer.status_code in statuses, answer.text
    error = answer.json()
    assert {"detail", "code", "request_id"} <= set(error)
    assert error["request_id"] == answer.headers["x-request-id"]
    if code:
        assert error["code"] == code
    for leak in ("Traceback", "site-packages", "sqlite3", "SELECT ", "/etc/shadow"):
        assert leak not in answer.text


def get_run(server: Server, run_id: str) -> dict[str, Any]:
    record: dict[str, Any] = server.client.get(f"/api/runs/{run_id}").json()
    return record


def wait_running(server: Server, run_id: str) -> None:
    wait_for(lambda: get_run(server, run_id)["phase"] == "running", what="the start")


@contextlib.contextmanager
def occupied_slots(server: Server) -> Iterator[None]:
    """Keep all slots busy until the end of the ``with``."""
    sleeper = server.write_script("sleeper.py", "import time; time.sleep(60)\n")
    slots = server.client.get("/api/system/status").json()["queue"]["slots"]
    busy = [server.submit(sleeper) for _ in range(slots)]
    for run_id in busy:
        wait_running(server, run_id)
    try:
        yield
    finally:
        for run_id in busy:
            server.client.post(f"/api/runs/{run_id}/kill").raise_for_status()
        for run_id in busy:
            server.wait_finished(run_id)
