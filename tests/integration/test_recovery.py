"""What became of an attempt, by its control file, with real processes holding the lock."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from scriptrunner.engine import control_file, process_tree
from scriptrunner.engine.control_file import END, IDENTITY, SPAWN, VOID
from scriptrunner.engine.strays import end_strays
from scriptrunner.supervisor.ports import ActiveAttempt
from scriptrunner.supervisor.recovery import Finding, examine

BOOT = "this-boot"
ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def attempt(tmp_path: Path) -> ActiveAttempt:
    return ActiveAttempt(
        run_id=str(uuid4()),
        attempt=1,
        phase="running",
        boot_id=BOOT,
        run_dir=str(tmp_path / "run"),
        recovery_failures=0,
    )


def make_file(attempt: ActiveAttempt, **slots: dict[str, object]) -> str:
    """Write a control file as a shim that is gone would have left it."""
    Path(attempt.run_dir).mkdir(exist_ok=True)
    path = control_file.path_of(attempt.run_dir, attempt.attempt)
    descriptor = control_file.create(path)
    numbers = {"identity": IDENTITY, "spawn": SPAWN, "end": END}
    for name, record in slots.items():
        control_file.write_slot(descriptor, numbers[name], record)
    os.close(descriptor)
    return path


def make_identity(pid: int) -> dict[str, object]:
    return {
        "pid": pid,
        "start": process_tree.start_time(pid),
        "pid_namespace": process_tree.pid_namespace(),
        "init_start": process_tree.start_time(1),
    }


def hold_lock(path: str) -> "subprocess.Popen[bytes]":
    """Start a process that holds the control file's lock until it is ended."""
    code = (
        "import os, sys\n"
        "from scriptrunner.engine import control_file\n"
        "fd = os.open(sys.argv[1], os.O_RDWR)\n"
        "assert control_file.lock(fd)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_without_a_file_the_run_is_put_back_and_a_late_shim_finds_it_taken(
    attempt: ActiveAttempt,
):
    Path(attempt.run_dir).mkdir()
    assert examine(attempt, boot_id=BOOT).finding is Finding.NOT_STARTED
    with pytest.raises(FileExistsError):
        control_file.create(control_file.path_of(attempt.run_dir, 1))


def test_without_a_folder_the_run_is_put_back(attempt: ActiveAttempt):
    assert examine(attempt, boot_id=BOOT).finding is Finding.NOT_STARTED


def test_a_shim_that_died_before_the_spawn_record_is_closed_off(
    attempt: ActiveAttempt,
):
    path = make_file(attempt, identity=make_identity(os.getpid()))
    assert examine(attempt, boot_id=BOOT).finding is Finding.NOT_STARTED
    record = control_file.read(path)
    assert record is not None
    assert record.spawn is VOID
    assert examine(attempt, boot_id=BOOT).finding is Finding.NOT_STARTED


def test_a_recorded_end_is_taken(attempt: ActiveAttempt):
    spawn = {"at_us": 1, "sha256": "0" * 64}
    make_file(attempt, spawn=spawn, end={"reason": "exit", "exit_code": 42})
    result = examine(attempt, boot_id=BOOT)
    assert result.finding is Finding.ENDED
    assert result.end is not None
    assert result.end.end == {"reason": "exit", "exit_code": 42}
    assert result.end.spawn == spawn


def test_a_recorded_end_counts_also_after_a_restart_of_the_machine(
    attempt: ActiveAttempt,
):
    make_file(attempt, spawn={"at_us": 1}, end={"reason": "exit", "exit_code": 0})
    result = examine(attempt, boot_id="another-boot")
    assert result.end is not None
    assert result.end.end is not None


def test_a_damaged_end_is_a_loss_and_never_a_guess(attempt: ActiveAttempt):
    path = make_file(attempt, identity=make_identity(os.getpid()), spawn={"at_us": 1})
    with open(path, "r+b") as file:
        file.seek(END * control_file.SLOT_BYTES)
        file.write(b"REC1\x20\0\0\0garbage")
    result = examine(attempt, boot_id=BOOT)
    assert result.end is not None
    assert result.end.lost_reason == "lost"
    assert result.end.detail == "exit record damaged"


def test_without_an_end_a_started_script_is_lost_and_not_started_again(
    attempt: ActiveAttempt,
):
    make_file(attempt, identity=make_identity(os.getpid()), spawn={"at_us": 1})
    result = examine(attempt, boot_id=BOOT)
    assert result.finding is Finding.ENDED
    assert result.end is not None
    assert result.end.lost_reason == "lost"


