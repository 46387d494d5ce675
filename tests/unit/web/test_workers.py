"""What web workers know of each other."""

import json
import subprocess
import sys

import pytest

from scriptrunner.web.workers import TooManyStreamsError, Workers
from tests.server import PROJECT, wait_for

#: Another worker: holds streams until its standard input ends.
OTHER = """
import sys
from contextlib import ExitStack
from pathlib import Path
from scriptrunner.web.workers import Workers
workers = Workers(Path(sys.argv[1]), limit=100, limit_per_caller=100)
with ExitStack() as stack:
    for _ in range(3):
        stack.enter_context(workers.stream("ann"))
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def workers(tmp_path):
    made = Workers(tmp_path, limit=5, limit_per_caller=4)
    yield made
    made.leave()


@pytest.fixture
def other(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_streams_are_counted_while_they_are_open(workers):
    with workers.stream("ann"):
        with workers.stream("bob"):
            assert workers.count_streams() == workers.own_streams == 2
        assert workers.count_streams() == 1
    assert workers.count_streams() == 0


def test_a_caller_has_a_limit_of_their_own(workers):
    opened = [workers.stream("ann") for _ in range(4)]
    for each in opened:
        each.__enter__()
    with pytest.raises(TooManyStreamsError), workers.stream("ann"):
        pass
    with workers.stream("bob"):
        assert workers.count_streams() == 5
        with pytest.raises(TooManyStreamsError), workers.stream("carl"):
            pass
    for each in opened:
        each.__exit__(None, None, None)
    assert workers.count_streams() == 0


@pytest.mark.usefixtures("other")
def test_streams_of_other_workers_count_too(workers):
    assert workers.count_streams() == 3
    with (
        workers.stream("ann"),
        pytest.raises(TooManyStreamsError),
        workers.stream("ann"),
    ):
        pass
    assert workers.own_streams == 0


def test_a_killed_worker_counts_no_more(workers, other, tmp_path):
    assert workers.count_streams() == 3
    other.kill()
    other.wait()
    wait_for(lambda: workers.count_streams() == 0, what="no stream left")
    workers.enter()
    (left,) = (tmp_path / "workers").iterdir()
    assert json.loads(left.read_text())["streams"] == {}


@pytest.mark.usefixtures("other")
def test_the_age_is_that_of_the_oldest(workers):
    workers.enter()
    assert workers.uptime_seconds() >= 0
    assert workers.count_streams() == 3, "looking must not cost anybody their lock"
    assert workers.count_streams() == 3


def test_a_file_that_cannot_be_read_counts_nothing(workers, tmp_path):
    workers.enter()
    (tmp_path / "workers" / "1-abc").write_text("{")
    assert workers.count_streams() == 0
