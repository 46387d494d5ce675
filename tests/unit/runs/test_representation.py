"""Times, cut texts and brief requests as JSON."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.clock import from_microseconds, to_text
from scriptrunner.engine.plan import RunOptions
from scriptrunner.runs.representation import brief_request, shorten, time_to_json


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (datetime(2026, 11, 23, 10, tzinfo=UTC), "2026-11-23T10:00:00.000000Z"),
        (
            datetime(2026, 11, 23, 10, 0, 27, 929939, tzinfo=UTC),
            "2026-11-23T10:00:27.929939Z",
        ),
        (
            datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=-9))),
            "2026-11-23T10:00:00.000000Z",
        ),
    ],
)
def test_times_have_six_digits_and_a_z(moment: datetime | None, text: str) -> None:
    assert time_to_json(moment) == text


@given(st.integers(0, 4 * 10**15).map(from_microseconds))
def test_times_are_written_in_one_way(moment: datetime) -> None:
    assert time_to_json(moment) == to_text(moment)


@given(st.text(), st.integers(8, 200))
def test_a_shortened_text_fits(text: str, limit: int) -> None:
    short = shorten(text, limit)
    size = len(json.dumps(short, ensure_ascii=False).encode("utf-8", "replace"))
    assert size <= limit
    if short != text:
        assert short.endswith("…")
        assert text.startswith(short[:-1])


def brief(**options):
    return brief_request("x.py", RunOptions(**options).to_json())


def test_a_brief_request_holds_the_first_arguments() -> None:
    assert brief(args=("a", "", "b"))["args"] == ["a", "", "b"]
    args = brief(args=("x" * 3_000, "y" * 3_000, "z"))["args"]
    assert args[0] == "x" * 3_000
    assert args[1].startswith("yyy")
    assert args[1].endswith("…")
    assert len(args) == 2


@given(st.lists(st.text(max_size=9_000), max_size=12).map(tuple))
def test_brief_arguments_take_four_kibibytes(args: tuple[str, ...]) -> None:
    shown = json.dumps(brief(args=args)["args"], ensure_ascii=False)
    assert len(shown.encode("utf-8", "replace")) <= 4_096 + 2 * len(args) + 16
