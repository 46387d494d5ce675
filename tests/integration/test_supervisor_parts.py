"""Locks, wake-ups, ballast and launcher of the supervisor, with real processes."""

import os
import select
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scriptrunner.engine import control_file, process_tree
from scriptrunner.engine.launch import Launch
from scriptrunner.supervisor import wakeup
from scriptrunner.supervisor.ballast import Ballast
from scriptrunner.supervisor.launcher import Launcher
from scriptrunner.supervisor.lock import LockFile, check_locks_work

Key = tuple[str, int]


def test_locks_work_here_also_when_proved_twice(tmp_path: Path):
    check_locks_work(tmp_path)
    check_locks_work(tmp_path)


def test_a_replaced_lock_file_is_noticed(tmp_path: Path):
    lock = LockFile(tmp_path / "supervisor.lock")
    assert lock.try_exclusive()
    assert lock.is_current()
    (tmp_path / "supervisor.lock").unlink()
    assert not lock.is_current()
    other = LockFile(tmp_path / "supervisor.lock")
    assert not lock.is_current()
    lock.close()
    other.close()


def test_an_announcement_reaches_every_listener_and_removes_dead_ones(tmp_path: Path):
    first, second = wakeup.Listener(tmp_path), wakeup.Listener(tmp_path)
    dead = tmp_path / "listeners" / "99999-dead"
    os.mkfifo(dead)
    wakeup.announce(tmp_path)
    for listener in (first, second):
        assert os.read(listener.fileno(), 10) == b"!"
        listener.close()
    assert not dead.exists()
    assert list((tmp_path / "listeners").iterdir()) == []


def test_a_listener_is_not_taken_for_a_dead_one_while_it_comes(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from scriptrunner.supervisor import wakeup\n"
        "while True: wakeup.announce(Path(sys.argv[1]))"
    )
    announcer = subprocess.Popen([sys.executable, "-c", code, tmp_path])
    try:
        for _ in range(1_000):
            listener = wakeup.Listener(tmp_path)
            assert select.select([listener.fileno()], [], [], 10)[0], "it is deaf"
            listener.close()
    finally:
        announcer.kill()
        announcer.wait()


def test_a_listener_that_never_reads_does_not_hold_anybody_up(tmp_path: Path):
    listener = wakeup.Listener(tmp_path)
    for _ in range(70_000):  # more than a pipe holds
        wakeup.announce(tmp_path)
    listener.drain()
    wakeup.announce(tmp_path)
    assert os.read(listener.fileno(), 10) == b"!"
    listener.close()


def test_waking_a_supervisor_that_is_not_there_does_no_harm(tmp_path: Path):
    wakeup.wake_supervisor(tmp_path)
    reader = wakeup.open_reader(tmp_path / "wakeup")
    wakeup.wake_supervisor(tmp_path)
    assert os.read(reader, 10) == b"!"
    os.close(reader)


def test_ballast_takes_blocks_and_gives_them_back(tmp_path: Path):
    ballast = Ballast(tmp_path / "ballast", 1 << 20)
    ballast.hold()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 1 << 20
    ballast.release()
    assert (tmp_path / "ballast").stat().st_blocks == 0
    ballast.hold()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 1 << 20


