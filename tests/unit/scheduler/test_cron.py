"""Cron expressions: every kind of field, refusals that name the field, clock changes."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from scriptrunner.scheduler.cron import InvalidCronError, parse_cron
from scriptrunner.scheduler.triggers import CronTimes, TimeTrigger
from tests.seeds import draw_seed
from tests.unit.scheduler.walker import make_cases, walk

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Pacific/Chatham",
]
DAY_MINUTES = 24 * 60


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def next_of(expression: str, zone: str, since: str, count: int = 3) -> list[str]:
    times = CronTimes(parse_cron(expression), ZoneInfo(zone))
    found = islice(TimeTrigger(times).iter_after(at(since)), count)
    return [f"{each:%Y-%m-%dT%H:%M}" for each in found]


def check_against_walker(seed: int, count: int, days: int = 2) -> None:
    for zone, expression, since in make_cases(seed, count, ZONES):
        cron, end = parse_cron(expression), since + timedelta(days=days)
        found, moment = [], since - timedelta(microseconds=1)
        while True:
            following = cron.next_after(moment, ZoneInfo(zone))
            if following is None or following >= end:
                break
            found.append(following)
            moment = following
        wanted = walk(expression, ZoneInfo(zone), since, days * DAY_MINUTES)
        assert found == wanted, f"seed {seed}: {expression!r} in {zone} from {since}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, draw_seed("minute walker")])
def test_fires_are_those_of_the_minute_walker(seed):
    check_against_walker(seed, 108)


def test_a_skipped_time_fires_right_after_the_gap():
    # Berlin: 02:00 to 03:00 of 2026-03-29 does not exist; 03:00 is 01:00Z.
    assert next_of("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00") == [
        "2026-03-28T01:30",
        "2026-03-29T01:00",
        "2026-03-30T00:30",
    ]


def test_a_repeated_time_fires_the_first_time():
    # 02:00 to 03:00 of 2026-10-25 comes twice: 00:30Z and 01:30Z are both 02:30.
    assert next_of("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2) == [
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]


def test_steps_follow_real_time_at_a_clock_change():
    assert next_of("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == [
        "2026-03-30T00:00",
        "2026-03-30T00:30",
    ]
    assert next_of("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 4) == [
        "2026-10-25T00:00",
        "2026-10-25T00:30",
        "2026-10-25T01:00",
        "2026-10-25T01:30",
    ]


def test_a_repeated_hour_far_ahead_has_all_its_steps():
    # Asked for a year before: the clock changes twice until then, and is back where it
    # was; 01:00 to 02:00 of 2027-11-07 comes at 05:00Z and again at 06:00Z.
    assert next_of("*/30 1 7 11 *", "America/New_York", "2026-11-24T00:00", 5) == [
        "2027-11-07T05:00",
        "2027-11-07T05:30",
        "2027-11-07T06:00",
        "2027-11-07T06:30",
        "2028-11-07T06:00",
    ]


def test_half_an_hour_at_lord_howe():
    # From 02:00 to 02:30 on 2026-10-04; 02:30 there is 15:30Z of the day before.
    assert next_of("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00", 1) == [
        "2026-10-03T15:30"
    ]
    # Every hour by the minute 0: 02:00 is skipped, so it is 90 minutes until 03:00.
    assert next_of("0 * * * *", "Australia/Lord_Howe", "2026-10-03T14:00", 2) == [
        "2026-10-03T14:30",
        "2026-10-03T16:00",
    ]


def test_two_hours_at_troll():
    # 01:00Z: from +00:00 to +02:00, so 01:00 to 03:00 does not exist.
    assert next_of("30 1,2 * * *", "Antarctica/Troll", "2026-03-28T12:00", 2) == [
        "2026-03-29T01:00",
        "2026-03-29T23:30",
    ]


def test_the_clock_goes_back_for_ramadan_at_casablanca():
    # 2026-02-15: 03:00 (+01:00) becomes 02:00 (+00:00): 02:30 is 01:30Z, then 02:30Z.
    assert next_of("30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00", 2) == [
        "2026-02-15T01:30",
        "2026-02-16T02:30",
    ]


def test_a_moment_in_the_repeated_hour_does_not_fire_again():
    # 01:10Z is 02:10 for the second time: 02:30 has been.
    assert next_of("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10", 1) == [
        "2026-10-26T01:30"
    ]


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("@daily", "2026-11-24T00:00"),
        ("@weekly", "2026-11-29T00:00"),
        ("@yearly", "2027-01-01T00:00"),
        ("@Hourly", "2026-11-23T11:00"),
        ("0 0 * JAN MON", "2027-01-04T00:00"),
        ("0 12 * * 7", "2026-11-29T12:00"),
        ("0 0 13 * 5", "2026-11-27T00:00"),
        ("0 0 L * *", "2026-11-30T00:00"),
        ("0 0 LW * *", "2026-11-30T00:00"),
        ("0 0 * * MON#2", "2026-12-14T00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("10-10/5 4-4/3 * * *", "2026-11-24T04:10"),
    ],
)
def test_what_an_expression_means(expression, first):
    assert next_of(expression, "UTC", "2026-11-23T10:30", 1) == [first]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("61 * * * *", "The field minute ('61')"),
        ("* 25 * * *", "The field hour"),
        ("* * 0 * *", "The field day-of-month"),
        ("* * * FOO *", "The field month"),
        ("* * * * 8", "The field day-of-week"),
        ("*/0 * * * *", "The field minute"),
        ("5-1 * * * *", "The field minute"),
        ("1,,2 * * * *", "The field minute"),
        ("* * * *", "five fields"),
        ("0 * * * * *", "five fields"),
        ("", "five fields"),
        ("@reboot", "@reboot is no time"),
        ("@often", "is not known"),
        ("0 0 31 2 *", "never occurs"),
        ("0 0 30,31 2 *", "never occurs"),
        ("* " * 5000, "at most 200 characters"),
        ("٣ * * * *", "The field minute"),
    ],
)
def test_a_wrong_expression_is_refused_by_name(expression, named):
    with pytest.raises(InvalidCronError, match=re.escape(named)):
        parse_cron(expression)


def test_the_end_of_the_calendar_is_no_error():
    cron = parse_cron("0 0 1 1 *")
    assert cron.next_after(datetime(9999, 6, 1, tzinfo=UTC), ZoneInfo("UTC")) is None
