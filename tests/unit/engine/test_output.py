"""Output files: counted, capped by a hole, cut at the end."""

import os
from pathlib import Path

import pytest

from scriptrunner.engine import kernel
from scriptrunner.engine.output import LineCopier, OutputFile

CAP = 1 << 20


@pytest.fixture
def output(tmp_path: Path) -> OutputFile:
    return OutputFile(str(tmp_path / "a1.out"), CAP)


def append(output: OutputFile, data: bytes) -> None:
    """Write as the script does: through a descriptor of its own, in append mode."""
    path = os.readlink(f"/proc/self/fd/{output.descriptor}")
    with open(path, "ab", buffering=0) as file:
        file.write(data)


@pytest.mark.parametrize(
    ("data", "lines"),
    [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2), (b"\xff\x00\n", 1)],
)
def test_lines_are_counted_with_or_without_a_last_newline(
    output: OutputFile, data: bytes, lines: int
):
    append(output, data)
    output.finish()
    assert (output.size, output.lines, output.dropped) == (len(data), lines, 0)


def test_what_lies_beyond_the_cap_is_counted_and_its_blocks_are_given_back(
    output: OutputFile, tmp_path: Path
):
    line = b"x" * 1023 + b"\n"
    append(output, line * 1024 * 5)  # five times the cap
    output.visit()
    found = (tmp_path / "a1.out").stat()
    assert found.st_size == 5 * CAP  # the size still tells what was written
    assert found.st_blocks * 512 <= CAP + 65536
    append(output, line * 100)
    output.finish()
    assert output.size == 5 * CAP + 100 * 1024
    assert output.dropped == 4 * CAP + 100 * 1024
    assert output.lines == 5 * 1024 + 100
    assert (tmp_path / "a1.out").stat().st_size == CAP


def test_without_holes_the_file_is_cut_at_the_end_all_the_same(
    output: OutputFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kernel, "punch_hole", lambda *_: False)
    append(output, b"y" * (2 * CAP))
    output.finish()
    assert output.dropped == CAP
    assert (tmp_path / "a1.out").stat().st_size == CAP


def test_a_script_that_truncates_its_own_log_is_noticed(
    output: OutputFile, tmp_path: Path
):
    append(output, b"one\ntwo\n")
    output.visit()
    os.truncate(tmp_path / "a1.out", 0)
    append(output, b"new\n")
    output.finish()
    assert output.shrank
    assert (output.size, output.lines) == (4, 1)


def test_finished_lines_are_copied_to_the_service_log(
    output: OutputFile, tmp_path: Path
):
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    copier = LineCopier(output.descriptor, run_id="r1", stream="stdout", log=log)
    append(output, b"done\x1b[31m\nhalf")
    copier.copy(1.0, 1 << 30)
    assert (tmp_path / "log").read_text() == "run r1 stdout: done\ufffd[31m\n"
    append(output, b" a line\n")
    copier.copy(1.1, 1 << 30, last=True)
    assert (tmp_path / "log").read_text().endswith("run r1 stdout: half a line\n")


def test_secrets_are_hidden_in_copied_lines(output: OutputFile, tmp_path: Path):
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    copier = LineCopier(
        output.descriptor,
        run_id="r1",
        stream="stdout",
        log=log,
        secrets=["swordfish", "first line\nlast line", "short"],
    )
    append(output, b"short swordfish" + b"x" * 1_980 + b"swordfish\n")
    append(output, b"first line\nlast line\n")
    copier.copy(1.0, 1 << 30, last=True)
    os.close(log)
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0] == "run r1 stdout: short *********" + "x" * 1_980 + "*" * 5
    assert [each.split(": ")[1] for each in lines[1:]] == ["**********", "*********"]


def test_copied_lines_are_limited_per_second_and_the_rest_is_counted(
    output: OutputFile, tmp_path: Path
):
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    copier = LineCopier(output.descriptor, run_id="r1", stream="stdout", log=log)
    append(output, b"line\n" * 1000)
    copier.copy(5.0, 1 << 30, last=True)
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == LineCopier.LINES_PER_SECOND + 1
    assert lines[-1] == "run r1 stdout: 800 more lines not shown"
