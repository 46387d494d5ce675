"""Ranges and characters of output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.errors import RangeNotSatisfiableError
from scriptrunner.runs.logs import (
    CHUNK_BYTES,
    MAX_RANGE_BYTES,
    OutputReader,
    decode_piece,
    resolve_range,
)
from scriptrunner.runs.masking import Masker


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=5-", (5, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=99-99", (99, 100)),
        ("bytes=90-500", (90, 100)),
        ("Bytes= 0-0", (0, 1)),
        ("bytes=5-" + "9" * 5_000, (5, 100)),
        ("bytes=-" + "9" * 5_000, (0, 100)),
        ("bytes=" + "0" * 5_000 + "5-6", (5, 7)),
    ],
)
def test_a_range(text: str, expected: tuple[int, int]) -> None:
    assert resolve_range(text, 100) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "bytes", "bytes=", "bytes=-", "bytes=100-", "bytes=5-4", "bytes=-0"),
        *("bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes=--1", "bytes=1--2"),
        *("bytes=0x1-2", "bytes=¹-2", "bytes=" + "9" * 30 + "-", "bytes=+1-2"),
    ],
)
def test_nonsense_is_not_satisfiable(text: str) -> None:
    with pytest.raises(RangeNotSatisfiableError) as caught:
        resolve_range(text, 100)
    assert caught.value.size_bytes == 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((each, "bytes=a-b") for each in ("bytes=0-1,3-4", "lines=0-1", "bytes=5-4")),
        *((each, "outside the 100 bytes") for each in ("bytes=100-", "bytes=-0")),
    ],
)
def test_a_refused_range_says_what_would_do(text: str, words: str) -> None:
    with pytest.raises(RangeNotSatisfiableError, match=words):
        resolve_range(text, 100)


def test_nothing_can_be_had_of_nothing() -> None:
    for text in ("bytes=0-", "bytes=-1", "bytes=0-0"):
        with pytest.raises(RangeNotSatisfiableError):
            resolve_range(text, 0)


def test_a_range_has_a_largest_size() -> None:
    assert resolve_range("bytes=5-", 1 << 40) == (5, 5 + MAX_RANGE_BYTES)


@given(st.binary(max_size=80), st.lists(st.integers(1, 9), min_size=1))
def test_pieces_decode_as_the_whole(data: bytes, sizes: list[int]) -> None:
    shown, offset = "", 0
    sizes = sizes * 80
    held = b""
    for size in sizes:
        held += data[offset + len(held) : offset + len(held) + size]
        is_last = offset + len(held) >= len(data)
        text, used = decode_piece(held, is_last=is_last)
        shown += text
        offset, held = offset + used, held[used:]
        if is_last:
            break
    assert shown == data.decode("utf-8", "replace")


def test_an_incomplete_character_waits_for_its_rest() -> None:
    assert decode_piece("a€".encode()[:3], is_last=False) == ("a", 1)
    assert decode_piece("a€".encode()[:3], is_last=True) == ("a\ufffd", 3)


class TestReader:
    def test_a_missing_file_is_empty(self, tmp_path) -> None:
        reader = OutputReader(str(tmp_path / "x"), masker=Masker([]), cap_bytes=10)
        assert reader.size == 0
        assert reader.read(0, 5) == b""
        assert list(reader.iter_chunks(0, 5)) == []
        reader.close()
        reader.close()

    def test_reads_in_chunks_up_to_the_cap(self, tmp_path) -> None:
        path = tmp_path / "a1.out"
        path.write_bytes(b"x" * (3 * CHUNK_BYTES))
        cap = 2 * CHUNK_BYTES + 5
        reader = OutputReader(str(path), masker=Masker([]), cap_bytes=cap)
        sizes = [len(chunk) for chunk in reader.iter_chunks(0, reader.size)]
        assert sizes == [CHUNK_BYTES, CHUNK_BYTES, 5]
        reader.close()

    def test_masks_across_the_borders_of_chunks(self, tmp_path) -> None:
        path = tmp_path / "a1.out"
        data = b"-" * (CHUNK_BYTES - 3) + b"secret" + b"-" * 10
        path.write_bytes(data)
        reader = OutputReader(str(path), masker=Masker(["secret"]), cap_bytes=1 << 30)
        whole = b"".join(reader.iter_chunks(0, reader.size))
        assert whole == data.replace(b"secret", b"******")
        reader.close()

    def test_never_follows_a_link(self, tmp_path) -> None:
        target = tmp_path / "target"
        target.write_text("private")
        (tmp_path / "a1.out").symlink_to(target)
        with pytest.raises(OSError, match="symbolic"):
            OutputReader(str(tmp_path / "a1.out"), masker=Masker([]), cap_bytes=10)

    def test_shows_live_only_what_stays(self, tmp_path) -> None:
        path = tmp_path / "a1.out"
        path.write_bytes(b"one sec")
        reader = OutputReader(str(path), masker=Masker(["secret"]), cap_bytes=1 << 30)
        assert reader.read_live(0, 100, is_complete=False) == b"one "
        assert reader.read_live(0, 100, is_complete=True) == b"one sec"
        assert reader.read_live(0, 2, is_complete=False) == b"on"
        assert reader.read_live(4, 100, is_complete=False) == b""
        reader.close()
