"""Parts of answers about one metric, by the names of the API."""

from collections.abc import Sequence
from typing import Any

from scriptrunner.analytics.anomalies import (
    FORMULAS,
    THRESHOLDS,
    AnomalyMethod,
    find_anomalies,
    least_count,
)
from scriptrunner.analytics.models import Question, find_metric
from scriptrunner.analytics.series import point_to_json
from scriptrunner.analytics.trend import describe_trend, detect_regression
from scriptrunner.history.models import Point

NOT_ENOUGH = "Not enough data points"


def echo(metric: str, question: Question) -> dict[str, Any]:
    """Return what was asked for, the metric by its own name."""
    return {
        "metric": find_metric(metric) or metric,
        "script_path": question.script_path,
        "days": question.days,
    }


def head_for(points: Sequence[Point], metric: str, threshold: float) -> dict[str, Any]:
    """Return trend and regression of at least two values.

    Args:
        points: Oldest first.
        metric: Its own name.
        threshold: Percent by which the newest runs may get worse.
    """
    values = [point.value for point in points]
    return {
        "trend": describe_trend(values, [point.at for point in points]),
        "regression": detect_regression(
            values, threshold=threshold, more_is_better=metric == "success"
        ),
    }


def flag(
    points: Sequence[Point], method: AnomalyMethod, threshold: float | None
) -> dict[str, Any]:
    """Return the anomalies of a series by the names of the API."""
    limit = THRESHOLDS[method] if threshold is None else threshold
    values = [point.value for point in points]
    needed = least_count(method, limit)
    answer: dict[str, Any] = {
        "method": method.value,
        "formula": FORMULAS[method],
        "threshold": limit,
        "value_count": len(values),
        "bounds": {"lower": None, "upper": None},
        "count": 0,
        "percentage": 0.0,
        "anomalies": [],
    }
    if len(values) < needed:
        return {**answer, "message": NOT_ENOUGH, "needed": needed}
    found = find_anomalies(values, method, limit)
    bounds = {"lower": found.lower, "upper": found.upper}
    return {
        **answer,
        "bounds": bounds,
        "count": len(found.found),
        "percentage": round(100 * len(found.found) / len(values), 2),
        "anomalies": [
            {
                "index": each.index,
                **point_to_json(points[each.index]),
                "score": each.score,
                **bounds,
                "direction": each.direction,
                "type": "outlier",
            }
            for each in found.found
        ],
    }
