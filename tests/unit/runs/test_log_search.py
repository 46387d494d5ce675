"""Search in outputs on the server: what is found, where it goes on, what it may cost."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scriptrunner.engine import pattern_search
from scriptrunner.engine.pattern_search import TooManySearchesError
from scriptrunner.errors import MalformedInputError
from scriptrunner.runs import log_search
from scriptrunner.runs.log_levels import LEVELS, NO_LEVEL, level_of
from scriptrunner.runs.log_search import Wanted, search
from scriptrunner.runs.logs import OutputReader
from scriptrunner.runs.masking import Masker

LEVELED = (
    b"start\nINFO one row\nERROR broken row\n  in the middle\n"
    b"WARNING slow row\nINFO two\n"
)


def open_output(folder: Path, content: bytes, *secrets: str) -> OutputReader:
    path = folder / "a1.out"
    path.write_bytes(content)
    return OutputReader(str(path), masker=Masker(secrets), cap_bytes=1 << 30)


@pytest.fixture
def find(tmp_path: Path) -> Iterator[Callable[..., list[int]]]:
    """Numbers of the lines of a text that match."""
    opened: list[OutputReader] = []

    def ask(content: bytes, text: str | None = None, **how) -> list[int]:
        opened.append(open_output(tmp_path, content))
        reader = opened[-1]
        found = search(reader, Wanted(text=text, **how), end=reader.size)
        return [line.number for line in found.around or found.matches]

    yield ask
    for reader in opened:
        reader.close()


def list_all(reader: OutputReader, wanted: Wanted) -> tuple[list[int], list[int], int]:
    """Return matches, lines around them, and how many answers it took."""
    matches: list[int] = []
    around: list[int] = []
    place, answers = None, 0
    while answers == 0 or (place is not None and answers < 1_000):
        found = search(reader, wanted, place=place, end=reader.size)
        matches += [line.number for line in found.matches]
        around += [line.number for line in found.around]
        place = found.next
        answers += 1
    return matches, around, answers


# What is found


def test_text_knows_case_and_words(find) -> None:
    content = b"an error\nErrors\nERROR: x\n\x1b[31mer\x1b[1mror\x1b[0m\n"
    assert find(content, "error") == [1, 2, 3, 4]
    assert find(content, "error", match_case=True) == [1, 4]
    assert find(content, "error", whole_word=True) == [1, 3, 4]
    assert find(content, ".*") == []


def test_pattern_knows_case_and_words(find) -> None:
    content = b"took 5 ms\ntook 51 ms\nTOOK 7 ms\n\x1b[31mto\x1b[1mok 8\x1b[0m\n"
    assert find(content, r"took \d ", is_pattern=True) == [1, 3]
    assert find(content, r"took \d", is_pattern=True, match_case=True) == [1, 2, 4]
    assert find(content, r"took \d", is_pattern=True, whole_word=True) == [1, 3, 4]
    assert find(content, "7|8$", is_pattern=True, whole_word=True) == [3, 4]
    assert find(b"Foo\nfoot\n", "(?i)foo", is_pattern=True, match_case=True) == [1, 2]
    assert find(b"Foo\nfoot\n", "(?i)foo", is_pattern=True, whole_word=True) == [1]


@pytest.mark.parametrize(
    "pattern", ["(?x) foo  # a word", "(?i)(?x) FOO", "(?#c)(?i)FOO"]
)
def test_what_is_a_pattern_is_one_for_whole_words_too(find, pattern: str) -> None:
    content = b"foot\nfoo\n"
    assert find(content, pattern, is_pattern=True) == [1, 2]
    assert find(content, pattern, is_pattern=True, whole_word=True) == [2]


def test_only_what_a_terminal_shows_is_searched(find) -> None:
    content = b"10 %\r50 %\r100 %\r\nlast\n"
    assert find(content, "100") == [1]
    assert find(content, "50") == []


def test_level_keeps_lines_with_what_belongs_to_them(find) -> None:
    assert find(LEVELED, level="WARNING") == [3, 4, 5]
    assert find(LEVELED, level="DEBUG") == [2, 3, 4, 5, 6]
    assert find(LEVELED, "row", level="WARNING") == [3, 5]
    assert find(LEVELED, "slow", level="WARNING", context=1) == [4, 5]


def test_level_of_a_line_is_that_of_the_page() -> None:
    """The same lines as in ``tests/browser/js/log.test.js``."""
    lines = (
        "2026-11-23 10:00:00,1 - app - WARNING - slow",
        "[error] x",
        "INFO:root:ERROR is only told of",
        "WARN x",
        '{"level":"FATAL"}',
        "information",
        "no ERRORS",
        "Traceback (most recent call last):",
    )
    ranks = [2, 3, 1, 2, 4, NO_LEVEL, NO_LEVEL, 3]
    assert [level_of(line) for line in lines] == ranks
    assert LEVELS[2] == "WARNING"


def test_context_comes_with_matches_once(find) -> None:
    content = b"".join(b"line %d\n" % n for n in range(1, 21))
    assert find(content, "line 5", context=2) == [3, 4, 5, 6, 7]
    assert find(content, "line 1", whole_word=True, context=3) == [1, 2, 3, 4]
    found = find(content, r"line ([57]|20)$", is_pattern=True, context=1)
    assert found == [4, 5, 6, 7, 8, 19, 20]


def test_secrets_are_not_found(tmp_path: Path) -> None:
    with closing(open_output(tmp_path, b"token hush-hush\n", "hush-hush")) as reader:
        for is_pattern in (False, True):
            wanted = Wanted(text="hush", is_pattern=is_pattern)
            assert search(reader, wanted, end=reader.size).matches == []


# Where it goes on


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.sampled_from(["x", "y", "INFO x", "ERROR y", ""]), max_size=30),
    context=st.integers(0, 3),
    limit=st.integers(1, 4),
    level=st.sampled_from([None, "ERROR"]),
    piece=st.sampled_from([5, 30, 1 << 20]),
)
@example(lines=[*["ERROR y"] * 5, "x"], context=3, limit=1, level=None, piece=5)
def test_answers_together_are_the_whole(
    tmp_path_factory, lines, context, limit, level, piece
) -> None:
    """However often a search hands over, nothing is lost and no match comes twice."""
    folder = tmp_path_factory.getbasetemp()
    wanted = Wanted(text="x", context=context, limit=limit, level=level)
    with (
        closing(open_output(folder, "".join(f"{x}\n" for x in lines).encode())) as out,
        pytest.MonkeyPatch.context() as patch,
    ):
        whole, around, _ = list_all(out, replace(wanted, limit=1_000))
        patch.setattr(log_search, "MAX_SEARCH_BYTES", piece)
        patch.setattr(log_search, "_BATCH_LENGTH", 4)
        found, near, answers = list_all(out, wanted)
    assert found == whole
    assert sorted(set(near)) == around
    assert answers <= len(lines) + 1


# What it may cost


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("(a+)+$", "a" * 40 + "!"),
        ("(a|aa)+$", "a" * 400 + "!"),
        (".*.*.*.*x", "a" * 9_000),
        # Not all of the machine looks for signals: the kernel ends this one.
        ("(?=(a+))" * 60 + "b", "a" * 16_000),
    ],
)
def test_a_pattern_without_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, line: str
) -> None:
    hasty = tmp_path / "hasty.py"
    source = Path(pattern_search._ENTRY).read_text()
    source = re.sub(r"(SLICE|HARD)_SECONDS = .*", r"\1_SECONDS = 0.1", source)
    hasty.write_text(source)
    monkeypatch.setattr(pattern_search, "_ENTRY", str(hasty))
    with closing(open_output(tmp_path, f"good\n{line}\n".encode())) as reader:
        wanted = Wanted(text=pattern, is_pattern=True)
        with pytest.raises(MalformedInputError) as caught:
            search(reader, wanted, end=reader.size)
    (fault,) = caught.value.faults
    assert (fault["type"], fault["loc"]) == ("slow_pattern", ("query", "q"))


@pytest.mark.parametrize(
    ("pattern", "position"),
    [("a(b", 1), ("ab[", 2), ("*", 0), ("(?P<1>a)", 4), ("(" * 500, 0)],
)
def test_what_is_no_pattern_is_refused_with_its_place(
    tmp_path: Path, pattern: str, position: int
) -> None:
    with closing(open_output(tmp_path, b"a\n")) as reader:
        wanted = Wanted(text=pattern, is_pattern=True)
        with pytest.raises(MalformedInputError) as caught:
            search(reader, wanted, end=reader.size)
    (fault,) = caught.value.faults
    assert (fault["loc"], fault["ctx"]) == (("query", "q"), {"position": position})


@pytest.mark.parametrize("is_pattern", [False, True])
def test_a_search_hands_over_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_pattern: bool
) -> None:
    monkeypatch.setattr(log_search, "SEARCH_SECONDS", -1.0)
    monkeypatch.setattr(log_search, "_BATCH_LENGTH", 8)
    with closing(open_output(tmp_path, b"one\ntwo\nsix\ntoo\n")) as reader:
        wanted = Wanted(text="o", is_pattern=is_pattern)
        matches, _, answers = list_all(reader, wanted)
    assert matches == [1, 2, 4]
    assert answers == 2


def test_so_many_patterns_at_once_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Taken:
        def acquire(self, timeout: float) -> bool:
            return timeout < 0

    monkeypatch.setattr(pattern_search, "_places", Taken())
    with (
        closing(open_output(tmp_path, b"a\n")) as reader,
        pytest.raises(TooManySearchesError),
    ):
        search(reader, Wanted(text="a", is_pattern=True), end=reader.size)
