"""Folders of runs: modes, refusals, removal."""

import pytest

from scriptrunner.runs.folders import RunFolders, is_run_id

RUN_ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def folders(tmp_path) -> RunFolders:
    return RunFolders(tmp_path / "runs")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RUN_ID, True),
        (RUN_ID.replace("-4", "-1"), False),
        (RUN_ID.replace("-8", "-0"), False),
        ("AAAAAAAA-1111-4111-8111-111111111111", False),
        ("{1111111-1111-4111-8111-111111111111", False),
        (RUN_ID + "\n", False),
        ("..", False),
        ("", False),
    ],
)
def test_ids_are_uuid4_in_lower_case(text: str, expected: bool) -> None:
    assert is_run_id(text) is expected


def test_everything_is_private(folders: RunFolders) -> None:
    folders.write_script(RUN_ID, b"print(1)")
    folders.write_secrets(RUN_ID, {"API_KEY": "ä\ud800"})
    folder = folders.root / RUN_ID
    modes = {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}
    assert modes == {"upload.py": 0o400, "secret.json": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folders.read_secrets(RUN_ID) == {"API_KEY": "ä\ud800"}


def test_nothing_is_written_over(folders: RunFolders) -> None:
    folders.write_script(RUN_ID, b"print(1)")
    with pytest.raises(FileExistsError):
        folders.write_script(RUN_ID, b"print(2)")


def test_a_run_without_secrets_has_none(folders: RunFolders) -> None:
    assert folders.read_secrets(RUN_ID) == {}


def test_a_copy_has_the_very_bytes(folders: RunFolders, tmp_path) -> None:
    source = tmp_path / "bytes"
    source.write_bytes(b"print(1)")
    folders.copy_script(str(source), RUN_ID)
    assert (folders.root / RUN_ID / "upload.py").read_bytes() == b"print(1)"


def test_removal_takes_everything(folders: RunFolders) -> None:
    folders.prepare(RUN_ID)
    (folders.root / RUN_ID / "outputs").mkdir()
    (folders.root / RUN_ID / "outputs" / "x").write_text("x")
    folders.remove(RUN_ID)
    folders.remove(RUN_ID)
    assert list(folders.root.iterdir()) == []


def test_removal_after_an_interrupted_removal(folders: RunFolders) -> None:
    leftover = folders.root / f".deleted-{RUN_ID}"
    leftover.mkdir(parents=True)
    (leftover / "x").write_text("x")
    folders.prepare(RUN_ID)
    folders.remove(RUN_ID)
    assert not (folders.root / RUN_ID).exists()


def test_temporary_files_are_cleared_when_there_are_any(folders: RunFolders) -> None:
    folders.end_temporary(RUN_ID)
    folders.prepare(RUN_ID)
    temporary = folders.root / RUN_ID / "tmp"
    folders.end_temporary(RUN_ID)
    (temporary / "x").write_text("x")
    folders.end_temporary(RUN_ID)
    assert not temporary.exists()
