"""Directions and regressions at the edges of their rules."""

from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.analytics.trend import describe_trend, detect_regression

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def direction_of(values):
    times = [BEGIN + timedelta(hours=n) for n in range(len(values))]
    return describe_trend(values, times)["direction"]


@pytest.mark.parametrize(
    ("values", "direction"),
    [
        ([1.0, 2.0, 3.0], "increasing"),
        ([3.0, 2.0, 1.0], "decreasing"),
        ([1.0, 2.0], "stable"),  # two say nothing
        ([5.0] * 20, "stable"),
        # Perfect, but 0.5 % over the whole series.
        ([100.0 + n / 40 for n in range(21)], "stable"),
        ([100.0 + n / 10 for n in range(21)], "increasing"),
        # Up and down.
        ([1.0, 9.0] * 10, "stable"),
    ],
)
def test_directions(values, direction):
    assert direction_of(values) == direction


def test_all_at_once_has_no_slope_per_day():
    trend = describe_trend([1.0, 2.0, 4.0], [BEGIN] * 3)
    assert trend["slope_per_day"] is None
    assert trend["p_value_per_day"] is None
    assert trend["slope"] == pytest.approx(1.5)


def test_too_few_for_a_regression():
    assert detect_regression([1.0] * 9) == {
        "regression_detected": False,
        "reason": "insufficient_data",
        "data_points": 9,
        "needed": 10,
    }


@pytest.mark.parametrize(
    ("before", "recent", "more_is_better", "severity"),
    [
        (100.0, 110.0, False, "none"),  # exactly the threshold
        (100.0, 110.1, False, "medium"),
        (100.0, 115.0, False, "medium"),  # exactly one and a half times
        (100.0, 115.1, False, "high"),
        (100.0, 50.0, False, "none"),
        (1.0, 0.8, True, "high"),
        (0.8, 1.0, True, "none"),
        (0.0, 0.0, False, "none"),
        (0.0, 1.0, False, "high"),
        (0.0, -1.0, False, "none"),
        (-100.0, -80.0, False, "high"),
    ],
)
def test_severity(before, recent, more_is_better, severity):
    values = [before] * 10 + [recent] * 5
    found = detect_regression(values, threshold=10.0, more_is_better=more_is_better)
    assert found["severity"] == severity
    assert found["regression_detected"] is (severity != "none")
    assert (found["percent_change"] is None) is (before == 0.0)
