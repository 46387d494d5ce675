"""Times in queries: any offset, a date, or none at all."""

from datetime import UTC, datetime

import pytest

from scriptrunner.web.times import parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T10:00:27.929939Z", datetime(2026, 11, 23, 10, 0, 27, 929939, UTC)),
        ("2026-11-23T10:00:27z", datetime(2026, 11, 23, 10, 0, 27, tzinfo=UTC)),
        ("2026-11-23T10:00:27+02:00", datetime(2026, 11, 23, 8, 0, 27, tzinfo=UTC)),
        ("2026-11-23T10:00:27 02:00", datetime(2026, 11, 23, 8, 0, 27, tzinfo=UTC)),
        ("2026-11-23T10:00:27-0330", datetime(2026, 11, 23, 13, 30, 27, tzinfo=UTC)),
        ("2026-11-23T10:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23 10:00:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
    ],
)
def test_a_time_becomes_utc(text, expected):
    assert parse_time(text) == expected


def test_a_date_as_an_upper_bound_is_its_whole_day():
    assert parse_time("2026-11-30", is_upper_bound=True) == datetime(
        2026, 12, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026", "2026-13-01", "2026-02-30", "2026-11-23T25:00", "10:00",
     "2026-11-23T10:00:00+99:00", "1763892000", "2026-W48-1", "0001-01-01T00:00+14:00"],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises((ValueError, OverflowError)):
        parse_time(text)


def test_the_last_day_of_the_calendar_has_no_end():
    with pytest.raises((ValueError, OverflowError)):
        parse_time("9999-12-31", is_upper_bound=True)
