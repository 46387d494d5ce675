"""Where a metric is heading: a line through the runs, and the last runs against before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scriptrunner.analytics.least_squares import Line, fit_line
from scriptrunner.analytics.summary import (
    exact_percent_of,
    mean,
    percent_change,
    percent_of,
)
from scriptrunner.analytics.theil_sen import fit_robust_line

#: p-value below which a slope is taken for one.
SIGNIFICANCE = 0.05
#: Change over the whole series, in parts of the mean, that is worth a word.
MIN_CHANGE_RATIO = 0.01
#: Runs that are compared with all before them.
RECENT = 5
#: Runs that such a comparison needs.
MIN_FOR_REGRESSION = 10
#: Of the threshold, beyond which a regression is a severe one.
SEVERE = 1.5
SECONDS_PER_DAY = 86_400.0


def describe_trend(
    values: Sequence[float], times: Sequence[datetime]
) -> dict[str, Any]:
    """Return the line over the runs and over time, by the names of the API.

    Args:
        values: At least two, oldest first.
        times: When each run began.
    """
    places = [float(place) for place in range(len(values))]
    by_run = fit_line(places, values)
    by_day = fit_line(days_since_first(times), values)
    if by_run is None:
        raise ValueError("a trend needs two values")
    middle = mean(values)
    direction = find_direction(by_run, middle)
    percent = percent_of(by_run.slope, middle)
    robust = fit_robust_line(places, values)
    return {
        "trend": direction,
        "direction": direction,
        "slope": by_run.slope,
        "intercept": by_run.intercept,
        "r_squared": by_run.r_squared,
        "p_value": by_run.p_value,
        "slope_pct_per_run": percent,
        "slope_interval": _listed(by_run.slope_interval()),
        "slope_per_day": None if by_day is None else by_day.slope,
        "r_squared_per_day": None if by_day is None else by_day.r_squared,
        "p_value_per_day": None if by_day is None else by_day.p_value,
        "slope_interval_per_day": (
            None if by_day is None else _listed(by_day.slope_interval())
        ),
        "confidence": 0.95,
        "robust_slope": None if robust is None else robust.slope,
        "robust_intercept": None if robust is None else robust.intercept,
        "robust_interval": None if robust is None else [robust.low, robust.high],
    }


def days_since_first(times: Sequence[datetime]) -> list[float]:
    """Return the days from the first time to each."""
    return [(at - times[0]).total_seconds() / SECONDS_PER_DAY for at in times]


def find_direction(line: Line, middle: float) -> str:
    """Return ``increasing``, ``decreasing``, or ``stable``.

    Not stable: at least three runs, p < 0.05, and over the whole series a change of at
    least 1 % of the mean.
    """
    change = abs(line.slope) * (line.count - 1)
    is_slope = (
        line.p_value is not None
        and line.p_value < SIGNIFICANCE
        and change >= MIN_CHANGE_RATIO * abs(middle)
    )
    if not is_slope or line.slope == 0.0:
        return "stable"
    return "increasing" if line.slope > 0 else "decreasing"


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)


def detect_regression(
    values: Sequence[float], *, threshold: float = 10.0, more_is_better: bool = False
) -> dict[str, Any]:
    """Return whether the last five runs are worse than all before them.

    Args:
        values: Oldest first.
        threshold: Percent by which the mean may get worse.
        more_is_better: Whether a fall is what is worse.
    """
    if len(values) < MIN_FOR_REGRESSION:
        return {
            "regression_detected": False,
            "reason": "insufficient_data",
            "data_points": len(values),
            "needed": MIN_FOR_REGRESSION,
        }
    before, recent = mean(values[:-RECENT]), mean(values[-RECENT:])
    percent = percent_change(before, recent)
    rise = before - recent if more_is_better else recent - before
    worse_percent = exact_percent_of(rise, before)
    if worse_percent is None:
        is_worse, is_severe = rise > 0, rise > 0
    else:
        is_worse = worse_percent > threshold
        is_severe = worse_percent > SEVERE * threshold
    return {
        "regression_detected": is_worse,
        "baseline_mean": before,
        "recent_mean": recent,
        "percent_change": percent,
        "threshold_pct": threshold,
        "baseline_size": len(values) - RECENT,
        "recent_size": RECENT,
        "severity": "high" if is_severe else "medium" if is_worse else "none",
    }
