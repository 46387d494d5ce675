"""Scans of scripts that run without a service."""

import threading
from pathlib import Path
from typing import Any

import pytest

from runner import ScriptRunner
from tests.server import wait_for
from tests.unit.engine.scans.test_advisories import OWN

BAD = 'password = "hunter2"\nprint("ran")\n'


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "x.py"
    path.write_text(BAD)
    return path


def types(runner: ScriptRunner) -> list[str]:
    return [event["event_type"] for event in runner.logger.get_logs()]


def test_a_finding_keeps_a_script_from_starting(script):
    runner = ScriptRunner(script, enable_secret_scanning=True, retry_on_failure=True)
    result = runner.run()
    assert (result["reason"], result["status"]) == ("scan_blocked", "failed")
    assert (result["returncode"], result["stdout"]) == (None, "")
    message = (
        "Blocked by secret scan: 1 finding at HIGH or above"
        " (line 1: Password in plain text)"
    )
    assert result["error"] == message
    assert result["error_summary"]["scans"] == ["secrets"]
    assert result["error_summary"]["message"] == message
    assert result["scans"]["secrets"]["findings"][0]["masked_value"] == "h*****"
    assert len(result["attempts"]) == 1
    assert types(runner) == [
        "queued",
        "dequeued",
        "scan",
        "start",
        "failure",
        "finished",
    ]


def test_a_finding_may_only_be_reported(script):
    runner = ScriptRunner(script, enable_secret_scanning=True, scan_block="none")
    result = runner.run()
    assert (result["status"], result["stdout"]) == ("success", "ran\n")
    assert result["scans"]["secrets"]["status"] == "findings"
    (event,) = [e for e in runner.logger.get_logs() if e["event_type"] == "scan"]
    expected: dict[str, Any] = {"scan": "secrets", "findings": 1, "worst": "HIGH"}
    assert event["data"].items() >= (expected | {"blocked": False}).items()


def test_the_step_report_tells_of_scans(script):
    runner = ScriptRunner(
        script, enable_secret_scanning=True, scan_block="none", enable_visualizer=True
    )
    report = runner.run()["visualization_report"]
    (step,) = [each for each in report["steps"] if each["stage"] == "Scans"]
    assert (step["status"], step["details"]) == ("done", {"secrets": "1 HIGH"})


def test_what_a_script_depends_on_is_looked_up(script):
    (script.parent / "requirements.txt").write_text("wavy==1.0\n")
    result = ScriptRunner(
        script, enable_dependency_scanning=True, advisory_db=OWN
    ).run()
    assert result["reason"] == "scan_blocked"
    (finding,) = result["scans"]["dependencies"]["findings"]
    assert (finding["id"], finding["file"]) == ("TEST-0003", "requirements.txt")


def test_a_dry_run_scans_and_starts_nothing(script):
    runner = ScriptRunner(script, enable_secret_scanning=True, dry_run=True)
    result = runner.run()
    assert (result["dry_run"], result["would_be_blocked"]) == (True, True)
    assert result["scans"]["secrets"]["status"] == "findings"
    assert "start" not in types(runner)


def test_a_missing_scanner_or_its_data_are_told(script):
    runner = ScriptRunner(script, enable_dependency_scanning=True)
    result = runner.run()
    assert result["status"] == "success"
    assert result["scans"]["dependencies"]["reason"] == "no advisory data"
    (warning,) = [e for e in runner.logger.get_logs() if e["event_type"] == "warning"]
    assert warning["data"]["warning"] == "dependencies_scan_unavailable"


def test_without_scans_nothing_is_said_of_them(script):
    runner = ScriptRunner(script)
    assert runner.run()["scans"] is None
    assert "scan" not in types(runner)


def test_a_wrong_limit_is_refused(script):
    with pytest.raises(ValueError, match="LOW, MEDIUM, HIGH, CRITICAL, NONE"):
        ScriptRunner(script, scan_block="SOME")


@pytest.mark.parametrize("kind", ["stop", "kill"])
def test_an_order_during_a_scan_ends_the_run(script, tmp_path, monkeypatch, kind):
    (tmp_path / "detect_secrets").mkdir()
    began = tmp_path / "began"
    code = (
        f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(60)\n"
    )
    (tmp_path / "detect_secrets" / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    runner = ScriptRunner(script, enable_secret_scanning=True)
    results = []
    thread = threading.Thread(target=lambda: results.append(runner.run()))
    thread.start()
    wait_for(began.exists, what="the scan")
    assert getattr(runner, kind)()
    thread.join()
    assert (results[0]["status"], results[0]["stdout"]) == ("killed", "")
    assert results[0]["scans"] is None
