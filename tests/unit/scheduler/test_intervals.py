"""Schedule strings: what each means, what is refused, and the grid of their fires."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from scriptrunner.scheduler.intervals import (
    IntervalTrigger,
    InvalidScheduleError,
    parse_interval,
)
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.triggers import due_time, find_trigger

CREATED = datetime(2026, 11, 23, 10, 30, 0, 250_000, tzinfo=UTC)


def times_of(schedule: str, count: int = 3, **fields) -> list[str]:
    definition = TaskDefinition(
        task_id="t", script_path="s.py", schedule=schedule, **fields
    )
    trigger = find_trigger(definition, created_at=CREATED)
    assert trigger is not None
    found = islice(trigger.iter_after(CREATED), count)
    return [each.isoformat()[:19] for each in found]


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("hourly", 1, "hour"),
        ("Daily", 1, "day"),
        ("WEEKLY", 1, "week"),
        ("monthly", 1, "month"),
        ("every 5 minutes", 5, "minute"),
        ("every_5min", 5, "minute"),
        ("every-5-min", 5, "minute"),
        ("every_30sec", 30, "second"),
        ("every_2hours", 2, "hour"),
        ("every_1hour", 1, "hour"),
        ("every_5_min", 5, "minute"),
        ("every_min", 1, "minute"),
        ("every_30", 30, "second"),
        ("  every   3   hrs ", 3, "hour"),
        ("every 1 week", 1, "week"),
        ("every 366d", 366, "day"),
        ("every 45 s", 45, "second"),
        ("every 2 m", 2, "minute"),
        ("every 31622400 seconds", 31_622_400, "second"),
    ],
)
def test_what_a_schedule_means(text, count, unit):
    found = parse_interval(text)
    assert (found.count, found.unit) == (count, unit)


@pytest.mark.parametrize(
    "text",
    [
        "every 0 minutes",
        "every -1 minutes",
        "every 1.5 minutes",
        "every",
        "every_",
        "yearly",
        "every 367 days",
        "every 9999999999 days",
        "every 5 fortnights",
        "daily at 24:00",
        "daily at 12:60",
        "weekly on funday at 10:00",
        "every 5 minutes; rm -rf /",
        "every ⅷ minutes",
        "",
        "x" * 10_000,
    ],
)
def test_anything_else_is_refused_with_the_accepted_forms(text):
    with pytest.raises(InvalidScheduleError, match=r"step must be|use hourly, daily"):
        parse_interval(text)


def test_steps_of_real_time_lie_on_a_grid_from_the_creation():
    # 10:30:00.25 + n * 20 min
    assert times_of("every 20 minutes") == [
        "2026-11-23T10:50:00",
        "2026-11-23T11:10:00",
        "2026-11-23T11:30:00",
    ]


def test_the_first_fire_is_a_start_that_lies_ahead():
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert times_of("hourly", 2, start_at=start) == [
        "2026-11-23T12:00:00",
        "2026-11-23T13:00:00",
    ]


def test_a_start_in_the_past_is_the_anchor_of_the_grid():
    start = datetime(2026, 11, 1, 0, 7, tzinfo=UTC)
    assert times_of("every 2 hours", 2, start_at=start) == [
        "2026-11-23T12:07:00",
        "2026-11-23T14:07:00",
    ]


def test_no_fire_lies_beyond_the_end():
    end = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert times_of("every 30 min", 9, end_at=end) == [
        "2026-11-23T11:00:00",
        "2026-11-23T11:30:00",
    ]


def test_days_keep_the_time_on_the_wall():
    # 14:30 in Berlin is 12:30Z in summer and 13:30Z in winter.
    zone = ZoneInfo("Europe/Berlin")
    trigger = IntervalTrigger(parse_interval("daily at 14:30"), CREATED, False, zone)
    before = datetime(2026, 10, 24, tzinfo=UTC)
    fires = [trigger.next_after(before + timedelta(days=n)) for n in (0, 30, 60)]
    assert [f"{each:%m-%d %H:%M}" for each in fires][1:] == [
        "11-23 13:30",
        "12-23 13:30",
    ]


def test_a_month_without_the_day_fires_on_its_last():
    start = datetime(2026, 12, 31, 9, tzinfo=UTC)
    assert times_of("monthly", 4, start_at=start) == [
        "2026-12-31T09:00:00",
        "2027-01-31T09:00:00",
        "2027-02-28T09:00:00",
        "2027-03-31T09:00:00",
    ]


def test_a_weekday_at_a_time():
    assert times_of("weekly on monday at 08:00", 2, timezone="Europe/Berlin") == [
        "2026-11-30T07:00:00",
        "2026-12-07T07:00:00",
    ]


def test_the_jitter_is_the_same_whoever_computes_it():
    definition = TaskDefinition(
        task_id="t", script_path="s.py", delay_seconds=10, jitter_seconds=60
    )
    fire = datetime(2026, 11, 23, 12, tzinfo=UTC)
    due = due_time(definition, fire)
    assert due == due_time(definition, fire)
    assert timedelta(seconds=10) <= due - fire <= timedelta(seconds=70)
    assert due - fire != due_time(definition, fire + timedelta(hours=1)) - (
        fire + timedelta(hours=1)
    )
