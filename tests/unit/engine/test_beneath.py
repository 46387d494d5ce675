import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from scriptrunner.engine.beneath import (
    SymlinkFoundError,
    WrongTypeError,
    open_beneath,
)


@pytest.fixture
def root(tmp_path: Path) -> str:
    folder = tmp_path / "root"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "inside.py").write_text("inside")
    (tmp_path / "outside.py").write_text("outside")
    return str(folder)


def read_beneath(root: str, relative: str) -> str:
    descriptor = open_beneath(root, relative)
    with os.fdopen(descriptor) as file:
        return file.read()


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_below_the_root_is_opened(root):
    assert read_beneath(root, "sub/inside.py") == "inside"


@pytest.mark.parametrize("relative", ["", "sub"])
def test_folders_are_opened_when_a_folder_is_meant(root, relative):
    descriptor = open_beneath(root, relative, folder=True)
    assert Path(f"/proc/self/fd/{descriptor}").readlink() == Path(root, relative)
    os.close(descriptor)


@pytest.mark.parametrize(
    "relative",
    [
        "../outside.py",
        "sub/../../outside.py",
        "/etc/passwd",
        ".",
        "sub//x",
        "a\0b",
        "sub/",
    ],
)
def test_anything_but_a_plain_relative_path_is_refused(root, relative):
    with pytest.raises(OSError, match="not a plain relative path") as caught:
        open_beneath(root, relative)
    assert caught.value.errno == errno.EINVAL


def test_a_link_is_never_followed_wherever_it_is(root):
    Path(root, "file_link.py").symlink_to("sub/inside.py")
    Path(root, "folder_link").symlink_to("sub")
    Path(root, "way_out").symlink_to("..")
    for relative in ("file_link.py", "folder_link/inside.py", "way_out/outside.py"):
        with pytest.raises(SymlinkFoundError):
            open_beneath(root, relative)
    with pytest.raises(SymlinkFoundError):
        open_beneath(root, "folder_link", folder=True)


def test_what_is_no_regular_file_is_refused_without_being_opened(root):
    os.mkfifo(Path(root, "fifo.py"))
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(root)  # socket paths are limited to about 100 characters
        listener.bind("socket.py")
        os.chdir(here)
        for relative in ("fifo.py", "socket.py", "sub"):
            with pytest.raises(WrongTypeError):
                open_beneath(root, relative)


def test_a_file_is_no_folder(root):
    with pytest.raises(WrongTypeError):
        open_beneath(root, "sub/inside.py", folder=True)
    with pytest.raises(WrongTypeError):
        open_beneath(root, "sub/inside.py/x")
    with pytest.raises(WrongTypeError):
        open_beneath(root, "")


def test_what_is_missing_is_reported_as_missing(root):
    for relative in ("missing.py", "missing/x.py"):
        with pytest.raises(FileNotFoundError):
            open_beneath(root, relative)


def test_everything_on_the_way_is_shown_to_the_visitor(root):
    seen: list[int] = []
    os.close(
        open_beneath(
            root, "sub/inside.py", visit=lambda found: seen.append(found.st_ino)
        )
    )
    paths = [Path(root), Path(root, "sub"), Path(root, "sub/inside.py")]
    assert seen == [path.stat().st_ino for path in paths]


def test_no_descriptor_is_left_behind(root):
    Path(root, "link").symlink_to("sub")
    before = count_descriptors()
    for relative in ("missing", "sub", "link/inside.py", "sub/inside.py/x"):
        with pytest.raises(OSError, match=r".*"):
            open_beneath(root, relative)
    assert count_descriptors() == before


def test_a_folder_that_flips_to_a_link_never_leads_outside(root, tmp_path):
    """Someone swaps a folder for a link as fast as possible while we open through it."""
    outside = tmp_path / "other"
    outside.mkdir()
    (outside / "x.py").write_text("outside")
    spot, folder, link = (Path(root, name) for name in ("spot", "folder", "link"))
    folder.mkdir()
    (folder / "x.py").write_text("inside")
    link.symlink_to(outside)
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            folder.rename(spot)
            spot.rename(folder)
            link.rename(spot)
            spot.rename(link)

    flipper = threading.Thread(target=flip)
    flipper.start()
    contents, refusals = set(), 0
    try:
        for _ in range(3_000):
            try:
                contents.add(read_beneath(root, "spot/x.py"))
            except OSError:
                refusals += 1
    finally:
        stop.set()
        flipper.join()
    assert contents <= {"inside"}
    assert refusals
