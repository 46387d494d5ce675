"""A series for a chart: at most a thousand points, with the fitted line and its band."""

import math
from collections.abc import Sequence
from typing import Any

from scriptrunner.analytics.least_squares import fit_line
from scriptrunner.analytics.series import point_to_json
from scriptrunner.analytics.summary import mean, median
from scriptrunner.analytics.trend import days_since_first, find_direction
from scriptrunner.history.models import Point

#: Points that a chart gets at most.
MAX_POINTS = 1_000


def thin_out(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return at most a thousand points; each stands for as many neighbours.

    Those that stand for several are their median, with ``count``, ``min`` and ``max``;
    run and time are those of the middle one.
    """
    if len(points) <= MAX_POINTS:
        return [point_to_json(point) for point in points]
    size = math.ceil(len(points) / MAX_POINTS)
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


def describe_fit(points: Sequence[Point]) -> dict[str, Any] | None:
    """Return the line over time, with its 95 % band, at the points that are shown.

    None for fewer than two points, or if all began at the same time.
    """
    values = [point.value for point in points]
    days = days_since_first([point.at for point in points]) if points else []
    line = fit_line(days, values)
    by_run = fit_line([float(place) for place in range(len(values))], values)
    if line is None or by_run is None:
        return None
    size = math.ceil(len(points) / MAX_POINTS)
    shown = [
        days[begin + len(days[begin : begin + size]) // 2] if size > 1 else days[begin]
        for begin in range(0, len(days), size)
    ]
    band = line.band(shown)
    return {
        "direction": find_direction(by_run, mean(values)),
        "slope": by_run.slope,
        "slope_per_day": line.slope,
        "r_squared": by_run.r_squared,
        "p_value": by_run.p_value,
        "values": [line.at(day) for day in shown],
        "low": None if band is None else [low for low, _ in band],
        "high": None if band is None else [high for _, high in band],
    }
