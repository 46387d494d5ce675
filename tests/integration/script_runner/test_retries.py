"""Scripts that fail are tried again as asked."""

import time

from runner import ScriptRunner
from tests.integration.script_runner.conftest import event_types
from tests.server import wait_for


def test_a_failing_script_is_tried_as_often_as_asked(write):
    runner = ScriptRunner(
        write(
            "import os, sys; print(os.environ['SCRIPT_RUNNER_ATTEMPT']); sys.exit(3)"
        ),
        retry_on_failure=True,
        retry_max_attempts=3,
        retry_initial_delay=0.01,
    )
    result = runner.run()
    assert [each["n"] for each in result["attempts"]] == [1, 2, 3]
    assert (result["stdout"], result["attempt_number"]) == ("3\n", 3)
    assert result["metrics"]["attempts"] == 3
    kinds = event_types(runner)
    assert kinds.count("start") == kinds.count("failed") == 3
    assert kinds.count("retry_scheduled") == 2


def test_a_script_that_gets_well_is_a_success(write, tmp_path):
    script = write(f"""
import pathlib, sys
marks = pathlib.Path({str(tmp_path / "marks")!r})
with marks.open("a") as file: file.write("x")
sys.exit(0 if len(marks.read_text()) == 2 else 1)
""")
    result = ScriptRunner(script, retry_on_failure=True, retry_initial_delay=0).run()
    assert result["success"]
    assert [each["exit_code"] for each in result["attempts"]] == [1, 0]


def test_without_retry_a_failing_script_runs_once(write):
    result = ScriptRunner(write("1/0"), retry_max_attempts=5).run()
    assert len(result["attempts"]) == 1


def test_a_retry_that_would_come_too_late_is_not_waited_for(write):
    started = time.monotonic()
    result = ScriptRunner(
        write("1/0"), retry_on_failure=True, retry_initial_delay=30, retry_max_time=10
    ).run()
    assert time.monotonic() - started < 10
    assert len(result["attempts"]) == 1


def test_a_stop_between_two_attempts_is_final_at_once(write, begin):
    runner = ScriptRunner(
        write("1/0"), retry_on_failure=True, retry_initial_delay=50, retry_max_time=99
    )
    future = begin(runner)
    wait_for(lambda: "retry_scheduled" in event_types(runner), what="the wait")
    assert runner.stop() is True
    result = future.result(5)
    assert (result["status"], result["reason"]) == ("killed", "stopped")
    assert len(result["attempts"]) == 1
    assert "ZeroDivisionError" in result["stderr"]