class Desk:
    """A launcher with its selector and what it has told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.selector = selectors.DefaultSelector()
        self.ended: list[Key] = []
        self.lost: list[Key] = []
        self.launcher = Launcher(
            self.selector, on_end=self.ended.append, on_loss=self.lost.append
        )

    def launch(self, run_id: str, code: str) -> Launch:
        """Write a script and hand it over as attempt 1 of a run."""
        run_dir = self.folder / run_id
        run_dir.mkdir()
        (run_dir / "script.py").write_text(code)
        launch = make_launch(run_id, str(run_dir))
        self.launcher.launch(launch)
        return launch

    def turn_until(self, told: list[Key], count: int) -> None:
        """Serve events until ``told`` has ``count`` entries."""
        deadline = time.monotonic() + 10
        while len(told) < count:
            assert time.monotonic() < deadline, "the event did not come"
            for key, _ in self.selector.select(0.1):
                key.data()

    def read(self, launch: Launch) -> control_file.ControlFile:
        path = control_file.path_of(launch.run_dir, launch.attempt)
        record = control_file.read(path)
        assert record is not None
        return record


def make_launch(run_id: str, run_dir: str) -> Launch:
    return Launch(
        run_id=run_id,
        attempt=1,
        run_dir=run_dir,
        python=sys.executable,
        args=[],
        environment={"RUN_ID": run_id},
        script_path=f"{run_dir}/script.py",
        script_root=run_dir,
        script_relative="script.py",
        script_sha256=None,
        scripts_dir=None,
        working_root=run_dir,
        working_relative="",
        timeout_seconds=None,
        grace_seconds=1.0,
        max_output_bytes=1 << 20,
        monitor_interval_seconds=0.1,
    )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.launcher.close()


def test_one_shim_keeps_one_attempt_after_another(desk: Desk):
    shims = set()
    for number in range(3):
        launch = desk.launch(f"run{number}", f"import sys; sys.exit({number})")
        desk.turn_until(desk.ended, number + 1)
        record = desk.read(launch)
        assert record.end is not None
        assert record.end["exit_code"] == number
        assert record.identity is not None
        shims.add(record.identity["pid"])
    assert len(shims) == 1


def test_attempts_at_once_have_a_shim_each(desk: Desk):
    first = desk.launch("one", "import time; time.sleep(0.2)")
    second = desk.launch("two", "import time; time.sleep(0.2)")
    desk.turn_until(desk.ended, 2)
    pids = {desk.read(each).identity["pid"] for each in (first, second)}  # type: ignore[index]
    assert len(pids) == 2


DAEMONS = """
import os, subprocess, sys, time
for _ in range(3):
    subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
open("ready", "w").write(str(os.getpid()))
time.sleep(60)
"""


def test_a_killed_shim_is_told_and_leaves_no_process(desk: Desk):
    launch = desk.launch("run", DAEMONS)
    ready = Path(launch.run_dir) / "ready"
    wait_for(lambda: ready.exists() and ready.read_text() != "")
    identity = desk.read(launch).identity
    assert identity is not None
    below = process_tree.list_descendants(identity["pid"])
    assert len(below) == 4
    os.kill(identity["pid"], signal.SIGKILL)
    desk.turn_until(desk.lost, 1)
    assert desk.lost == [("run", 1)]
    wait_for(lambda: all(is_gone(each) for each in below))


def test_scripts_go_on_when_the_zygote_is_killed(desk: Desk):
    code = "open('ready', 'w').close(); import time; time.sleep(0.5)"
    launch = desk.launch("run", code)
    wait_for((Path(launch.run_dir) / "ready").exists)
    os.kill(desk.launcher.zygote_pid, signal.SIGKILL)
    desk.turn_until(desk.ended, 1)
    end = desk.read(launch).end
    assert end is not None
    assert end["exit_code"] == 0


def test_an_order_to_a_dead_zygote_is_told_as_a_loss_and_the_next_one_works(
    desk: Desk,
):
    os.kill(desk.launcher.zygote_pid, signal.SIGKILL)
    desk.launch("first", "pass")
    deadline = time.monotonic() + 10
    while not desk.lost and not desk.ended:
        assert time.monotonic() < deadline
        for key, _ in desk.selector.select(0.1):
            key.data()
    desk.launch("second", "pass")
    desk.turn_until(desk.ended, 2 - len(desk.lost))
    assert ("second", 1) in desk.ended


def test_a_busy_shim_finishes_alone_when_the_supervisor_is_gone(tmp_path: Path):
    desk = Desk(tmp_path)
    launch = desk.launch("run", "import time; time.sleep(0.3); print('done')")
    wait_for((Path(launch.run_dir) / "a1.out").exists)
    desk.launcher.close()
    wait_for(lambda: desk.read(launch).end is not None)
    assert (Path(launch.run_dir) / "a1.out").read_text() == "done\n"
    identity = desk.read(launch).identity
    assert identity is not None
    wait_for(lambda: process_tree.start_time(identity["pid"]) != identity["start"])


def test_only_standard_descriptors_reach_a_script(desk: Desk):
    launch = desk.launch("run", "import os; print(sorted(os.listdir('/proc/self/fd')))")
    desk.turn_until(desk.ended, 1)
    shown = (Path(launch.run_dir) / "a1.out").read_text()
    assert shown == "['0', '1', '2', '3']\n"  # 3 is the listing itself


def is_gone(stat: process_tree.Stat) -> bool:
    now = process_tree.read_stat(stat.pid)
    return now is None or now.start != stat.start or now.state == b"Z"


def wait_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def test_the_shim_loads_nothing_heavy():
    code = "import sys; from scriptrunner.engine import shim; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(answer.stdout.split())
    heavy = {"typing", "dataclasses", "logging", "subprocess", "socket", "hashlib"}
    assert loaded & heavy == set()
