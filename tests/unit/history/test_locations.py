"""Which history databases a run may name, and that reading makes none."""

import os
import sqlite3
from pathlib import Path

import pytest

from scriptrunner.history.errors import HistoryDbNotFoundError, InvalidHistoryDbError
from scriptrunner.history.locations import HistoryLocations
from scriptrunner.history.recording import HistoryWriteError, record_in_file
from scriptrunner.history.store import HistoryStore
from scriptrunner.storage.history_file import DamagedHistoryError
from tests.executions import make_finished


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history"


@pytest.fixture
def locations(tmp_path: Path, folder: Path) -> HistoryLocations:
    folder.parent.mkdir()
    (tmp_path / "srv").mkdir()
    return HistoryLocations(folder, {"nightly": tmp_path / "srv" / "nightly.bin"})


def tree(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["a.db", "deep/er/b.sqlite", "c.sqlite3", "nightly"])
def test_a_run_makes_a_private_file_and_finds_it_again(locations, tmp_path, name):
    locations.check(name)
    assert record_in_file(locations, name, make_finished(1)) == 1
    assert record_in_file(locations, name, make_finished(2)) == 2
    assert record_in_file(locations, name, make_finished(2)) == 2  # the end repeated
    stats = HistoryStore(locations.open_to_read(name)).get_stats()
    assert stats.executions == 2
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["a.db", "nightly"])
def test_reading_and_cleaning_make_nothing(locations, tmp_path, name):
    before = tree(tmp_path)
    for open_it in (locations.open_to_read, locations.open_to_clean):
        with pytest.raises(HistoryDbNotFoundError):
            open_it(name)
    assert tree(tmp_path) == before


def test_reading_leaves_no_file_behind(locations, tmp_path):
    record_in_file(locations, "a.db", make_finished())
    before = tree(tmp_path)
    HistoryStore(locations.open_to_read("a.db")).get_stats()
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "name",
    [
        "",
        ":memory:",
        "file:a.db",
        "sqlite:///a.db",
        "file:a.db?mode=memory",
        "../runs.db",
        "x/../../runs.db",
        "./a.db",
        "a//b.db",
        "/etc/passwd",
        "/tmp/a.db",
        "plain",
        "a.txt",
        "a\0.db",
        "a\n.db",
        "~/a.db",
        f"{'x' * 300}.db",
    ],
)
def test_other_places_are_refused(locations, tmp_path, name):
    if name == "~/a.db":  # a folder called ~, no home
        locations.check(name)
        return
    for refuse in (locations.check, locations.open_to_read, locations.open_to_record):
        with pytest.raises(InvalidHistoryDbError):
            refuse(name)
    assert not (tmp_path / "runs.db").exists()


def test_the_services_own_database_is_refused(locations, folder):
    own = folder.parent / "runs.db"
    own.touch()
    for name in (str(own), "../runs.db"):
        with pytest.raises(InvalidHistoryDbError):
            locations.check(name)


def test_an_absolute_path_below_the_folder_is_fine(locations, folder):
    record_in_file(locations, str(folder / "a.db"), make_finished())
    assert (folder / "a.db").exists()


def test_foreign_files_are_refused_and_left_alone(locations, folder):
    folder.mkdir()
    foreign = sqlite3.connect(folder / "foreign.db")
    foreign.execute("CREATE TABLE t (x)")
    foreign.close()
    (folder / "text.db").write_text("hello")
    (folder / "folder.db").mkdir()
    os.mkfifo(folder / "fifo.db")
    before = (folder / "foreign.db").read_bytes()
    for name in ("foreign.db", "text.db", "folder.db", "fifo.db"):
        with pytest.raises(InvalidHistoryDbError):
            locations.check(name)
        with pytest.raises(HistoryWriteError):
            record_in_file(locations, name, make_finished())
    assert (folder / "foreign.db").read_bytes() == before


@pytest.mark.parametrize("target", ["elsewhere.db", "missing.db"])
def test_symlinks_are_refused(locations, folder, tmp_path, target):
    folder.mkdir()
    (tmp_path / "elsewhere.db").touch()
    (folder / "link.db").symlink_to(tmp_path / target)
    (folder / "way").symlink_to(tmp_path)
    for name in ("link.db", "way/x.db"):
        with pytest.raises(InvalidHistoryDbError):
            locations.check(name)


def test_an_empty_file_is_a_history_that_is_still_to_be_made(locations, folder):
    folder.mkdir()
    (folder / "a.db").touch()  # all that a kill right after its making leaves
    with pytest.raises(HistoryDbNotFoundError):
        locations.open_to_read("a.db")
    assert record_in_file(locations, "a.db", make_finished()) == 1


def test_a_damaged_file_is_told_in_words(locations, folder):
    record_in_file(locations, "a.db", make_finished())
    file = folder / "a.db"
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * 60_000)
    with pytest.raises(HistoryWriteError):
        record_in_file(locations, "a.db", make_finished(2))
    with pytest.raises(DamagedHistoryError) as caught:
        HistoryStore(locations.open_to_read("a.db")).get_stats()
    assert caught.value.code == InvalidHistoryDbError.code


def test_a_locked_file_is_given_up_after_a_while(locations, folder, monkeypatch):
    record_in_file(locations, "a.db", make_finished())
    monkeypatch.setattr("scriptrunner.storage.history_file.BUSY_TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr("scriptrunner.storage.history_file.WAIT_SECONDS", 0.02)
    other = sqlite3.connect(folder / "a.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(HistoryWriteError, match="locked"):
        record_in_file(locations, "a.db", make_finished(2))
    other.execute("ROLLBACK")
    other.close()