@pytest.mark.parametrize("has_file", [True, False])
def test_another_boot_is_a_restart_of_the_host(attempt: ActiveAttempt, has_file: bool):
    if has_file:
        make_file(attempt, identity=make_identity(os.getpid()), spawn={"at_us": 1})
    result = examine(attempt, boot_id="another-boot")
    assert result.end is not None
    assert result.end.lost_reason == "host_restart"


def test_another_first_process_is_a_restart_of_the_container(attempt: ActiveAttempt):
    identity = {**make_identity(os.getpid()), "init_start": 1}
    make_file(attempt, identity=identity, spawn={"at_us": 1})
    result = examine(attempt, boot_id=BOOT)
    assert result.end is not None
    assert result.end.lost_reason == "host_restart"


def test_a_living_shim_is_watched_again(attempt: ActiveAttempt):
    path = make_file(attempt, spawn={"at_us": 1})
    with hold_lock(path) as shim:
        descriptor = os.open(path, os.O_RDWR)
        control_file.write_slot(descriptor, IDENTITY, make_identity(shim.pid))
        os.close(descriptor)
        result = examine(attempt, boot_id=BOOT)
        shim.kill()
    assert result.finding is Finding.ALIVE
    assert result.pidfd is not None
    os.close(result.pidfd)


def test_a_reused_pid_is_not_mistaken_for_the_shim(attempt: ActiveAttempt):
    path = make_file(attempt, spawn={"at_us": 1})
    with hold_lock(path) as shim:
        descriptor = os.open(path, os.O_RDWR)
        identity = {**make_identity(shim.pid), "start": 1}
        control_file.write_slot(descriptor, IDENTITY, identity)
        os.close(descriptor)
        result = examine(attempt, boot_id=BOOT)
        shim.kill()
    assert result.finding is Finding.UNCLEAR


def start_stray(code: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"


def test_strays_are_found_by_their_run_id_and_nobody_else_is_hit():
    mine, other = str(uuid4()), str(uuid4())
    stray = start_stray(SLEEPER, {"RUN_ID": mine})
    bystander = start_stray(SLEEPER, {"RUN_ID": other})
    with stray, bystander:
        assert end_strays(mine, make_leader(bystander)) == 1
        assert stray.wait(5) == -9
        assert bystander.poll() is None
        bystander.kill()


def test_strays_without_their_environment_are_found_by_their_session():
    stray = start_stray(SLEEPER, {})
    with stray:
        assert end_strays(str(uuid4()), make_leader(stray)) == 1
        assert stray.wait(5) == -9


def make_leader(process: "subprocess.Popen[bytes]") -> tuple[int, int]:
    start = process_tree.start_time(process.pid)
    assert start is not None
    return process.pid, start


def test_a_session_whose_number_was_used_again_is_left_alone():
    """Days after the script's death its pid may be that of somebody's shell."""
    bystander = start_stray(SLEEPER, {})
    with bystander:
        pid, start = make_leader(bystander)
        assert end_strays(str(uuid4()), (pid, start - 1)) == 0
        assert bystander.poll() is None
        bystander.kill()


def test_a_started_attempt_with_an_empty_control_file_is_lost(attempt: ActiveAttempt):
    make_file(attempt, identity=make_identity(os.getpid()))
    result = examine(replace(attempt, is_started=True), boot_id=BOOT)
    assert result.finding is Finding.ENDED
    assert result.end is not None
    assert result.end.lost_reason == "lost"


def test_a_started_attempt_without_files_is_lost_and_never_put_back(
    attempt: ActiveAttempt,
) -> None:
    """Somebody removed the folder; the run was put back in vain again and again."""
    stray = start_stray(SLEEPER, {"RUN_ID": attempt.run_id})
    with stray:
        result = examine(replace(attempt, is_started=True), boot_id=BOOT)
        assert stray.wait(5) == -9
    assert result.finding is Finding.ENDED
    assert result.end is not None
    assert result.end.lost_reason == "lost"


def test_a_full_disk_delays_the_finding_and_counts_as_no_failure(
    attempt: ActiveAttempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three failures give a run up, and a disk is often full for longer than that."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "posix_fallocate", refuse)
        assert examine(attempt, boot_id=BOOT).finding is Finding.UNCLEAR
    assert examine(attempt, boot_id=BOOT).finding is Finding.NOT_STARTED
