"""The analytics on both databases, without HTTP."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from scriptrunner.analytics.anomalies import AnomalyMethod
from scriptrunner.analytics.baselines import BaselineMethod
from scriptrunner.analytics.benchmarks import Order
from scriptrunner.analytics.errors import (
    BenchmarkNotFoundError,
    BenchmarkScriptMismatchError,
    NotEnoughDataError,
    VersionExistsError,
)
from scriptrunner.analytics.models import Question
from scriptrunner.analytics.retention import Policy
from scriptrunner.analytics.service import AnalyticsService, ExportOrder
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.history.locations import HistoryLocations
from scriptrunner.storage.database import Database
from tests.clocks import FakeClock
from tests.executions import BEGIN, make_finished, store

SHIFT = 40


@pytest.fixture
def analytics(database: Database, tmp_path: Path) -> AnalyticsService:
    """A service whose clock stands a day after the last of sixty executions."""
    (tmp_path / "scripts").mkdir()
    roots = AllowedRoots([tmp_path / "scripts"])
    path = f"{roots.roots[0]}/etl.py"
    store(
        database,
        [
            make_finished(
                number,
                script_path=path,
                execution_time_seconds=1.0 + (number > SHIFT) + number % 7 / 100,
                script_sha256=("a" if number <= SHIFT else "b") * 64,
                script_args=["--day", "1"] if number <= SHIFT else ["--day", "2"],
            )
            for number in range(1, 61)
        ],
    )
    return AnalyticsService(
        database,
        HistoryLocations(tmp_path / "history", {}),
        roots=roots,
        clock=FakeClock(BEGIN + timedelta(days=3, hours=12)),
        policy=Policy(days=1),
    )


@pytest.mark.parametrize("path", ["etl.py", "./etl.py", "x/../etl.py"])
def test_a_script_is_found_by_any_spelling(analytics, path):
    page, following = analytics.list_history(Question(script_path=path), limit=50)
    assert (page["count"], page["total"]) == (50, 60)
    rest, end = analytics.list_history(
        Question(script_path=path), limit=50, before=following
    )
    assert (rest["count"], end) == (10, None)


def test_a_shift_is_blamed_on_what_changed(analytics):
    body = analytics.find_trend(
        "duration", Question(script_path="etl.py"), threshold=10
    )
    (shift,) = body["change_points"]
    assert shift["index"] == SHIFT
    version, arguments = shift["causes"]
    assert (version["kind"], version["from"], version["to"]) == (
        "version",
        "a" * 64,
        "b" * 64,
    )
    assert (arguments["from"], arguments["to"]) == (["--day", "1"], ["--day", "2"])
    assert version["first_seen"] == version["time"] == shift["time"]
    assert "(--day 1 → --day 2)" in shift["summary"]


def test_every_question_is_answered_with_numbers(analytics):
    question = Question(script_path="etl.py")
    for metric in ("cpu_avg", "success", "queue_time_seconds", "nonsense"):
        answers = [
            analytics.find_trend(metric, question, threshold=10),
            analytics.find_anomalies(metric, question, method=AnomalyMethod.ZSCORE),
            analytics.find_baseline(metric, question, method=BaselineMethod.IQR),
            analytics.get_series(metric, question, method=AnomalyMethod.MAD),
        ]
        assert json.dumps(answers, allow_nan=False)
    assert analytics.get_overview(question)["executions"] == 60
    assert analytics.get_stats(None)["total_executions"] == 60


def test_an_export_unfolds_every_row(analytics):
    file = analytics.export(ExportOrder(script_path="etl.py"))
    rows = json.loads(b"".join(file.pieces))
    assert len(rows) == 60 * 7
    assert rows[0]["timestamp"] < rows[-1]["timestamp"]


def test_cleaning_up_and_its_preview(analytics):
    said = analytics.preview_retention(None, history_db=None)
    assert said["automatic"] is True
    gone = said["would_delete"]["executions"]
    # It is hour 84; before hour 60 began 1 to 59.
    planned = analytics.clean_up(days=1, dry_run=True, history_db=None)
    done = analytics.clean_up(days=1, dry_run=False, history_db=None)
    assert planned["deleted"] == done["deleted"]
    assert done["deleted"]["executions"] == gone == 59
    assert analytics.get_stats(None)["total_executions"] == 60 - gone


def test_benchmarks_are_kept_and_compared(analytics):
    benchmarks = analytics.benchmarks
    first = Order(name="b", script_path="etl.py", version="v1", sample_size=60)
    assert benchmarks.create(first)["samples"] == 60
    second = Order(name="b", script_path="etl.py", version="v2", sample_size=15)
    assert benchmarks.create(second)["benchmark_id"] > 0
    versions = benchmarks.list_versions("b")["versions"]
    assert [each["version"] for each in versions] == ["v2", "v1"]
    (slower,) = benchmarks.find_regressions("b", threshold=10)["regressions"]
    assert slower["metric"] == "execution_time_seconds"
    assert slower["significant"] is True
    with pytest.raises(VersionExistsError):
        benchmarks.create(second)
    with pytest.raises(BenchmarkScriptMismatchError):
        benchmarks.create(Order(name="b", script_path="other.py"))
    with pytest.raises(NotEnoughDataError):
        benchmarks.create(Order(name="c", script_path="other.py"))
    for unknown in ("c", "b\0"):
        with pytest.raises(BenchmarkNotFoundError):
            benchmarks.find_regressions(unknown, threshold=10)
    assert benchmarks.list_all()["benchmarks"] == ["b"]
