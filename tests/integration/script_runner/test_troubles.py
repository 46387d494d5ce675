"""What goes wrong around a script."""

import os
import signal
import subprocess
import sys
import time

import pytest

from runner import ScriptRunner
from tests.integration.script_runner.conftest import Ready, is_alive
from tests.server import PROJECT, wait_for


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
        cwd=PROJECT,
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
