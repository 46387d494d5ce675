"""Files that appear whole or not at all."""

import stat
from pathlib import Path

import pytest

from scriptrunner.engine import whole_file


def test_replace_what_is_there(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    whole_file.write(str(target), b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_leave_no_draft_when_the_name_cannot_be_had(tmp_path: Path) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    with pytest.raises(IsADirectoryError):
        whole_file.write(str(target), b"x")
    assert list(tmp_path.iterdir()) == [target]


def test_write_into_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole_file.write("report.json", b"x")
    assert (tmp_path / "report.json").read_bytes() == b"x"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_give_the_permissions_that_were_asked_for(tmp_path: Path, mode: int) -> None:
    whole_file.write(str(tmp_path / "secret"), b"x", mode=mode)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == mode


def test_tell_that_the_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        whole_file.write(str(tmp_path / "none" / "file"), b"x")
