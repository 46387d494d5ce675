"""How far ahead runs are claimed, by the durations of those before."""

import pytest

from scriptrunner.supervisor.pace import AHEAD_SECONDS, MAX_AHEAD, WINDOW, Pace


def make_pace(duration_seconds: float, *, slots: int = 2, count: int = WINDOW) -> Pace:
    pace = Pace(slots)
    for _ in range(count):
        pace.note(duration_seconds)
    return pace


def test_nothing_is_claimed_ahead_before_enough_is_known():
    assert make_pace(0.001, count=WINDOW - 1).ahead == 0


@pytest.mark.parametrize(
    ("duration_seconds", "expected"),
    [
        (AHEAD_SECONDS / 2, 4),  # two slots, each two runs in the time: 2 * 2
        (AHEAD_SECONDS, 2),
        (AHEAD_SECONDS * 2.5, 0),  # not even one more would start in the time
        (3600.0, 0),
        (0.0, MAX_AHEAD),
    ],
)
def test_as_much_is_claimed_ahead_as_starts_soon(
    duration_seconds: float, expected: int
):
    assert make_pace(duration_seconds).ahead == expected


def test_one_long_script_ends_the_hurry():
    pace = make_pace(0.01)
    assert pace.ahead > 0
    pace.note(60.0)
    assert pace.ahead == 0


def test_nothing_is_claimed_ahead_after_a_claim_was_put_back():
    """It was claimed and put back twice a second behind scripts that take long."""
    pace = Pace(slots=2)
    for _ in range(WINDOW):
        pace.note(0.01)
    assert pace.ahead > 0
    pace.forget()
    pace.note(0.01)
    assert pace.ahead == 0
