"""A history without a service: save, find, count, clean."""

import hashlib
import sqlite3
from datetime import UTC, datetime

import pytest

from runner import HistoryManager, ScriptRunner
from scriptrunner.errors import InvalidInputError, MalformedInputError
from scriptrunner.history.errors import InvalidHistoryDbError
from scriptrunner.history.manager import UnknownMetricError
from tests.clocks import FakeClock


@pytest.fixture
def history(tmp_path):
    return HistoryManager(tmp_path / "history.db", clock=FakeClock())


def make_metrics(number=1, **changes):
    return {
        "script_path": "/srv/etl.py",
        "script_args": ["--fast"],
        "correlation_id": f"run-{number}",
        "status": "success",
        "success": True,
        "exit_code": 0,
        "start_time": f"2026-11-23T09:00:{number:02}.000000Z",
        "end_time": f"2026-11-23T09:00:{number:02}.500000Z",
        "execution_time_seconds": number / 10,
        **changes,
    }


def test_what_was_saved_is_found_newest_first(history):
    assert [history.save_execution(make_metrics(number)) for number in (1, 2)] == [1, 2]
    newest, oldest = history.get_execution_history()
    assert newest["run_id"] == "run-2"
    assert oldest["start_time"] == "2026-11-23T09:00:01.000000Z"
    assert oldest["script_args"] == ["--fast"]
    assert oldest["metrics"]["success"] == 1
    assert history.get_execution_history(limit=1) == [newest]
    assert history.get_execution_history("/srv/etl.py") == [newest, oldest]
    assert history.get_execution_history("/srv/other.py") == []


def test_a_run_is_kept_once(history):
    history.save_execution(make_metrics())
    history.save_execution(make_metrics(execution_time_seconds=5.0))
    (only,) = history.get_execution_history()
    assert only["execution_time_seconds"] == 5.0


def test_a_series_is_in_the_order_of_time(history):
    for number in (3, 1, 2):
        history.save_execution(make_metrics(number))
    series = history.get_metric_history("duration", "/srv/etl.py")
    assert [value for _, value in series] == [0.1, 0.2, 0.3]
    assert series[0][0] == datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "completed"),
        ({"success": False, "status": "failed"}, "failed"),
        ({"success": False, "status": "killed"}, "cancelled"),
    ],
)
def test_what_became_of_a_run_follows_from_its_metrics(history, changes, status):
    history.save_execution(make_metrics(**changes))
    assert history.get_execution_history()[0]["status"] == status


def test_failed_gates_are_a_failed_run(history):
    result = {"metrics": make_metrics(), "performance_gates_passed": False}
    history.save_execution(result)
    assert history.get_execution_history()[0]["status"] == "failed"


def test_an_unknown_metric_is_an_error(history):
    with pytest.raises(UnknownMetricError, match="nonsense"):
        history.get_metric_history("nonsense")


def test_a_new_history_is_empty_and_makes_no_file(history, tmp_path):
    assert history.get_execution_history() == []
    assert history.get_metric_history("cpu") == []
    assert history.cleanup_old_data() == 0
    assert history.get_database_stats()["total_executions"] == 0
    assert list(tmp_path.iterdir()) == []


def test_stats_and_cleanup(history):
    history.save_execution(make_metrics(1, start_time="2026-01-01T00:00:00.000000Z"))
    history.save_execution(make_metrics(2))
    stats = history.get_database_stats()
    assert (stats["total_executions"], stats["unique_scripts"]) == (2, 1)
    assert stats["total_execution_time_seconds"] == 0.3
    assert stats["database_file"] == "history.db"
    assert stats["oldest"] == "2026-01-01T00:00:00.000000Z"
    assert len(history.get_execution_history()) == 1  # of the last 30 days
    assert len(history.get_execution_history(days=None)) == 2
    assert history.cleanup_old_data(days=30) == 1
    assert history.get_database_stats()["total_executions"] == 1


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf")])
def test_a_cleanup_of_no_time_is_refused(history, days):
    with pytest.raises(MalformedInputError):
        history.cleanup_old_data(days)


@pytest.mark.parametrize("result", [{}, {"dry_run": True}, {"metrics": None}])
def test_what_has_no_metrics_is_refused(history, result):
    with pytest.raises(InvalidInputError):
        history.save_execution(result)


def test_a_foreign_file_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "mine.db"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE t (x)")
    other.close()
    before = file.read_bytes()
    for path in (file, tmp_path):
        with pytest.raises(InvalidHistoryDbError):
            HistoryManager(path)
    assert file.read_bytes() == before


def test_it_keeps_what_a_runner_returns(tmp_path):
    script = tmp_path / "hello.py"
    script.write_text("print('hello')\n")
    result = ScriptRunner(script).run()
    with HistoryManager(tmp_path / "history.db") as history:
        history.save_execution(result)
        (item,) = history.get_execution_history(script)
    assert item["script_path"] == str(script.resolve())
    assert item["run_id"] == result["correlation_id"]
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    assert (item["status"], item["script_sha256"]) == ("completed", digest)
    metrics = result["metrics"]
    assert item["execution_time_seconds"] == metrics["execution_time_seconds"]
    assert item["metrics"]["stdout_lines"] == 1
