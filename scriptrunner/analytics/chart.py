"""A series for a chart: at most a thousand points, with the fitted line and its band."""

import math
from collections.abc import Sequence
from typing import Any

from scriptrunner.analytics.least_squares import fit_line
from scriptrunner.analytics.series import point_to_json
from scriptrunner.analytics.summary import median
from scriptrunner.analytics.trend import days_since_first
from scriptrunner.history.models import Point

#: Points that a chart gets at most.
MAX_POINTS = 1_000


def group_size(count: int) -> int:
    """Return for how many neighbours a shown point stands."""
    return max(1, math.ceil(count / MAX_POINTS))


def thin_out(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return at most a thousand points; each stands for as many neighbours.

    Those that stand for several are their median, with ``count``, ``min`` and ``max``;
    run and time are those of the middle one.
    """
    size = group_size(len(points))
    if size == 1:
        return [point_to_json(point) for point in points]
    thinned = []
    for begin in range(0, len(points), size):
        group = points[begin : begin + size]
        values = [point.value for point in group]
        thinned.append(
            {
                **point_to_json(group[len(group) // 2]),
                "value": median(values),
                "count": len(group),
                "min": min(values),
                "max": max(values),
            }
        )
    return thinned


def describe_fit(points: Sequence[Point]) -> dict[str, Any]:
    """Return the line over time and its 95 % band, a number per shown point.

    Both are None for fewer than two points, or if all began at the same time; the band
    also for two.
    """
    values = [point.value for point in points]
    days = days_since_first([point.at for point in points]) if points else []
    line = fit_line(days, values)
    if line is None:
        return {"fit": None, "fit_band": None}
    size = group_size(len(points))
    shown = [
        days[begin + len(days[begin : begin + size]) // 2]
        for begin in range(0, len(days), size)
    ]
    band = line.band(shown)
    return {
        "fit": [line.at(day) for day in shown],
        "fit_band": None
        if band is None
        else {"low": [low for low, _ in band], "high": [high for _, high in band]},
    }


def place_in_chart(
    described: Sequence[dict[str, Any]], names: Sequence[str], count: int
) -> list[dict[str, Any]]:
    """Return objects whose indexes are those of the shown points.

    Args:
        described: Objects with indexes into the whole series.
        names: Of these indexes.
        count: Values of the whole series.
    """
    size = group_size(count)
    return [
        {**each, **{name: each[name] // size for name in names}} for each in described
    ]
