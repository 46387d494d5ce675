"""Files that are written whole or not at all, and over nobody else's."""

import errno
import os
import threading

import pytest

from scriptrunner.engine import output_files
from scriptrunner.engine.output_files import (
    LocalOutputs,
    OutputError,
    OwnFiles,
    RunOutputs,
)


@pytest.fixture
def own(tmp_path):
    return OwnFiles(str(tmp_path / "out"), str(tmp_path / "register"))


def listing(folder):
    return sorted(
        str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()
    )


def test_a_file_is_there_with_its_folders_for_us_alone(own, tmp_path):
    own.put("a/b/c.xml", b"1")
    path = tmp_path / "out" / "a" / "b" / "c.xml"
    assert path.read_bytes() == b"1"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert listing(tmp_path / "out") == ["a/b/c.xml"]


def test_a_file_of_ours_is_replaced(own, tmp_path):
    for content in (b"1", b"2", b"2", b"3"):
        own.check("x.xml")
        own.put("x.xml", content)
    assert (tmp_path / "out" / "x.xml").read_bytes() == b"3"
    assert listing(tmp_path / "out") == ["x.xml"]


@pytest.mark.parametrize("is_checked", [True, False])
def test_a_file_of_others_is_left_alone(own, tmp_path, is_checked):
    (tmp_path / "out").mkdir()
    path = tmp_path / "out" / "x.xml"
    path.write_text("theirs")
    with pytest.raises(OutputError, match="did not create"):
        own.check("x.xml") if is_checked else own.put("x.xml", b"1")
    assert path.read_text() == "theirs"


def test_a_file_that_others_have_changed_is_theirs(own, tmp_path):
    own.put("x.xml", b"1")
    (tmp_path / "out" / "x.xml").write_text("changed")
    with pytest.raises(OutputError):
        own.put("x.xml", b"2")


def test_a_name_is_remembered_by_itself(own, tmp_path):
    own.put("a.xml", b"1")
    (tmp_path / "out" / "b.xml").write_bytes(b"1")
    with pytest.raises(OutputError):
        own.put("b.xml", b"2")


def test_links_are_not_followed(own, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "way").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "out" / "x.xml").symlink_to(tmp_path / "elsewhere" / "x.xml")
    (tmp_path / "out" / "f").write_text("")
    for name in ("way/x.xml", "x.xml", "f/x.xml"):
        with pytest.raises(OutputError):
            own.check(name)
        with pytest.raises(OutputError):
            own.put(name, b"1")
    assert listing(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_left_alone(own, tmp_path, make):
    (tmp_path / "out").mkdir()
    make(tmp_path / "out" / "x.xml")
    with pytest.raises(OutputError):
        own.put("x.xml", b"1")


def test_a_crash_after_the_note_and_before_the_file_is_no_obstacle(
    own, tmp_path, monkeypatch
):
    own.put("x.xml", b"1")
    monkeypatch.setattr(output_files, "_write", lambda *_: None)
    own.put("x.xml", b"2")
    monkeypatch.undo()
    assert (tmp_path / "out" / "x.xml").read_bytes() == b"1"
    own.put("x.xml", b"3")
    assert (tmp_path / "out" / "x.xml").read_bytes() == b"3"


def test_a_crash_after_the_file_is_no_obstacle(own, tmp_path):
    own.put("x.xml", b"1")
    OwnFiles(str(tmp_path / "out"), str(tmp_path / "register")).put("x.xml", b"2")
    assert (tmp_path / "out" / "x.xml").read_bytes() == b"2"


def test_it_works_without_hard_links(own, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    own.put("x.xml", b"1")
    own.put("x.xml", b"2")
    assert listing(tmp_path / "out") == ["x.xml"]


def test_a_full_disk_leaves_nothing_behind(own, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OutputError, match="No space left"):
        own.put("x.xml", b"1")
    assert listing(tmp_path / "out") == []


def test_of_many_writers_of_a_new_name_others_lose(tmp_path):
    """One of ours wins, and never loses to itself for good."""
    failures = []

    def write(number):
        files = OwnFiles(str(tmp_path / "out"), str(tmp_path / f"register{number}"))
        try:
            files.put("x.xml", str(number).encode())
        except OutputError:
            failures.append(number)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    winner = int((tmp_path / "out" / "x.xml").read_bytes())
    assert sorted([*failures, winner]) == list(range(8))
    assert listing(tmp_path / "out") == ["x.xml"]


def test_outputs_are_listed_and_published(tmp_path):
    own = OwnFiles(str(tmp_path / "own"), str(tmp_path / "r1"))
    shared = OwnFiles(str(tmp_path / "shared"), str(tmp_path / "r2"), is_shared=True)
    (tmp_path / "shared").mkdir()
    outputs = RunOutputs(own, shared, (str(tmp_path / "shared"),))
    assert outputs.write("a.xml", b"123") == "a.xml"
    assert outputs.write(f"{tmp_path}/shared/b.xml", b"") == "b.xml"
    assert [each["name"] for each in outputs.written] == ["a.xml", "b.xml"]
    assert outputs.written[0]["size"] == 3
    assert listing(tmp_path / "shared") == ["a.xml", "b.xml"]
    with pytest.raises(OutputError):
        outputs.write("/elsewhere/c.xml", b"")


def test_local_outputs_are_the_users_own_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.xml").write_text("earlier")
    outputs = LocalOutputs()
    outputs.write("x.xml", b"1")
    outputs.write("sub/y.xml", b"2")
    assert listing(tmp_path) == ["sub/y.xml", "x.xml"]
    with pytest.raises(OutputError):
        outputs.write("x.xml/z.xml", b"3")


def test_a_shared_folder_that_is_missing_is_not_made(tmp_path):
    """Its disk may not be mounted."""
    files = OwnFiles(str(tmp_path / "shared"), str(tmp_path / "r"), is_shared=True)
    with pytest.raises(OutputError, match="No such file"):
        files.put("x.xml", b"1")
    assert not (tmp_path / "shared").exists()
