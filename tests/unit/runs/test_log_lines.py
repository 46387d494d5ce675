"""Lines by number, however outputs are cut into chunks."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.runs import log_lines, logs
from scriptrunner.runs.log_lines import LineIndex, iter_lines
from scriptrunner.runs.logs import OutputReader
from scriptrunner.runs.masking import Masker

KEY = ("run", 1, "stdout")


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short outputs meet every border."""
    monkeypatch.setattr(logs, "CHUNK_BYTES", 7)
    monkeypatch.setattr(log_lines, "CHUNK_BYTES", 7)
    monkeypatch.setattr(log_lines, "INDEX_STEP", 3)


def open_output(folder: Path, content: bytes, *secrets: str) -> OutputReader:
    path = folder / "a1.out"
    path.write_bytes(content)
    return OutputReader(str(path), masker=Masker(secrets), cap_bytes=1 << 30)


@pytest.fixture
def ten(tmp_path: Path) -> Iterator[OutputReader]:
    content = b"".join(b"line %d\n" % number for number in range(1, 11))
    with closing(open_output(tmp_path, content)) as reader:
        yield reader


def window(reader: OutputReader, first: int, count: int, index=None):
    lines, total = (index or LineIndex()).read_window(
        reader, KEY, first=first, count=count, end=reader.size
    )
    return [(line.number, line.text) for line in lines], total


@pytest.mark.parametrize("first", range(1, 12))
def test_window_has_the_lines_asked_for(ten: OutputReader, first: int) -> None:
    expected = [(n, f"line {n}") for n in range(first, min(first + 4, 11))]
    assert window(ten, first, 4) == (expected, 10)


def test_line_without_end_is_a_line(tmp_path: Path) -> None:
    with closing(open_output(tmp_path, b"a\n\nlast")) as reader:
        assert window(reader, 1, 9) == ([(1, "a"), (2, ""), (3, "last")], 3)


def test_empty_output_has_no_lines(tmp_path: Path) -> None:
    with closing(open_output(tmp_path, b"")) as reader:
        assert window(reader, 1, 9) == ([], 0)


def test_index_goes_on_when_the_output_grows(tmp_path: Path) -> None:
    index = LineIndex()
    with closing(open_output(tmp_path, b"1\n2\n3\n4\nfi")) as reader:
        assert window(reader, 5, 9, index) == ([(5, "fi")], 5)
        with (tmp_path / "a1.out").open("ab") as file:
            file.write(b"ve\n6\n7\n8\n")
        assert window(reader, 5, 2, index) == ([(5, "five"), (6, "6")], 8)


def test_only_some_outputs_are_remembered(
    ten: OutputReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "KEPT_INDEXES", 2)
    index = LineIndex()
    for number in range(5):
        index.read_window(ten, ("run", number, "stdout"), first=1, count=1, end=20)
    assert len(index._known) == 2


@given(
    content=st.text("ab\n", max_size=60).map(str.encode),
    first=st.integers(1, 12),
)
def test_any_window_is_a_slice_of_the_lines(
    tmp_path_factory, content: bytes, first: int
) -> None:
    expected = content.decode().split("\n")
    if expected[-1] == "":
        expected.pop()
    folder = tmp_path_factory.getbasetemp()
    with closing(open_output(folder, content)) as reader:
        lines, total = window(reader, first, 3)
    assert total == len(expected)
    assert [text for _, text in lines] == expected[first - 1 : first + 2]


def test_very_long_line_is_cut_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "MAX_LINE_BYTES", 10)
    with closing(open_output(tmp_path, b"x" * 95 + b"\nnext\n")) as reader:
        first, second = iter_lines(reader, 0, reader.size, number=1)
    assert (first.text, first.cut_bytes) == ("x" * 10, 85)
    assert (second.number, second.offset, second.text) == (2, 96, "next")


def test_secrets_are_hidden(tmp_path: Path) -> None:
    with closing(open_output(tmp_path, b"token hush-hush\n", "hush-hush")) as reader:
        assert window(reader, 1, 1) == ([(1, "token *********")], 1)
