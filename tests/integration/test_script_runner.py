"""``ScriptRunner`` with real scripts and real processes."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runner import ExecutionVisualizer, ScriptRunner
from scriptrunner.engine.paths import (
    InvalidWorkingDirError,
    NotPythonError,
    ScriptMissingError,
)
from scriptrunner.engine.plan import InvalidArgError, InvalidTimeoutError
from scriptrunner.engine.runner import AlreadyRunningError
from scriptrunner.errors import MalformedInputError
from tests.server import wait_for

#: A script that says so, sleeps for ever, and ends well when it is asked to.
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("bye"), sys.exit(0)))
print("ready")
time.sleep(60)
"""
#: The same, but it does not listen.
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready")
time.sleep(60)
"""
Writer = Callable[[str], Path]
Beginner = Callable[[ScriptRunner], Future[dict[str, Any]]]


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for run folders of which nothing may be left."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def write_script(text: str) -> Path:
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write_script


@pytest.fixture
def begin() -> Iterator[Beginner]:
    """Runs scripts in other threads; what a failed test leaves behind is killed."""
    runners: list[ScriptRunner] = []
    with ThreadPoolExecutor() as executor:

        def begin_run(runner: ScriptRunner) -> Future[dict[str, Any]]:
            runners.append(runner)
            return executor.submit(runner.run)

        yield begin_run
        for runner in runners:
            runner.kill()


def has_started(runner: ScriptRunner) -> bool:
    return "start" in event_types(runner)


def event_types(runner: ScriptRunner) -> list[str]:
    return [event["event_type"] for event in runner.logger.get_logs()]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class Ready:
    """Tells when a script has printed a word; hands all output on to nobody."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.output = bytearray()

    def __call__(self, _stream: str, data: bytes) -> None:
        self.output += data
        if b"ready" in self.output:
            self.event.set()

    def wait(self) -> None:
        assert self.event.wait(10), bytes(self.output)


# --- How it ends ------------------------------------------------------------


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


# --- Retries ----------------------------------------------------------------


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


# --- Orders from another thread ---------------------------------------------


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


# --- What goes wrong around it ----------------------------------------------


def test_a_killed_shim_is_a_loss_and_the_script_goes_too(write, begin):
    ready = Ready()
    script = write(
        "import os, time; print(os.getpid(), os.getppid(), 'ready'); time.sleep(60)"
    )
    runner = ScriptRunner(script, on_output=ready, retry_on_failure=True)
    future = begin(runner)
    ready.wait()
    pid, shim = (int(word) for word in ready.output.split()[:2])
    os.kill(shim, signal.SIGKILL)
    result = future.result(10)
    assert (result["status"], result["reason"]) == ("killed", "lost")
    assert (result["returncode"], len(result["attempts"])) == (None, 1)
    assert not is_alive(pid)


