"""What a script is started with, and what is refused."""

import json
import os
import sys
from pathlib import Path

import pytest

from runner import ExecutionVisualizer, ScriptRunner
from scriptrunner.engine.paths import (
    InvalidWorkingDirError,
    NotPythonError,
    ScriptMissingError,
)
from scriptrunner.engine.plan import InvalidArgError, InvalidTimeoutError
from scriptrunner.errors import MalformedInputError
from tests.integration.script_runner.conftest import (
    Ready,
    event_types,
    has_started,
)
from tests.integration.scripts import POLITE
from tests.server import wait_for


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
        ({"args": "--day 5"}, MalformedInputError, "args must be a list of texts"),
        ({"args": None}, MalformedInputError, "args must be a list of texts"),
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
