"""Runs that misbehave, and orders and floods that come at the wrong moment."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.acceptance.attacks import (
    UNKNOWN_ID,
    assert_refused,
    get_run,
    occupied_slots,
    submit,
    wait_running,
)
from tests.server import Server, running_server, wait_for


@pytest.mark.parametrize("action", ["stop", "kill", "cancel"])
def test_52_what_is_over_cannot_be_ended(server: Server, action: str) -> None:
    record = server.run("pass\n")

    answer = server.client.post(f"/api/runs/{record['id']}/{action}")

    assert_refused(answer, 409)
    assert get_run(server, record["id"])["status"] == "completed"


def test_52_two_kills_at_once_are_one(server: Server) -> None:
    script = server.write_script("sleeper.py", "import time; time.sleep(60)\n")
    run_id = server.submit(script)
    wait_running(server, run_id)
    statuses: list[int] = []

    def kill() -> None:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            statuses.append(client.post(f"/api/runs/{run_id}/kill").status_code)

    threads = [threading.Thread(target=kill) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 409]
    assert server.wait_finished(run_id)["run_status"] == "killed"


def test_53_active_runs_cannot_be_deleted(server: Server) -> None:
    finished = server.run("pass\n")["id"]
    with occupied_slots(server):
        active = server.client.get("/api/runs?status=running").json()[0]["id"]
        queued = server.submit(server.write_script("hello.py", "print(1)\n"))
        for run_id in (active, queued):
            answer = server.client.delete(f"/api/runs/{run_id}")
            assert_refused(answer, 400, code="run_active")
        ids = [finished, finished, active, queued, UNKNOWN_ID]
        answer = server.client.request("DELETE", "/api/runs", json=ids)
        assert answer.json()["deleted"] == 1
        reasons = {each["id"]: each["reason"] for each in answer.json()["skipped"]}
        assert reasons[active] == reasons[queued] == "active"
        assert reasons[UNKNOWN_ID] == "not_found"
        assert get_run(server, active)["status"] == "running"
    assert server.wait_finished(queued)["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 200),
        ({}, 422),
        ("all", 422),
        ([1, None, {}], 422),
        (["x"] * 1_001, 422),
        (["x" * 10_000, "../..", ""], 200),
    ],
)
def test_53_bulk_delete_takes_a_list_of_ids(
    server: Server, body: Any, status: int
) -> None:
    answer = server.client.request("DELETE", "/api/runs", json=body)

    assert answer.status_code in {status, 422}, answer.text


DAEMONS = """
import os, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in range(3):
                os.close(descriptor)
            time.sleep(600)
        os._exit(0)
print("ready", flush=True)
time.sleep(600)
"""


def test_54_kill_ends_daemons_too(server: Server) -> None:
    run_id = server.submit(server.write_script("daemons.py", DAEMONS))
    wait_for(lambda: "ready" in get_logs(server, run_id), what="the daemons")
    assert len(find_processes(run_id)) >= 6

    began = time.monotonic()
    assert server.client.post(f"/api/runs/{run_id}/kill").json()["killed"] is True
    wait_for(lambda: not find_processes(run_id), seconds=5, what="the end of all")

    assert time.monotonic() - began < 2
    assert server.wait_finished(run_id)["run_status"] == "killed"


def get_logs(server: Server, run_id: str) -> str:
    return server.client.get(f"/api/runs/{run_id}/logs").text


def find_processes(run_id: str) -> list[int]:
    """Return the processes that belong to a run by their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("RUN_ID") == run_id:
                found.append(process.pid)
    return found


def test_57_a_burst_is_queued_up_to_the_limit_and_none_is_lost(tmp_path: Path) -> None:
    changes = {"WEBAPI_QUEUE_LIMIT": "100", "WEBAPI_SLOTS": "2"}
    with running_server(tmp_path, workers=2, environment=changes) as server:
        script = server.write_script("hello.py", "print(1)\n")
        with occupied_slots(server):
            answers = [submit(server, script_path=str(script)) for _ in range(150)]
            refused = [answer for answer in answers if answer.status_code != 202]
            accepted = [a.json()["run_id"] for a in answers if a.status_code == 202]
        statuses = {server.wait_finished(run_id)["status"] for run_id in accepted}

    assert len(accepted) == 100
    assert statuses == {"completed"}
    for answer in refused:
        assert_refused(answer, 429, code="queue_full")
        assert int(answer.headers["retry-after"]) >= 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB; skips where none can be mounted."""
    if os.geteuid() != 0:
        pytest.skip("a small file system has to be mounted: run as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    subprocess.run(mount, check=True, capture_output=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True, capture_output=True)


def fill(disk: Path) -> Path:
    """Leave no byte on ``disk``."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65_536))
    return filler


def test_58_full_disk_stops_new_runs_only(small_disk: Path) -> None:
    changes = {"WEBAPI_DISK_MARGIN": "8388608", "WEBAPI_BALLAST": "8388608"}
    with running_server(small_disk, environment=changes) as server:
        server.write_script("hello.py", "print(1)\n")
        go_on = small_disk.parent / "go-on"
        waiting = server.write_script(
            "waiting.py",
            f"import os, time\nwhile not os.path.exists({str(go_on)!r}):\n"
            "    time.sleep(0.02)\nraise SystemExit(7)\n",
        )
        run_id = server.submit(waiting)
        wait_running(server, run_id)
        filler = fill(small_disk)

        refused = submit(server, script_path="hello.py")
        assert_refused(refused, 507, code="disk_full")
        assert server.client.get("/api/runs").status_code == 200
        status = server.client.get("/api/system/status").json()
        assert status["disk"]["accepting_runs"] is False
        go_on.touch()
        assert server.wait_finished(run_id)["exit_code"] == 7

        filler.unlink()
        wait_for(
            lambda: submit(server, script_path="hello.py").status_code == 202,
            what="new runs when there is room again",
        )
