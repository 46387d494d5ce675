"""How many of a task's last runs in a row went the same way."""

import pytest

from scriptrunner.scheduler.streaks import COUNTED, RecentRuns

OK, BAD, LATE, SHOT = "success", "failed", "timeout", "killed"


@pytest.mark.parametrize(
    ("newest_first", "streak"),
    [
        ([], None),
        ([OK], ("success", 1, False)),
        ([OK, OK, BAD, OK], ("success", 2, False)),
        ([BAD, OK, OK], ("failed", 1, False)),
        # However it failed, it failed.
        ([LATE, SHOT, BAD, OK], ("failed", 3, False)),
        ([OK] * COUNTED, ("success", COUNTED, False)),
        ([OK] * (COUNTED + 1), ("success", COUNTED, True)),
        ([BAD] * (COUNTED - 1) + [OK] * 2, ("failed", COUNTED - 1, False)),
    ],
)
def test_a_streak_ends_where_it_went_otherwise(newest_first, streak) -> None:
    found = RecentRuns.from_newest(newest_first).streak_to_json()
    assert (found and tuple(found.values())) == streak


def test_no_more_runs_are_shown_than_are_counted() -> None:
    assert len(RecentRuns.from_newest([OK] * 99).statuses) == COUNTED