def test_everything_ends_with_a_program_that_is_killed(write, tmp_path):
    script = write("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    folder = tmp_path / "owner"
    folder.mkdir()
    code = (
        "import sys; from runner import ScriptRunner;"
        f"ScriptRunner({str(script)!r}, on_output=lambda s, d: print(d.decode(), flush=True)).run()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
        cwd=Path(__file__).parents[2],
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert list(folder.iterdir())
        owner.kill()
    wait_for(lambda: not is_alive(pid), what="the script's end")
    wait_for(lambda: not list(folder.iterdir()), what="the folder's end")


def test_a_receiver_that_fails_ends_the_script(write):
    def fail(_stream: str, _data: bytes) -> None:
        raise RuntimeError("the reader has a defect")

    script = write("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="the reader has a defect"):
        ScriptRunner(script, on_output=fail).run()
    assert time.monotonic() - started < 10


def test_a_script_that_vanishes_before_its_start_is_a_failed_run(write):
    script = write("print(1)")
    runner = ScriptRunner(script)
    script.unlink()
    result = runner.run()
    assert (result["status"], result["reason"]) == ("failed", "script_changed")
    assert result["returncode"] is None
    assert "cannot be opened" in result["error"]


def test_an_interpreter_that_cannot_be_started_is_a_failed_run(write, monkeypatch):
    monkeypatch.setattr(
        "scriptrunner.engine.local_plan.sys.executable",
        "/nowhere/python",
        raising=False,
    )
    result = ScriptRunner(write("print(1)")).run()
    assert (result["status"], result["reason"]) == ("failed", "spawn_error")
    assert result["error_summary"]["error"]


# --- Options ----------------------------------------------------------------


def test_the_script_has_the_callers_environment_and_ours_on_top(write, monkeypatch):
    monkeypatch.setenv("OF_THE_CALLER", "1")
    script = write("import json, os; print(json.dumps(dict(os.environ)))")
    runner = ScriptRunner(
        script,
        env_vars={"MINE": "2", "RUN_ID": "forged", "ld_preload": "x"},
        log_level="debug",
    )
    result = runner.run()
    environment = json.loads(result["stdout"])
    assert environment["OF_THE_CALLER"] == "1"
    assert environment["MINE"] == "2"
    assert environment["RUN_ID"] == result["run_id"]
    assert environment["SCRIPT_RUNNER_ACTIVE"] == "1"
    assert environment["SCRIPT_RUNNER_ATTEMPT"] == "1"
    assert environment["SCRIPT_RUNNER_CORRELATION_ID"] == result["correlation_id"]
    assert environment["SCRIPT_RUNNER_LOG_LEVEL"] == "DEBUG"
    assert "ld_preload" not in environment
    assert result["ignored_env"] == ["RUN_ID", "ld_preload"]
    assert "environment" in event_types(runner)


def test_the_script_has_an_empty_stdin_and_three_descriptors(write):
    script = write(
        "import os, sys\n"
        "print(repr(sys.stdin.read()))\n"
        "def is_open(number):\n"
        "    try: return bool(os.fstat(number))\n"
        "    except OSError: return False\n"
        "print([number for number in range(1024) if is_open(number)])\n"
    )
    with Path(os.devnull).open() as unrelated:
        os.set_inheritable(unrelated.fileno(), True)
        result = ScriptRunner(script).run()
    assert result["stdout"].splitlines() == ["''", "[0, 1, 2]"]


def test_the_script_starts_in_its_own_folder_or_where_it_is_told(write, tmp_path):
    script = write("import os; print(os.getcwd()); import neighbour")
    (tmp_path / "neighbour.py").write_text("print('hello')")
    assert ScriptRunner(script).run()["stdout"] == f"{tmp_path}\nhello\n"
    elsewhere = ScriptRunner(script, working_dir=str(tmp_path / "tmp")).run()
    assert elsewhere["stdout"] == f"{tmp_path}/tmp\nhello\n"


def test_a_link_to_a_script_is_followed_once(write, tmp_path):
    write("print(__file__)")
    (tmp_path / "link.py").symlink_to("script.py")
    result = ScriptRunner(tmp_path / "link.py").run()
    assert result["stdout"] == f"{tmp_path}/script.py\n"


def test_a_dry_run_executes_nothing(write, tmp_path):
    script = write(f"open({str(tmp_path / 'ran')!r}, 'w')")
    described = ScriptRunner(script, args=["x"], dry_run=True).run()
    assert described["dry_run"] is True
    assert described["command"] == [sys.executable, str(script), "x"]
    assert len(described["sha256"]) == 64
    assert not (tmp_path / "ran").exists()


def test_the_step_report_is_there_if_asked_for(write, begin):
    ready = Ready()
    runner = ScriptRunner(write(POLITE), enable_visualizer=True, on_output=ready)
    assert runner.report() is None
    future = begin(runner)
    ready.wait()
    wait_for(lambda: has_started(runner), what="the start event")
    live = runner.report()
    assert live is not None
    assert [step["status"] for step in live["steps"]][3:] == ["running", "running"]
    runner.stop()
    report = future.result(5)["visualization_report"]
    assert len(ExecutionVisualizer(report).steps) == 12
    assert report["footer"]["success"] is False
    plain = ScriptRunner(write("pass")).run()
    assert plain["visualization_report"] is None


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"timeout": 0}, InvalidTimeoutError, "positive integer"),
        ({"args": ["a\0"]}, InvalidArgError, "NUL"),
        ({"monitor_interval": 0}, MalformedInputError, "monitor_interval must be"),
        ({"retry_strategy": "x"}, MalformedInputError, "one of linear"),
        ({"working_dir": "/nowhere"}, InvalidWorkingDirError, "existing directory"),
        ({"retry_max_atempts": 2}, TypeError, "did you mean retry_max_attempts"),
        ({"performance_gates": [{}]}, MalformedInputError, "gates.0.: metric must"),
        ({"nonsense": 1}, TypeError, "no option 'nonsense'"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_started(
    write, options, error, words
):
    with pytest.raises(error, match=words):
        ScriptRunner(write("pass"), **options)


def test_a_path_that_is_no_script_is_refused(tmp_path):
    (tmp_path / "x.sh").write_text("")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "fifo.py")
    with pytest.raises(NotPythonError):
        ScriptRunner(tmp_path / "x.sh")
    for name in ("missing.py", "folder.py", "fifo.py", ""):
        with pytest.raises(ScriptMissingError):
            ScriptRunner(os.path.join(tmp_path, name) if name else "")
