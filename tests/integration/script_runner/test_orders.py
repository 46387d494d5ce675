"""Stop, kill and restart from another thread."""

import time

import pytest

from runner import ScriptRunner
from scriptrunner.engine.runner import AlreadyRunningError
from tests.integration.script_runner.conftest import (
    Ready,
    event_types,
    is_alive,
)
from tests.integration.scripts import POLITE, STUBBORN
from tests.server import wait_for


def test_stop_lets_the_handler_run_and_starts_no_further_attempt(write, begin):
    ready = Ready()
    runner = ScriptRunner(write(POLITE), retry_on_failure=True, on_output=ready)
    future = begin(runner)
    ready.wait()
    assert runner.stop() is True
    result = future.result(5)
    assert (result["status"], result["reason"]) == ("killed", "stopped")
    assert (result["stdout"], result["returncode"]) == ("ready\nbye\n", 0)
    assert result["error"] == "Run stopped by user"
    assert len(result["attempts"]) == 1
    assert event_types(runner)[-3:] == [
        "stop_requested",
        "forced_termination",
        "finished",
    ]


def test_stop_kills_after_the_grace(write, begin):
    ready = Ready()
    runner = ScriptRunner(write(STUBBORN), on_output=ready)
    future = begin(runner)
    ready.wait()
    started = time.monotonic()
    assert runner.stop(grace_seconds=0.3) is True
    assert future.result(5)["returncode"] == -9
    assert 0.3 <= time.monotonic() - started < 10


def test_kill_ends_a_stop_that_takes_too_long(write, begin):
    ready = Ready()
    runner = ScriptRunner(write(STUBBORN), on_output=ready)
    future = begin(runner)
    ready.wait()
    assert runner.stop() is True
    assert runner.stop() is False
    assert runner.kill() is True
    result = future.result(5)
    assert (result["reason"], result["returncode"]) == ("killed", -9)
    assert runner.kill() is False


def test_kill_ends_the_whole_tree(write, begin):
    ready = Ready()
    script = write(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
        " start_new_session=True)\n"
        "print(child.pid, 'ready')\n"
        "time.sleep(60)\n"
    )
    runner = ScriptRunner(script, on_output=ready)
    future = begin(runner)
    ready.wait()
    assert runner.kill() is True
    result = future.result(5)
    assert not is_alive(int(result["stdout"].split()[0]))


def test_an_order_in_the_first_instant_is_not_lost(write, begin):
    runner = ScriptRunner(write(POLITE))
    future = begin(runner)
    wait_for(lambda: runner.kill() or future.done(), what="somebody to kill")
    result = future.result(10)
    assert (result["status"], result["reason"]) in (
        ("killed", "killed"),
        (None, "killed"),
    )


def test_restart_begins_again_when_the_old_script_is_gone(write, begin, tmp_path):
    marks = tmp_path / "marks"
    script = write(f"""
import pathlib, sys, time
marks = pathlib.Path({str(marks)!r})
first = not marks.exists()
with marks.open("a") as file: file.write("begin ")
try:
    print("ready")
    if first: time.sleep(60)
finally:
    with marks.open("a") as file: file.write("end ")
""")
    script.write_text(
        "import signal, sys; signal.signal(15, lambda *_: sys.exit(1))\n"
        + script.read_text()
    )
    ready = Ready()
    runner = ScriptRunner(script, on_output=ready)
    future = begin(runner)
    ready.wait()
    first = runner.logger.correlation_id
    assert runner.restart() is True
    result = future.result(10)
    assert result["success"]
    assert result["restarted_from"]
    assert result["correlation_id"] != first
    assert marks.read_text() == "begin end begin end "


def test_orders_without_a_run_arrive_nowhere(write):
    runner = ScriptRunner(write("pass"))
    assert [runner.stop(), runner.kill(), runner.restart()] == [False] * 3
    runner.run()
    assert [runner.stop(), runner.kill(), runner.restart()] == [False] * 3


def test_a_runner_runs_one_script_at_a_time_and_again_afterwards(write, begin):
    ready = Ready()
    runner = ScriptRunner(write(POLITE), on_output=ready)
    future = begin(runner)
    ready.wait()
    states = [runner.is_running]
    with pytest.raises(AlreadyRunningError):
        runner.run()
    runner.kill()
    future.result(5)
    states.append(runner.is_running)
    assert states == [True, False]
    runner = ScriptRunner(write("print(1)"))
    assert [runner.run()["stdout"] for _ in range(2)] == ["1\n", "1\n"]


def test_many_runners_work_side_by_side(write, begin):
    script = write("import sys; print(sys.argv[1])")
    futures = [begin(ScriptRunner(script, args=[str(n)])) for n in range(8)]
    assert [each.result(15)["stdout"] for each in futures] == [
        f"{n}\n" for n in range(8)
    ]
