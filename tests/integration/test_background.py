"""The background process: does what is due, survives a failing job, ends with its owner."""

import os
import threading

import pytest

from scriptrunner import background
from scriptrunner.settings import Settings
from scriptrunner.supervisor import service_process
from scriptrunner.supervisor.background import MODULE, Background


class Job:
    """Is due until it has been done ``times`` times."""

    name = "test job"

    def __init__(self, *, times: int = 1, failures: int = 0) -> None:
        self.left = times
        self.failures = failures
        self.threads: list[str] = []

    def is_due(self) -> bool:
        return self.left > 0

    def work(self, stop: threading.Event) -> None:  # noqa: ARG002
        if self.failures:
            self.failures -= 1
            raise RuntimeError("not this time")
        self.threads.append(threading.current_thread().name)
        self.left -= 1


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path}/runs.db",
        allowed_roots=(tmp_path,),
    )


@pytest.fixture
def impatient(monkeypatch) -> None:
    for name in ("LOOK_SECONDS", "IDLE_SECONDS", "REST_SECONDS"):
        monkeypatch.setattr(background, name, 0.001)


@pytest.mark.usefixtures("impatient")
def test_every_job_is_done_in_a_thread_of_its_own_until_none_is_due() -> None:
    twice, never = Job(times=2), Job(times=0)
    background.work([twice, never], threading.Event())
    assert twice.threads == ["test job"] * 2
    assert never.threads == []


@pytest.mark.usefixtures("impatient")
def test_a_job_that_fails_is_tried_again_and_holds_up_no_other() -> None:
    failing, other = Job(failures=1), Job()
    background.work([failing, other], threading.Event())
    assert (failing.left, other.left) == (0, 0)


def test_the_process_ends_when_its_input_does(settings: Settings) -> None:
    pid, its_input = service_process.start(MODULE, settings)
    its_input.close()
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_process_is_started_for_a_due_job_and_let_go_at_the_end(
    settings: Settings,
) -> None:
    keeper = Background(settings, [Job()])
    keeper.tend()
    pid = keeper.pid
    assert pid is not None
    keeper.tend()
    assert keeper.pid == pid  # one is enough
    keeper.close()
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_nothing_is_started_while_nothing_is_due(settings: Settings) -> None:
    keeper = Background(settings, [Job(times=0)])
    keeper.tend()
    assert keeper.pid is None
