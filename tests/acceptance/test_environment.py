"""The step before the first start: an environment that follows a lock file.

The locks of these tests are empty, so that nothing is fetched: what is tried is when
something is installed, not what.
"""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "environment"
STAMP = ".installed.lock"

#: Environments are made by pip here, on machines that may be busy.
pytestmark = pytest.mark.timeout(120)

#: What scripts/environment itself calls.
TOOLS = ("sh", "cmp", "dirname", "cat")
#: Folder with uv, which is much quicker than pip.
UV = str(Path(sys.executable).parent)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    path.write_text("# nothing\n")
    return path


@pytest.fixture
def path_of_tools(tmp_path: Path) -> Path:
    """Return a folder for PATH with the bare tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    return folder


def prepare(
    folder: Path, lock: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, folder, lock],
        env=os.environ
        | {"PYTHON": sys.executable, "PATH": f"{UV}:{os.environ['PATH']}"}
        | environment,
        capture_output=True,
        text=True,
    )


def write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_pip_serves_where_there_is_no_uv(
    tmp_path: Path, lock: Path, path_of_tools: Path
) -> None:
    done = prepare(tmp_path / "env", lock, PATH=str(path_of_tools))
    assert done.returncode == 0, done.stderr
    pip = [str(tmp_path / "env/bin/python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, stdout=subprocess.DEVNULL).returncode == 0


def test_first_call_installs_and_second_does_nothing(
    tmp_path: Path, lock: Path
) -> None:
    first = prepare(tmp_path / "env", lock)
    assert first.returncode == 0, first.stderr
    assert "only this once" in first.stderr
    assert (tmp_path / "env" / STAMP).read_bytes() == lock.read_bytes()
    second = prepare(tmp_path / "env", lock, PYTHON="/nonexistent")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_changed_lock_is_installed(tmp_path: Path, lock: Path) -> None:
    prepare(tmp_path / "env", lock)
    lock.write_text("# nothing else\n")
    again = prepare(tmp_path / "env", lock)
    assert "only this once" in again.stderr
    assert (tmp_path / "env" / STAMP).read_text() == "# nothing else\n"


def test_failed_install_is_not_taken_for_a_finished_one(
    tmp_path: Path, lock: Path
) -> None:
    prepare(tmp_path / "env", lock)
    lock.write_text("there-is-no-such-file @ file:///nonexistent.whl\n")
    failed = prepare(tmp_path / "env", lock)
    assert failed.returncode == 1
    assert "start again when it is mended" in failed.stderr
    assert not (tmp_path / "env" / STAMP).exists()


def test_broken_environment_is_made_again(tmp_path: Path, lock: Path) -> None:
    """What a system upgrade leaves behind when it removes the old Python."""
    prepare(tmp_path / "env", lock)
    python = tmp_path / "env" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    mended = prepare(tmp_path / "env", lock)
    assert mended.returncode == 0, mended.stderr
    assert subprocess.run([python, "-c", "pass"]).returncode == 0


@pytest.mark.timeout(60)
def test_calls_at_once_install_only_once(tmp_path: Path, lock: Path) -> None:
    environment = os.environ | {
        "PYTHON": sys.executable,
        "PATH": f"{UV}:{os.environ['PATH']}",
    }
    command = [SCRIPT, tmp_path / "env", lock]
    calls = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    words = [call.communicate()[1] for call in calls]
    assert [call.returncode for call in calls] == [0, 0, 0]
    assert sum("only this once" in each for each in words) == 1


def test_no_python_is_said(tmp_path: Path, lock: Path, path_of_tools: Path) -> None:
    done = prepare(tmp_path / "env", lock, PYTHON="", PATH=str(path_of_tools))
    assert done.returncode == 1
    assert "needs Python 3.11 or later" in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr


def test_old_python_is_passed_over(
    tmp_path: Path, lock: Path, path_of_tools: Path
) -> None:
    write_program(path_of_tools / "python3", "exit 1")
    write_program(path_of_tools / "python3.12", f'exec {sys.executable} "$@"')
    done = prepare(tmp_path / "env", lock, PYTHON="", PATH=str(path_of_tools))
    assert done.returncode == 0, done.stderr


def test_missing_venv_package_is_named(
    tmp_path: Path, lock: Path, path_of_tools: Path
) -> None:
    """Debian's python3 without python3-venv: the module venv is there, ensurepip is not."""
    lame = tmp_path / "lame"
    lame.mkdir()
    (lame / "ensurepip.py").write_text("raise ImportError\n")
    write_program(
        path_of_tools / "python3", f'PYTHONPATH={lame} exec {sys.executable} "$@"'
    )
    done = prepare(
        tmp_path / "env",
        lock,
        PYTHON="",
        PATH=str(path_of_tools),
        PYTHONPATH=str(lame),
    )
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr


def test_wrong_choice_of_python_is_refused(tmp_path: Path, lock: Path) -> None:
    done = prepare(tmp_path / "env", lock, PYTHON="/nonexistent/python")
    assert done.returncode == 1
    assert "PYTHON=/nonexistent/python" in done.stderr
