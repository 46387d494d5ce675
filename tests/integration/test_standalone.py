"""``ScriptRunner`` as the door gives it: every option, without a service."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from scriptrunner.engine.destinations import WebhookNotAllowedError
from scriptrunner.engine.steps.prices import PriceChoice
from scriptrunner.errors import InvalidInputError, MalformedInputError
from scriptrunner.history.manager import HistoryManager
from scriptrunner.standalone import ScriptRunner

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text("print('done')\n")
    return tmp_path


def test_every_step_works_as_in_the_service(folder: Path) -> None:
    options: dict[str, Any] = {
        "performance_gates": [{"metric": "exit_code", "max_value": 0}],
        "junit_output": "out/junit.xml",
        "save_baseline": "base.json",
        "enable_cost_tracking": True,
        "enable_visualizer": True,
    }
    runner = ScriptRunner("job.py", **options)
    result = runner.run()
    assert result["reason"] is None
    assert result["performance_gates_passed"] is True
    assert result["junit_output"] == "out/junit.xml"
    (suite,) = JUnitXml.fromfile(str(folder / "out" / "junit.xml"))
    assert (suite.tests, suite.failures) == (2, 0)
    assert json.loads((folder / "base.json").read_text()) == result["metrics"]
    assert result["metrics"]["cost_total"] == result["cost"]["cost"]["total"]
    assert {each["name"] for each in result["outputs"]} == {
        "out/junit.xml",
        "base.json",
    }
    stages = {
        each["stage"]: each["status"]
        for each in result["visualization_report"]["steps"]
    }
    assert [stages[name] for name in ("Gates", "Baseline", "JUnit", "Cost")] == [
        "done"
    ] * 4
    types = [event["event_type"] for event in runner.logger.get_logs()]
    assert types[-5:] == ["cost", "gates", "baseline", "junit", "finished"]
    again = ScriptRunner("job.py", load_baseline="base.json", **options).run()
    assert again["baseline_comparison"]["exit_code"]["verdict"] == "same"


def test_failed_gates_fail_the_run() -> None:
    gate = {"metric": "stdout_lines", "max_value": 0}
    result = ScriptRunner(
        "job.py", performance_gates=[gate], retry_on_failure=True
    ).run()
    assert (result["reason"], result["success"]) == ("gates", True)
    assert result["error"] == "1 of 1 gates failed"
    assert len(result["attempts"]) == 1


def test_a_history_file_is_made_and_grows(folder: Path) -> None:
    ids = [
        ScriptRunner("job.py", history_db="h.db").run()["execution_id"]
        for _ in range(2)
    ]
    assert len(set(ids)) == 2
    gate = {"metric": "stdout_lines", "max_value": 0}
    ScriptRunner("job.py", history_db="h.db", performance_gates=[gate]).run()
    kept = HistoryManager(folder / "h.db").get_execution_history()
    assert sorted(each["status"] for each in kept) == [
        "completed",
        "completed",
        "failed",
    ]


def test_without_a_history_file_nothing_is_kept(folder: Path) -> None:
    assert ScriptRunner("job.py").run()["execution_id"] is None
    result = ScriptRunner("job.py", history_db="h.db", enable_history=False).run()
    assert result["execution_id"] is None
    assert [each.name for each in folder.iterdir()] == ["job.py"]


def test_a_history_that_cannot_be_written_changes_nothing(folder: Path) -> None:
    runner = ScriptRunner("job.py", history_db="h.db")
    (folder / "h.db").write_text("no database at all " * 100)
    result = runner.run()
    assert (result["status"], result["execution_id"]) == ("success", None)
    (event,) = [e for e in runner.logger.get_logs() if e["event_type"] == "history"]
    assert event["data"]["error"]
    with pytest.raises(InvalidInputError):
        ScriptRunner("job.py", history_db="h.db")


def test_alerts_are_judged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    alerts = [
        {"name": "loud", "condition": "stdout_lines > 0", "channels": ["console"]},
        {"name": "quiet", "condition": "stdout_lines > 9", "channels": ["log"]},
        {"name": "unset", "condition": "true", "channels": ["email"]},
    ]
    runner = ScriptRunner("job.py", alerts=alerts)
    with caplog.at_level(logging.INFO):
        result = runner.run()
    loud, quiet, unset = result["alerts"]
    assert loud["triggered"]
    assert loud["deliveries"][0]["status"] == "sent"
    assert (quiet["triggered"], quiet["deliveries"]) == (False, [])
    assert unset["deliveries"][0]["status"] == "skipped"
    assert "loud" in caplog.text
    types = [event["event_type"] for event in runner.logger.get_logs()]
    assert types.count("alert_delivery") == 2
    assert types[-1] == "finished"


def test_channels_and_hosts_are_checked_before_anything_is_started() -> None:
    rule = {"condition": "true", "channels": ["nowhere"]}
    with pytest.raises(MalformedInputError, match="nowhere"):
        ScriptRunner("job.py", alerts=[rule])
    rule = {"condition": "true", "channels": ["slack"]}
    with pytest.raises(WebhookNotAllowedError):
        ScriptRunner("job.py", alerts=[rule], slack_webhook="https://evil.example/x")


def test_prices_may_be_chosen() -> None:
    prices = PriceChoice(instance="aws/us-east-1/m7g.large")
    result = ScriptRunner("job.py", enable_cost_tracking=True, prices=prices).run()
    assert result["cost"]["rates"]["instance_type"] == "m7g.large"


def test_whoever_looks_at_the_end_may_add_to_it() -> None:
    def add(ending: Any) -> None:
        ending.result["own"] = ending.metrics["stdout_lines"]

    assert ScriptRunner("job.py", on_ending=add).run()["own"] == 1


def test_a_plain_run_loads_no_more_than_before() -> None:
    """Neither a database nor HTTP, XML or scanners."""
    code = (
        "import sys; from runner import ScriptRunner; ScriptRunner('job.py').run();"
        "print(sorted({'sqlalchemy', 'httpx', 'junitparser', 'pydantic', 'bandit',"
        "'detect_secrets', 'apprise', 'xml', 'email'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_a_script_that_never_started_meets_no_rule(folder: Path) -> None:
    (folder / "job.py").write_text("import yaml\nyaml.load(open('x'), yaml.Loader)\n")
    rule = {"condition": "true", "channels": ["log"]}
    result = ScriptRunner("job.py", enable_code_analysis=True, alerts=[rule]).run()
    assert (result["reason"], result["alerts"]) == ("scan_blocked", None)
