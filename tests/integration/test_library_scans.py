"""Scans of folder roots: what they find, what they keep, what they survive; both databases."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from scriptrunner.engine import process_tree
from scriptrunner.library import scanner, walking
from scriptrunner.library.models import ScanReason, ScanStatus
from scriptrunner.library.repository import contents, figures, roots, scans, tagging
from scriptrunner.library.scan_job import LibraryJob
from tests.library_world import LibraryWorld

#: For what no database has a part in.
one_backend = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def counts(scan) -> dict[str, int]:
    names = ("new", "updated", "deleted", "unchanged", "skipped", "error")
    found = {name: getattr(scan.counts, f"{name}_count") for name in names}
    return {name: count for name, count in found.items() if count}


def test_a_scan_lists_what_lies_below_the_root(library: LibraryWorld) -> None:
    library.write("a.py", "import os\nprint(1)")
    library.write("jobs/b.SH", "#!/bin/sh\r\necho\r\n")
    library.write("notes.txt", "nothing")
    root = library.add_root()
    scan = library.scan(root)
    assert (scan.status, counts(scan)) == ("completed", {"new": 2})
    assert scan.progress == 1.0
    assert library.names() == ["a.py", "jobs/b.SH"]
    script = library.one("a.py")
    assert (script.language, script.line_count, script.size) == ("Python", 2, 18)
    assert script.path == f"{library.folder}/a.py"
    assert library.one("jobs/b.SH").extension == ".sh"
    assert library.get_root(root).last_scan_at == scan.ended_at


@one_backend
def test_what_is_as_it_was_is_not_read_again(
    library: LibraryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("a.py")
    library.write("b/c.py")
    root = library.add_root()
    library.scan(root)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a file was read")

    monkeypatch.setattr(scanner, "read_file", fail)
    assert counts(library.scan(root)) == {"unchanged": 2}


def test_a_change_makes_a_new_version(library: LibraryWorld) -> None:
    library.write("a.py", "one\n")
    library.write("b.py")
    root = library.add_root()
    library.scan(root)
    first = library.one("a.py")
    library.write("a.py", "two\n")
    assert counts(library.scan(root)) == {"updated": 1, "unchanged": 1}
    second = library.one("a.py")
    assert second.id == first.id
    assert second.sha256 != first.sha256
    with library.database.read() as connection:
        hashes = [row[0] for row in figures.list_versions(connection, first.id)]
        assert contents.find_bytes(connection, first.sha256) == b"one\n"
    assert hashes == [second.sha256, first.sha256]
    library.write("a.py", "one\n")
    library.scan(root)
    with library.database.read() as connection:
        hashes = [row[0] for row in figures.list_versions(connection, first.id)]
    assert hashes[:2] == [first.sha256, second.sha256]


def test_a_file_whose_times_moved_is_updated_but_keeps_its_version(
    library: LibraryWorld,
) -> None:
    path = library.write("a.py")
    root = library.add_root()
    library.scan(root)
    os.utime(path, ns=(0, 1_500_000_000_000_000_000))
    assert counts(library.scan(root)) == {"updated": 1}
    assert library.one("a.py").mtime.year == 2017
    with library.database.read() as connection:
        assert len(figures.list_versions(connection, library.one("a.py").id)) == 1


@one_backend
def test_a_file_changed_within_the_grain_of_the_clock_is_read_again(
    library: LibraryWorld,
) -> None:
    path = library.folder / "a.py"
    path.write_text("one\n")
    root = library.add_root()
    future = 4_000_000_000_000_000_000
    os.utime(path, ns=(future, future))
    library.scan(root)
    path.write_text("two\n")
    os.utime(path, ns=(future, future))
    assert counts(library.scan(root)) == {"updated": 1}


def test_a_deleted_file_is_missing_and_comes_back_with_what_was_said(
    library: LibraryWorld,
) -> None:
    path = library.write("a.py")
    library.write("b.py", "other\n")
    root = library.add_root()
    library.scan(root)
    number = library.one("a.py").id
    with library.database.write() as connection:
        values = {"notes": "mine", "lifecycle_status": "deprecated"}
        figures.change_meta(connection, number, values, now=library.clock.utc_now())
    path.unlink()
    assert counts(library.scan(root)) == {"deleted": 1, "unchanged": 1}
    assert library.names() == ["b.py"]
    assert library.names(missing=True) == ["a.py"]
    assert counts(library.scan(root)) == {"unchanged": 1}, "gone is told once"
    library.write("a.py", "new text\n")
    assert counts(library.scan(root)) == {"updated": 1, "unchanged": 1}
    back = library.one("a.py")
    assert (back.id, back.lifecycle_status) == (number, "deprecated")
    assert not back.missing_flag


def tag(library: LibraryWorld, script_id: int, name: str) -> None:
    with library.database.write() as connection:
        number = tagging.insert(
            connection,
            name=name,
            name_folded=name,
            color="#000000",
            now=library.clock.utc_now(),
        )
        assert number is not None
        tagging.attach(connection, [script_id], [number])


@pytest.mark.parametrize(("old", "new"), [("a.py", "z/y.py"), ("z/y.py", "a.py")])
def test_a_renamed_file_is_the_same_script(library: LibraryWorld, old, new) -> None:
    path = library.write(old, "the same text\n")
    library.write("m.py", "something else\n")
    root = library.add_root()
    library.scan(root)
    number = library.one(old).id
    tag(library, number, "etl")
    (library.folder / new).parent.mkdir(exist_ok=True)
    path.rename(library.folder / new)
    assert counts(library.scan(root)) == {"updated": 1, "unchanged": 1}
    moved = library.one(new)
    assert moved.id == number
    assert [each.name for each in moved.tags] == ["etl"]
    assert library.names(missing=None) == sorted(["m.py", new])


@one_backend
def test_a_copy_is_a_script_of_its_own(library: LibraryWorld) -> None:
    library.write("a.py", "the same text\n")
    root = library.add_root()
    library.scan(root)
    library.write("b.py", "the same text\n")
    assert counts(library.scan(root)) == {"new": 1, "unchanged": 1}


@one_backend
def test_empty_files_are_not_taken_for_renamed_ones(library: LibraryWorld) -> None:
    path = library.write("a/__init__.py", "")
    root = library.add_root()
    library.scan(root)
    path.unlink()
    library.write("b/__init__.py", "")
    assert counts(library.scan(root)) == {"new": 1, "deleted": 1}


@one_backend
def test_what_cannot_be_read_is_an_error_and_not_gone(library: LibraryWorld) -> None:
    library.write("open.py")
    library.write("shut/a.py", "a\n")
    root = library.add_root()
    library.scan(root)

    shut = walking.Walk._list

    def refuse(self, descriptor, folder):
        if folder == "shut/":
            raise PermissionError(13, "no")
        return shut(self, descriptor, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking.Walk, "_list", refuse)
        scan = library.scan(root)
    assert counts(scan) == {"unchanged": 1, "error": 1}
    assert library.names() == ["open.py", "shut/a.py"]


@one_backend
def test_a_root_that_is_gone_fails_and_keeps_its_scripts(library: LibraryWorld) -> None:
    library.write("a.py")
    root = library.add_root()
    library.scan(root)
    library.folder.rename(library.folder.with_name("elsewhere"))
    scan = library.scan(root)
    assert (scan.status, scan.reason) == ("failed", "root_missing")
    assert library.names() == ["a.py"]


@one_backend
def test_hostile_trees_do_no_harm(library: LibraryWorld) -> None:
    folder = library.folder
    library.write("good.py")
    outside = folder.parent / "outside.py"
    outside.write_text("secret = 1\n")
    (folder / "link.py").symlink_to(outside)
    (folder / "folder_link").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s.py"))
    (folder / "huge.py").write_bytes(b"#" * (4 << 20) + b"\n")
    os.mkdir(os.fsencode(folder) + b"/\xff\xfe")
    with open(os.fsencode(folder) + b"/\xff.py", "wb") as file:
        file.write(b"x = 1\n")
    library.write("line\nbreak.py")
    library.write("latin.py", "# \xdcber\n".encode("latin-1"))
    library.write("utf16.py", "a = 1\nb = 2\n".encode("utf-16"))
    deep = folder / "/".join(["d"] * 33)
    deep.mkdir(parents=True)
    (deep / "deep.py").write_text("x\n")
    for name in (".hidden", "node_modules", "__pycache__", "venv"):
        library.write(f"{name}/x.py")
    library.write("myenv/pyvenv.cfg", "")
    library.write("myenv/lib/x.py")
    root = library.add_root()
    scan = library.scan(root)
    assert scan.status == "completed"
    assert library.names() == ["good.py", "latin.py", "line\nbreak.py", "utf16.py"]
    assert library.one("utf16.py").line_count == 2
    # Three links, pipe, socket, huge, two names in bytes, one folder too deep.
    assert scan.counts.skipped_count == 9


@one_backend
def test_the_data_folder_is_never_entered(library: LibraryWorld) -> None:
    library.write("a.py")
    library.data = library.folder / "data"
    library.data.mkdir()
    library.write("data/runs/upload.py")
    library.job = library.make_job()
    library.scan(library.add_root())
    assert library.names() == ["a.py"]


@one_backend
def test_a_scan_ends_at_its_bound_and_says_so(
    library: LibraryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        library.write(f"f{number}/x.py", f"{number}\n")
    root = library.add_root()
    library.scan(root)
    monkeypatch.setattr(walking, "MAX_ENTRIES", 7)
    scan = library.scan(root)
    assert (scan.status, scan.reason) == ("completed", "too_many")
    assert "7 entries" in str(scan.error_message)
    assert len(library.names()) == 5, "nobody knows whether the others are gone"


@one_backend
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["a.py", "run", "src/b.sql", "src/deep/c.py"]),
        ({"recursive": False}, ["a.py", "run"]),
        ({"include_patterns": "py"}, ["a.py", "src/deep/c.py"]),
        ({"include_patterns": "*.md,.sql"}, ["README.md", "src/b.sql"]),
        ({"exclude_patterns": "deep,run"}, ["a.py", "src/b.sql"]),
        ({"exclude_patterns": "src/**"}, ["a.py", "run"]),
        ({"gitignore": True}, ["a.py", "run", "src/deep/c.py"]),
    ],
)
def test_patterns_choose(library: LibraryWorld, options, names) -> None:
    library.write("a.py")
    library.write("src/b.sql", "select 1\n")
    library.write("src/deep/c.py", "c\n")
    library.write("README.md", "text\n")
    library.write("run", "#!/usr/bin/env python3\n").chmod(0o755)
    library.write("data", "no script\n").chmod(0o755)
    library.write(".gitignore", "*.sql\n")
    library.scan(library.add_root(**options))
    assert library.names() == names


def test_overlapping_roots_list_their_own_files(library: LibraryWorld) -> None:
    library.write("a.py")
    library.write("in/b.py")
    outer, inner = library.add_root(), library.add_root(library.folder / "in")
    library.scan(outer)
    library.scan(inner)
    assert library.names(root_id=outer) == ["a.py", "in/b.py"]
    assert library.names(root_id=inner) == ["b.py"]


# Life of a scan


def test_a_scan_that_was_cut_off_fails_and_another_goes_on(
    library: LibraryWorld,
) -> None:
    library.write("a.py")
    root = library.add_root()
    number = library.begin(root)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = worker_of(process.pid)
    with library.database.write() as connection:
        assert scans.claim(connection, number, worker=worker, expected=0)
    assert not library.job.is_due(), "somebody works on it"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert library.job.is_due()
    library.work()
    cut = library.get_scan(number)
    assert (cut.status, cut.reason) == ("failed", "interrupted")
    with library.database.read() as connection:
        newest = scans.list_of_root(connection, root, limit=1)[0]
    assert (newest.status, newest.resumed_from) == ("completed", number)
    assert library.names() == ["a.py"]
    assert not library.job.is_due()


def worker_of(pid: int) -> str:
    return f"{process_tree.boot_id()}:{pid}:{process_tree.start_time(pid)}"


@one_backend
def test_a_scan_that_is_always_cut_off_is_given_up(library: LibraryWorld) -> None:
    root = library.add_root()
    number = library.begin(root)
    for _ in range(10):
        with library.database.write() as connection:
            scans.claim(connection, number, worker="no:1:2", expected=0)
            (running,) = scans.list_running(connection)
        library.job._replace(running)
        with library.database.read() as connection:
            following = scans.find_running(connection, root)
        if following is None:
            break
        number = following.id
    assert library.get_scan(number).resume_count == 3


@one_backend
def test_a_stopped_process_hands_its_scan_on(library: LibraryWorld) -> None:
    library.write("a.py")
    root = library.add_root()
    number = library.begin(root)
    stop = threading.Event()
    announce = library.job._announce
    library.job._announce = lambda: (stop.set(), announce())[1]  # type: ignore[func-returns-value]
    library.write("b/b.py", "b\n")
    scanner_report = scanner.REPORT_SECONDS
    scanner.REPORT_SECONDS = 0.0
    try:
        library.job.work(stop)
    finally:
        scanner.REPORT_SECONDS = scanner_report
    assert library.get_scan(number).reason == "interrupted"
    library.job = library.make_job()
    library.work()
    assert library.names() == ["a.py", "b/b.py"]


def test_a_cancelled_scan_stops_and_keeps_what_it_found(
    library: LibraryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner, "GROUP_BYTES", 1)
    for number in range(5):
        library.write(f"{number}.py", f"{number}\n")
    root = library.add_root()
    number = library.begin(root)
    job = LibraryJob(
        library.database,
        data_dir=library.data,
        clock=library.clock,
        announce=lambda: cancel(library, number),
    )
    job.work(threading.Event())
    assert library.get_scan(number).reason == "cancelled"
    assert len(library.names()) == 1
    following = library.scan(root)
    assert (following.status, counts(following)) == (
        "completed",
        {"new": 4, "unchanged": 1},
    )


def test_what_was_gone_at_a_cut_off_scan_is_missing_after_the_next(
    library: LibraryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = library.write("a.py")
    library.write("b.py", "b\n")
    library.write("c/c.py", "c\n")
    root = library.add_root()
    library.scan(root)
    gone.unlink()
    number = library.begin(root)
    monkeypatch.setattr(scanner, "REPORT_SECONDS", 0.0)
    job = LibraryJob(
        library.database,
        data_dir=library.data,
        clock=library.clock,
        announce=lambda: cancel(library, number),
    )
    job.work(threading.Event())
    assert library.get_scan(number).reason == "cancelled"
    assert counts(library.scan(root)) == {"deleted": 1, "unchanged": 2}
    assert library.names() == ["b.py", "c/c.py"]


def cancel(library: LibraryWorld, number: int) -> None:
    with library.database.write() as connection:
        scans.end(
            connection,
            number,
            now=library.clock.utc_now(),
            status=ScanStatus.FAILED,
            reason=ScanReason.CANCELLED,
        )


@one_backend
def test_a_defect_ends_the_scan(
    library: LibraryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("a.py")
    root = library.add_root()
    number = library.begin(root)
    monkeypatch.setattr(scanner, "read_file", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        library.work()
    scan = library.get_scan(number)
    assert (scan.status, scan.reason) == ("failed", "error")


def test_a_removed_root_leaves_nothing_behind(library: LibraryWorld) -> None:
    library.write("a.py", "only here\n")
    library.write("b.py", "also elsewhere\n")
    first = library.add_root()
    library.scan(first)
    other = library.folder.parent / "other"
    other.mkdir()
    (other / "b.py").write_text("also elsewhere\n")
    library.scan(library.add_root(other))
    tag(library, library.one("a.py").id, "etl")
    with library.database.write() as connection:
        assert roots.delete_scripts(connection, first, limit=10) == 2
        roots.remove(connection, first)
    assert library.job.is_due()
    library.work()
    assert not library.job.is_due()
    with library.database.read() as connection:
        for table, left in {
            "script_contents": 1,
            "script_texts": 1,
            "script_tags": 0,
            "library_scans": 1,
            "script_folders": 1,
        }.items():
            statement = text(f"SELECT count(*) FROM {table}")  # noqa: S608
            assert connection.execute(statement).scalar() == left, table
    again = library.add_root()
    assert again > first, "numbers are never used again"
    assert counts(library.scan(again)) == {"new": 2}


@one_backend
def test_a_watched_root_is_scanned_when_something_changes(
    library: LibraryWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.write("a.py")
    root = library.add_root(watch=True)
    assert library.job.is_due()
    watch = library.job._watch
    monkeypatch.setattr("scriptrunner.library.watch.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr("scriptrunner.library.watch.PAUSE_FACTOR", 0.0)

    def look() -> int:
        assert watch.begin_scans()
        library.job.do_scans(threading.Event())
        with library.database.read() as connection:
            return len(scans.list_of_root(connection, root, limit=10))

    assert look() == 1
    assert look() == 1, "a quiet folder leaves no trace"
    library.write("b.py", "b\n")
    assert look() == 2
    assert library.names() == ["a.py", "b.py"]


# Real folders of other people


@pytest.mark.slow
def test_the_standard_library_as_a_root(library: LibraryWorld) -> None:
    folder = os.path.dirname(os.__file__)
    options = {"exclude_patterns": "test,tests,site-packages,idlelib,lib2to3"}
    root = library.add_root(Path(os.path.realpath(folder)), **options)
    number = library.begin(root)
    library.job.do_scans(threading.Event())
    scan = library.get_scan(number)
    assert scan.status == "completed"
    assert scan.counts.new_count > 300
    assert "json/decoder.py" in library.names(search="JSON/Dec")
    second = library.begin(root)
    library.job.do_scans(threading.Event())
    assert library.get_scan(second).counts.unchanged_count == scan.counts.new_count
