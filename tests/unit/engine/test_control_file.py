"""The four slots of an attempt's control file, whole, cut and damaged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scriptrunner.engine import control_file
from scriptrunner.engine.control_file import END, IDENTITY, SPAWN, VOID

END_RECORD = {"reason": "exit", "exit_code": -9, "duration_ns": 12_345_678}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return control_file.path_of(str(tmp_path), 1)


@pytest.fixture
def descriptor(path: str):
    descriptor = control_file.create(path)
    yield descriptor
    os.close(descriptor)


@pytest.mark.usefixtures("descriptor")
def test_new_file_has_all_its_blocks_and_empty_slots(path: str):
    found = os.stat(path)
    assert found.st_size == control_file.FILE_BYTES
    assert found.st_blocks * 512 >= control_file.FILE_BYTES
    record = control_file.read(path)
    assert record is not None
    assert (record.identity, record.spawn, record.end, record.signal) == (None,) * 4


@pytest.mark.usefixtures("descriptor")
def test_only_the_first_makes_the_file(path: str):
    with pytest.raises(FileExistsError):
        control_file.create(path)


def test_records_come_back_as_written(path: str, descriptor: int):
    control_file.write_slot(descriptor, IDENTITY, {"pid": 42})
    control_file.write_slot(descriptor, END, END_RECORD)
    record = control_file.read(path)
    assert record is not None
    assert record.identity == {"pid": 42}
    assert record.end == END_RECORD


def test_a_shorter_record_replaces_a_longer_one(path: str, descriptor: int):
    control_file.write_slot(descriptor, SPAWN, {"at_us": 1, "sha256": "a" * 64})
    control_file.write_slot(descriptor, SPAWN, {"at_us": 2})
    record = control_file.read(path)
    assert record is not None
    assert record.spawn == {"at_us": 2}


def test_void_says_that_nothing_may_be_started(path: str, descriptor: int):
    control_file.write_void(descriptor)
    record = control_file.read(path)
    assert record is not None
    assert record.spawn is VOID


@pytest.mark.parametrize("keep", [1, 8, 12, 20, 60])
def test_a_cut_end_is_damage_and_never_a_guess(path: str, descriptor: int, keep: int):
    whole = control_file.encode(END_RECORD)
    os.pwrite(descriptor, whole[:keep], END * control_file.SLOT_BYTES)
    record = control_file.read(path)
    assert record is not None
    assert record.end is None
    assert record.end_damaged


def test_an_unreadable_spawn_record_means_the_script_may_have_run(
    path: str, descriptor: int
):
    os.pwrite(descriptor, b"REC1\x05", SPAWN * control_file.SLOT_BYTES)
    record = control_file.read(path)
    assert record is not None
    assert record.spawn == {}


def test_a_record_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        control_file.encode({"error": "x" * control_file.TEXT_BYTES})


def test_missing_file_is_none(tmp_path: Path):
    assert control_file.read(str(tmp_path / "a1.ctl")) is None


def test_the_lock_is_seen_by_others_and_goes_with_its_holder(path: str):
    control_file_code = (
        "import sys, time\n"
        "from scriptrunner.engine import control_file\n"
        "fd = control_file.create(sys.argv[1])\n"
        "assert control_file.lock(fd)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", control_file_code, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    descriptor = os.open(path, os.O_RDWR)
    try:
        assert control_file.holder(descriptor) == child.pid
        assert not control_file.lock(descriptor)
        child.kill()
        child.communicate()
        assert control_file.holder(descriptor) is None
        assert control_file.lock(descriptor)
    finally:
        os.close(descriptor)
