"""`./WEBAPI/serve.sh`: what it hands on, and that a copy of the project is enough."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import Server, wait_for

ROOT = Path(__file__).parent.parent.parent

#: Stands in for the service and tells how it was called.
TELLER = """
import json, os, sys
told = {"args": sys.argv[1:], "pid": os.getpid(), "cwd": os.getcwd()}
print(json.dumps(told), flush=True)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout whose environment is complete and whose service only tells."""
    root = tmp_path / "a folder"
    for name in ("WEBAPI/serve.sh", "scripts/environment", "requirements.lock"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "WEBAPI/api.py").write_text(TELLER)
    (root / ".venv/bin").mkdir(parents=True)
    (root / ".venv/bin/python").symlink_to(sys.executable)
    shutil.copy(ROOT / "requirements.lock", root / ".venv/.installed.lock")
    return root


def ask(checkout: Path, *options: str, **environment: str) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if name != "PORT"}
    called = subprocess.Popen(
        [checkout / "WEBAPI" / "serve.sh", *options],
        cwd=checkout.parent,
        env=kept | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    output, _ = called.communicate()
    assert called.returncode == 0
    told: dict[str, Any] = json.loads(output)
    assert told["pid"] == called.pid, "the service must get the signals itself"
    return told


def test_address_is_loopback_unless_said(checkout: Path) -> None:
    told = ask(checkout, HOST="")
    assert told["args"] == ["--host", "127.0.0.1", "--port", "9000"]


def test_host_and_port_come_from_the_environment(checkout: Path) -> None:
    told = ask(checkout, HOST="0.0.0.0", PORT="8080")
    assert told["args"] == ["--host", "0.0.0.0", "--port", "8080"]


def test_options_are_handed_on(checkout: Path) -> None:
    told = ask(checkout, "--workers", "2", "--port", "1 2")
    assert told["args"][-4:] == ["--workers", "2", "--port", "1 2"]


def test_current_folder_stays(checkout: Path) -> None:
    assert ask(checkout)["cwd"] == str(checkout.parent)


class Copy(Server):
    """The service of a copy of the project, started by its own serve.sh."""

    @property
    def command(self) -> list[str]:
        return [str(self.folder / "project" / "WEBAPI" / "serve.sh")]

    @property
    def environment(self) -> dict[str, str]:
        tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # with uv
        address = {"HOST": self.host, "PORT": str(self.port), "PATH": tools}
        return super().environment | address | {"PYTHON": sys.executable}


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copy]:
    monkeypatch.setattr("tests.server.START_SECONDS", 120.0)  # it installs first
    junk = shutil.ignore_patterns(".*", "__pycache__", "data", "tests")
    shutil.copytree(ROOT, tmp_path / "project", ignore=junk, symlinks=True)
    service = Copy(tmp_path)
    try:
        yield service
    finally:
        service.close()


@pytest.mark.timeout(180)
def test_copy_of_the_project_is_enough(copy: Copy) -> None:
    """Install, serve, run a script, stop by SIGTERM, and start again at once."""
    copy.start()
    assert "only this once" in copy.read_log()
    assert "Script Runner" in copy.client.get("/").text
    assert copy.run("print('hello')")["result"]["stdout"] == "hello\n"
    copy.signal(signal.SIGTERM)
    wait_for(lambda: not copy.is_running(), seconds=15, what="the end")
    copy.log_file.unlink()
    copy.start()
    assert "only this once" not in copy.read_log()
    assert copy.client.get("/api/stats").json()["total_runs"] == 1


@pytest.mark.parametrize("door", ["WEBAPI/api.py", "runner.py"])
def test_a_python_without_the_packages_is_told_what_to_do(door: str) -> None:
    command = [sys.executable, "-S", str(ROOT / door), "examples/count.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install -r WEBAPI/requirements.txt" in done.stderr
    assert "Traceback" not in done.stderr
