"""``ScriptRunner`` with real scripts and real processes, of which nothing may be left."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runner import ScriptRunner

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
