"""How scripts end, and what is kept of it."""

import time

import pytest

from runner import ScriptRunner
from tests.integration.script_runner.conftest import (
    event_types,
    is_alive,
)
from tests.integration.scripts import POLITE, STUBBORN


def test_a_script_that_succeeds(write):
    script = write(
        "import sys; print('out', sys.argv[1:]); print('err', file=sys.stderr)"
    )
    runner = ScriptRunner(script, args=["a b", "*", "@x"])
    result = runner.run()
    assert result["stdout"] == "out ['a b', '*', '@x']\n"
    assert result["stderr"] == "err\n"
    assert (result["returncode"], result["success"]) == (0, True)
    assert (result["status"], result["reason"]) == ("success", None)
    assert result["error"] is None
    assert result["error_summary"] is None
    assert (result["stdout_lines"], result["stderr_lines"]) == (1, 1)
    assert event_types(runner) == ["queued", "dequeued", "start", "success", "finished"]


@pytest.mark.parametrize(
    ("code", "returncode", "reason", "error"),
    [
        ("import sys; sys.exit(3)", 3, "exit_code", "Exit code 3"),
        ("raise RuntimeError('x')", 1, "exit_code", "Exit code 1"),
        ("print(", 1, "exit_code", "Exit code 1"),
        (
            "import os; os.kill(os.getpid(), 11)",
            -11,
            "signal",
            "Died of SIGSEGV (signal 11)",
        ),
    ],
)
def test_a_script_that_fails(write, code, returncode, reason, error):
    result = ScriptRunner(write(code)).run()
    assert (result["returncode"], result["status"]) == (returncode, "failed")
    assert (result["reason"], result["error"]) == (reason, error)
    assert result["error_summary"]["message"] == error
    assert len(result["attempts"]) == 1


def test_output_of_any_bytes_is_kept_and_the_code_stays_true(write):
    script = write("import os, sys; os.write(1, b'a\\xff\\0\\n'); sys.exit(7)")
    received = bytearray()
    result = ScriptRunner(script, on_output=lambda _, data: received.extend(data)).run()
    assert bytes(received) == b"a\xff\0\n"
    assert result["stdout"] == "a\ufffd\0\n"
    assert result["returncode"] == 7


def test_a_script_that_prints_nothing_it_can_encode_does_not_fail(write):
    result = ScriptRunner(write("print('\\udcff \\u20ac')")).run()
    assert result["stdout"] == "\\udcff €\n"
    assert result["success"]


def test_large_output_shows_its_end(write):
    script = write("for n in range(20_000): print(f'line {n:05}')")  # 11 bytes each
    result = ScriptRunner(script).run()
    assert result["stdout_truncated"] is True
    # 65 536 / 11 = 5957.8: the last 5 957 whole lines
    assert result["stdout"].startswith("line 14043\n")
    assert result["stdout"].endswith("line 19999\n")
    assert result["stdout_lines"] == 20_000
    assert result["metrics"]["stdout_bytes"] == 220_000


def test_output_beyond_the_limit_is_dropped_counted_and_said(write):
    script = write("print('x' * 9_999); print('y' * 9_999)")
    runner = ScriptRunner(script, max_output_bytes=10_000)
    result = runner.run()
    assert result["stdout"] == "x" * 9_999 + "\n"
    assert result["stdout_truncated"] is True
    assert result["metrics"]["stdout_dropped_bytes"] == 10_000
    assert "output_truncated" in event_types(runner)


def test_a_timeout_keeps_the_output_and_lets_the_handler_run(write):
    result = ScriptRunner(write(POLITE), timeout=1).run()
    assert (result["status"], result["reason"]) == ("timeout", "timeout")
    assert result["stdout"] == "ready\nbye\n"
    assert result["error"] == "Timed out after 1 s"
    assert result["error_summary"]["error"] == "Script execution timed out"
    assert 1.0 <= result["metrics"]["execution_time_seconds"] < 10
    assert result["metrics"]["timed_out"] is True


def test_a_timeout_kills_who_does_not_listen(write):
    result = ScriptRunner(write(STUBBORN), timeout=1, grace_seconds=0.2).run()
    assert (result["status"], result["returncode"]) == ("timeout", -9)
    assert 1.2 <= result["metrics"]["execution_time_seconds"] < 10


def test_daemons_end_with_the_script_and_delay_nothing(write):
    script = write("""
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep(0.2)
""")
    started = time.monotonic()
    result = ScriptRunner(script).run()
    assert time.monotonic() - started < 10
    assert result["success"]
    assert not is_alive(int(result["stdout"]))


def test_metrics_are_those_of_the_script(write):
    script = write("""
import time
block = bytearray(60_000_000)
until = time.process_time() + 0.3
while time.process_time() < until: pass
""")
    metrics = ScriptRunner(script, monitor_interval=0.05).run()["metrics"]
    assert 0.3 <= metrics["cpu_time_seconds"] < 1.0
    assert 57 < metrics["max_memory_mb"] < 120  # 60e6 / 2**20 = 57.2
    assert metrics["memory_max_mb"] >= metrics["max_memory_mb"]
    assert metrics["cpu_min"] <= metrics["cpu_avg"] <= metrics["cpu_max"]
    assert metrics["sample_count"] >= 3


def test_a_small_script_does_not_carry_the_memory_of_its_caller(write):
    ballast = bytearray(150_000_000)
    metrics = ScriptRunner(write("pass")).run()["metrics"]
    assert metrics["max_memory_mb"] < 50
    assert ballast
