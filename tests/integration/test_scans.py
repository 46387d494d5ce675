"""Scans of runs, through a whole service."""

import contextlib
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scriptrunner.engine import control_file, process_tree
from scriptrunner.supervisor import note
from tests.server import Server, running_server, wait_for
from tests.unit.engine.scans.test_advisories import OWN

SECRET = 'password = "hunter2"\n'


class Scanner:
    """A service, and a way to hold its scans."""

    def __init__(self, server: Server, data: Path) -> None:
        self.server = server
        #: Among the advisory data: whoever reads it waits for what we write.
        self.pipe = data / "pipe.json"
        self.writer = -1

    def run(self, text: str, **fields: Any) -> dict[str, Any]:
        return self.server.run(text, **fields)

    def events(self, run_id: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.server.client.get(
            f"/api/runs/{run_id}/events"
        ).json()
        return events

    def types(self, run_id: str) -> list[str]:
        return [each["event_type"] for each in self.events(run_id)]

    def begin(self, text: str) -> str:
        """Submit a run and return its id once it is being scanned, and held there."""
        os.mkfifo(self.pipe)
        path = self.server.write_script("held.py", text)
        run_id = self.server.submit(path, enable_dependency_scanning=True)
        wait_for(self._is_read, what="the scan")
        return run_id

    def _is_read(self) -> bool:
        try:
            self.writer = os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False  # nobody has opened it for reading so far
        return True

    def release(self) -> None:
        """Let the scan that is held go on, if it is still there."""
        self.pipe.unlink()
        with contextlib.suppress(BrokenPipeError):
            os.write(self.writer, b"[]")
        os.close(self.writer)


@pytest.fixture(scope="module")
def scanner(tmp_path_factory) -> Iterator[Scanner]:
    folder = tmp_path_factory.mktemp("scans")
    data = folder / "advisories"
    data.mkdir()
    shutil.copy(OWN, data)
    environment = {"WEBAPI_ADVISORY_DB": str(data), "WEBAPI_SLOTS": "2"}
    with running_server(folder, environment=environment) as server:
        yield Scanner(server, data)


def test_a_blocked_run_starts_nothing_and_says_why(scanner, tmp_path):
    trace = tmp_path / "ran"
    record = scanner.run(
        f"{SECRET}open({str(trace)!r}, 'w').close()\n",
        enable_secret_scanning=True,
        enable_code_analysis=True,
        retry_on_failure=True,
        enable_visualizer=True,
        junit_output="report.xml",
    )
    assert not trace.exists()
    assert (record["status"], record["run_status"]) == ("failed", "failed")
    assert (record["reason"], record["exit_code"]) == ("scan_blocked", None)
    message = (
        "Blocked by secret scan: 1 finding at HIGH or above"
        " (line 1: Password in plain text)"
    )
    assert record["error"] == message
    summary = record["error_summary"]
    assert (
        summary.items()
        >= {
            "exit_code": None,
            "stderr_snippet": "",
            "status": "failed",
            "reason": "scan_blocked",
            "message": message,
            "scans": ["secrets"],
        }.items()
    )
    scans = record["result"]["scans"]
    assert scans["secrets"]["blocked"] is True
    assert scans["secrets"]["counts"] == {"HIGH": 1}
    (finding,) = scans["secrets"]["findings"]
    assert finding["masked_value"] == "h*****"
    # All scans asked for are made, also when one blocks.
    assert scans["code_analysis"]["status"] == "findings"
    assert scans["code_analysis"]["blocked"] is False
    assert "dependencies" not in scans
    assert "hunter2" not in json.dumps(record)
    assert scanner.types(record["id"]) == [
        *("queued", "dequeued", "scan", "scan", "start", "failure", "junit"),
        "finished",
    ]
    assert len(record["attempts"]) == 1
    steps = record["result"]["visualization_report"]["steps"]
    stage = next(each for each in steps if each["stage"] == "Scans")
    assert stage["status"] == "error"
    assert stage["details"]["secrets"] == "1 HIGH"
    assert stage["duration_s"] > 0
    report = scanner.server.client.get(
        f"/api/runs/{record['id']}/outputs/report.xml"
    ).text
    assert '<error message="Blocked by secret scan' in report
    assert 'type="scan_blocked"' in report
    assert 'name="secrets"' in report
    assert record["result"]["execution_id"] is None


def test_findings_below_the_limit_are_reported_and_the_script_runs(scanner):
    record = scanner.run("print(eval('1'))\n", enable_code_analysis=True)
    assert record["status"] == "completed"
    assert record["result"]["stdout"] == "1\n"
    scan = record["result"]["scans"]["code_analysis"]
    assert (scan["status"], scan["blocked"]) == ("findings", False)
    assert scan["findings"][0]["id"] == "B307"
    events = scanner.events(record["id"])
    types = [each["event_type"] for each in events]
    assert types[:4] == ["queued", "dequeued", "scan", "start"]
    data = events[2]["data"]
    assert data["scan"] == "code_analysis"
    assert (data["findings"], data["worst"], data["blocked"]) == (1, "MEDIUM", False)


def test_what_was_scanned_before_is_not_scanned_again(scanner):
    text = "print('scanned twice')\n"
    first = scanner.run(text, enable_secret_scanning=True)
    second = scanner.run(text, enable_secret_scanning=True, name="other.py")
    assert first["result"]["scans"]["secrets"]["cached"] is False
    scan = second["result"]["scans"]["secrets"]
    assert (scan["status"], scan["cached"]) == ("clean", True)


def test_the_requirements_of_a_script_are_looked_up(scanner):
    scanner.server.write_script("needs/requirements.txt", "wavy==1.0\nrich\n")
    record = scanner.run(
        "print(1)\n", name="needs/below/x.py", enable_dependency_scanning=True
    )
    assert record["reason"] == "scan_blocked"
    scan = record["result"]["scans"]["dependencies"]
    assert scan["requirements"] == "needs/requirements.txt"
    worst, unpinned = scan["findings"]
    assert (worst["id"], worst["severity"], worst["line"]) == (
        "TEST-0003",
        "CRITICAL",
        1,
    )
    assert (unpinned["id"], unpinned["package"]) == ("unpinned", "rich")
    assert scan["advisories"]["date"] == "2026-01-02T03:04:05Z"
    assert scan["advisories"]["age_days"] > 0


def test_a_dry_run_is_scanned_and_nothing_is_started(scanner, tmp_path):
    trace = tmp_path / "ran"
    record = scanner.run(
        f"{SECRET}open({str(trace)!r}, 'w').close()\n",
        dry_run=True,
        enable_secret_scanning=True,
        enable_visualizer=True,
    )
    assert (record["status"], record["run_status"]) == ("completed", None)
    assert (record["correlation_id"], record["error_summary"]) == (None, None)
    assert record["attempts"] == []
    result = record["result"]
    assert (result["dry_run"], result["would_be_blocked"]) == (True, True)
    assert result["scans"]["secrets"]["status"] == "findings"
    assert not trace.exists()
    assert scanner.types(record["id"]) == ["queued", "dequeued", "scan", "finished"]
    report = scanner.server.client.get(f"/api/runs/{record['id']}/visualization").json()
    statuses = {each["stage"]: each["status"] for each in report["steps"]}
    assert (statuses["Scans"], statuses["Execution"]) == ("error", "skip")


def test_a_dry_run_without_scans_needs_no_attempt(scanner):
    record = scanner.run(SECRET, dry_run=True)
    assert record["result"]["scans"] == {}
    assert record["result"]["would_be_blocked"] is False
    assert scanner.types(record["id"]) == ["queued", "finished"]


def test_retries_are_not_scanned_again(scanner):
    record = scanner.run(
        "import sys\nsys.exit(3)\n",
        enable_secret_scanning=True,
        retry_on_failure=True,
        retry_max_attempts=3,
        retry_initial_delay=0,
    )
    assert (record["reason"], len(record["attempts"])) == ("exit_code", 3)
    assert scanner.types(record["id"]).count("scan") == 1
    assert record["result"]["scans"]["secrets"]["status"] == "clean"


def test_a_run_that_is_stopped_between_attempts_keeps_its_scans(scanner):
    path = scanner.server.write_script("fails.py", "import sys\nsys.exit(3)\n")
    options = {"retry_on_failure": True, "retry_initial_delay": 60}
    run_id = scanner.server.submit(path, enable_secret_scanning=True, **options)
    client = scanner.server.client
    wait_for(
        lambda: client.get(f"/api/runs/{run_id}").json()["phase"] == "backoff",
        what="the wait for a retry",
    )
    assert client.post(f"/api/runs/{run_id}/stop").status_code == 200
    record = scanner.server.wait_finished(run_id)
    assert record["status"] == "cancelled"
    assert record["result"]["scans"]["secrets"]["status"] == "clean"


def test_uploads_are_scanned(scanner):
    answer = scanner.server.client.post(
        "/api/run/upload",
        files={"file": ("up.py", SECRET.encode(), "text/x-python")},
        data={"enable_secret_scanning": "true", "enable_dependency_scanning": "true"},
    )
    assert answer.status_code == 202, answer.text
    record = scanner.server.wait_finished(answer.json()["run_id"])
    assert record["reason"] == "scan_blocked"
    scans = record["result"]["scans"]
    assert scans["secrets"]["findings"][0]["file"] == "up.py"
    assert scans["dependencies"]["requirements"] is None


def test_a_script_that_cannot_be_scanned_is_not_clean(scanner):
    text = "#" * (4 << 20) + "\nprint('ran')\n"
    record = scanner.run(text, enable_code_analysis=True)
    assert record["status"] == "completed"
    scan = record["result"]["scans"]["code_analysis"]
    assert (scan["status"], scan["blocked"]) == ("error", False)
    assert record["warnings"] == ["code_analysis_scan_error"]


@pytest.mark.parametrize("kind", ["stop", "kill", "cancel"])
def test_an_order_during_a_scan_takes_effect_at_once(scanner, kind):
    run_id = scanner.begin("print('ran')\n")
    answer = scanner.server.client.post(f"/api/runs/{run_id}/{kind}")
    assert answer.status_code == 200, answer.text
    record = scanner.server.wait_finished(run_id)
    scanner.release()
    assert (record["status"], record["run_status"]) == ("cancelled", "killed")
    assert record["result"]["stdout"] == ""
    assert record["result"]["scans"] is None


@pytest.mark.slow
def test_a_scan_outlives_the_supervisor(scanner):
    run_id = scanner.begin("print('survived')\n")
    os.kill(note.read(scanner.server.data_dir)["pid"], signal.SIGKILL)
    scanner.release()
    record = scanner.server.wait_finished(run_id)
    assert record["status"] == "completed"
    assert record["result"]["stdout"] == "survived\n"
    assert record["result"]["scans"]["dependencies"]["status"] == "clean"
    assert scanner.types(run_id).count("scan") == 1
    assert len(record["attempts"]) == 1


@pytest.mark.slow
def test_a_scan_whose_shim_is_killed_is_made_again(scanner):
    run_id = scanner.begin("print('once')\n")
    file = control_file.read(f"{scanner.server.data_dir}/runs/{run_id}/a1.ctl")
    assert file is not None
    assert file.identity is not None
    (child,) = process_tree.list_children(file.identity["pid"])
    os.kill(file.identity["pid"], signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{child}").exists(), what="the end of the scan")
    scanner.release()
    record = scanner.server.wait_finished(run_id)
    assert record["status"] == "completed"
    assert record["result"]["stdout"] == "once\n"
    assert [each["n"] for each in record["attempts"]] == [2]
    assert scanner.types(run_id).count("scan") == 1
