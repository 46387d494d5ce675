"""A service that is started again gets a supervisor of its own settings and code."""

from pathlib import Path

import pytest

from scriptrunner.supervisor import note
from tests.server import Server, wait_for

pytestmark = pytest.mark.slow

SLEEPER = "import time; time.sleep(30)"


@pytest.mark.timeout(60)
def test_new_settings_are_in_force_after_a_quick_restart(tmp_path: Path) -> None:
    """The old supervisor saw the new service at once, and stayed with its own slots."""
    first = Server(tmp_path, environment={"WEBAPI_SLOTS": "1"})
    second = Server(tmp_path, environment={"WEBAPI_SLOTS": "3"}, port=first.port)
    try:
        first.start()
        script = first.write_script("sleeper.py", SLEEPER)
        old = [first.submit(script) for _ in range(3)]
        wait_for(lambda: count_running(first) == 1, what="one running script")
        first.terminate()
        second.start()
        wait_for(lambda: count_running(second) == 3, what="three running scripts")
        records = [second.client.get(f"/api/runs/{run_id}").json() for run_id in old]
        assert [record["attempts"][0]["n"] for record in records] == [1, 1, 1]
    finally:
        first.close()
        second.close()


def count_running(server: Server) -> int:
    runs = server.client.get("/api/runs", params={"status": "running"}).json()
    return sum(run["phase"] == "running" for run in runs)


@pytest.mark.timeout(60)
def test_a_supervisor_of_the_same_settings_stays(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        server.start()
        assert server.run("print(1)")["status"] == "completed"
        before = note.read(server.data_dir)["pid"]
        server.terminate()
        server.start()
        assert server.run("print(2)")["status"] == "completed"
        assert note.read(server.data_dir)["pid"] == before
    finally:
        server.close()
