"""Masked output: every byte of every secret, whatever is read from where."""

from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine.hiding import MIN_SECRET_BYTES
from scriptrunner.runs.masking import Masker

texts = st.text(alphabet="ab", max_size=60)
secrets = st.lists(st.text(alphabet="ab", min_size=5, max_size=9), max_size=4)


def reader(data: bytes):
    return lambda size, offset: data[offset : offset + size]


def mask_naively(data: bytes, values: list[str]) -> bytes:
    """Each byte that any occurrence of any secret covers, found the slow way."""
    covered = [False] * len(data)
    for value in values:
        secret = value.encode()
        if len(secret) < MIN_SECRET_BYTES:
            continue
        for start in range(len(data) - len(secret) + 1):
            if data[start : start + len(secret)] == secret:
                covered[start : start + len(secret)] = [True] * len(secret)
    return bytes(
        ord("*") if hidden else byte for byte, hidden in zip(data, covered, strict=True)
    )


def test_a_secret_is_replaced_byte_for_byte() -> None:
    assert Masker(["swordfish"]).mask(b"a swordfish b") == b"a ********* b"


def test_short_values_are_left_alone() -> None:
    masker = Masker(["12345", ""])
    assert not masker
    assert masker.mask(b"12345") == b"12345"


def test_the_longest_wins_where_one_holds_another() -> None:
    masker = Masker(["secret", "secret-and-more"])
    assert masker.mask(b"secret-and-more secret") == b"*" * 15 + b" " + b"*" * 6


def test_overlapping_secrets_are_both_covered() -> None:
    assert Masker(["abcdef", "defghi"]).mask(b"abcdefghi") == b"*" * 9


def test_a_secret_that_repeats_itself_is_covered_whole() -> None:
    assert Masker(["aaaaaa"]).mask(b"a" * 8) == b"*" * 8


def test_text_is_masked_with_its_bytes() -> None:
    data = "x pässwort y".encode()
    assert Masker(["pässwort"]).mask(data) == b"x ********* y"


@given(texts, secrets)
def test_as_the_slow_way(text: str, values: list[str]) -> None:
    data = text.encode()
    assert Masker(values).mask(data) == mask_naively(data, values)


@given(texts, secrets, st.integers(0, 60), st.integers(0, 60))
def test_a_piece_is_the_piece_of_the_whole(
    text: str, values: list[str], start: int, end: int
) -> None:
    data = text.encode()
    masker = Masker(values)
    start, end = sorted((start, min(end, len(data))))
    piece = masker.read(reader(data), start, end)
    assert piece == masker.mask(data)[start:end]


@given(texts, texts, secrets)
def test_what_is_shown_early_is_never_shown_differently(
    before: str, after: str, values: list[str]
) -> None:
    masker = Masker(values)
    data = before.encode()
    shown = len(data) - masker.count_open(data)
    early = masker.mask(data)[:shown]
    assert masker.mask(data + after.encode())[:shown] == early


def test_only_a_real_beginning_is_held_back() -> None:
    masker = Masker(["abcdef"])
    assert masker.count_open(b"xx abc") == 3
    assert masker.count_open(b"xx abx") == 0
    assert masker.count_open(b"abcdef") == 0
    assert masker.count_open(b"") == 0
