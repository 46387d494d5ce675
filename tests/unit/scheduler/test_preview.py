"""What a schedule would do, and what clock changes do to it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.preview import preview

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def look(**fields: Any):
    definition = TaskDefinition(task_id="t", script_path="s.py", **fields)
    return preview(definition, now=NOW)


def test_ten_next_times_with_the_zone():
    found = look(cron_expr="30 2 * * *", timezone="Europe/Berlin")
    assert found.description == "At 02:30 every day (Europe/Berlin)"
    assert len(found.next_runs) == 10
    assert found.local[0] == "2026-11-24T02:30:00+01:00"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"cron_expr": "30 2 * * *"},
            [
                (
                    "On 2027-03-28 the clock skips 02:00 to 03:00: the fire of 02:30 comes "
                    "at 03:00"
                ),
                (
                    "On 2027-10-31 the time 02:00 to 03:00 comes twice: 02:30 fires the "
                    "first time only"
                ),
            ],
        ),
        (
            {"cron_expr": "*/15 2 * * *"},
            [
                (
                    "On 2027-03-28 the clock skips 02:00 to 03:00: 02:00, 02:15, 02:30 and "
                    "1 more does not fire"
                ),
                (
                    "On 2027-10-31 the time 02:00 to 03:00 comes twice: 02:00, 02:15, 02:30 "
                    "and 1 more fires twice"
                ),
            ],
        ),
        ({"schedule": "daily at 12:00"}, []),
        ({"schedule": "every 5 minutes"}, []),
        ({"cron_expr": "*/5 * * * *"}, []),
        ({"cron_expr": "0 12 * * *"}, []),
        (
            {"schedule": "daily at 02:30"},
            [
                (
                    "On 2027-03-28 the clock skips 02:00 to 03:00: the fire of 02:30 comes "
                    "at 03:00"
                ),
                (
                    "On 2027-10-31 the time 02:00 to 03:00 comes twice: 02:30 fires the "
                    "first time only"
                ),
            ],
        ),
    ],
)
def test_clock_changes_that_meet_a_fire_are_told(fields, words):
    assert list(look(timezone="Europe/Berlin", **fields).warnings) == words


def test_a_zone_of_half_hours_is_told_although_every_hour_is_meant():
    found = look(cron_expr="15 * * * *", timezone="Australia/Lord_Howe")
    assert len(found.warnings) == 1  # 02:15 in spring; 01:30 to 02:00 comes twice
    assert look(cron_expr="15 * * * *", timezone="Europe/Berlin").warnings == ()


@pytest.mark.parametrize(
    ("fields", "begin"),
    [
        ({"cron_expr": "0 0 29 2 *"}, "It fires rarely: the next time is 2028-02-29"),
        ({"run_at": datetime(2026, 1, 1, tzinfo=UTC)}, "It never fires"),
        (
            {"schedule": "daily", "end_at": datetime(2026, 11, 23, 11, tzinfo=UTC)},
            "It never fires",
        ),
    ],
)
def test_what_fires_rarely_or_never_is_told(fields, begin):
    assert look(**fields).warnings[0].startswith(begin)


def test_no_times_at_all():
    assert look(events=("deploy",)).next_runs == ()
