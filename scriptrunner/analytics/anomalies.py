"""Values that lie far from the usual ones, on either side, by three methods.

``iqr``: Tukey's fences ("Exploratory Data Analysis", 1977). ``zscore``: distance from the
mean in sample deviations. ``mad``: the modified z-score of Iglewicz and Hoaglin, "How to
Detect and Handle Outliers" (1993), by the median absolute deviation, or by the mean
absolute deviation where that is 0.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from scriptrunner.analytics.summary import (
    MEAN_DEVIATION_FACTOR,
    MEDIAN_DEVIATION_FACTOR,
    deviation,
    mean,
    median,
    quantile,
)


class AnomalyMethod(StrEnum):
    """How far is far."""

    IQR = "iqr"
    ZSCORE = "zscore"
    MAD = "mad"


#: Threshold of each method unless another is asked for.
THRESHOLDS = {
    AnomalyMethod.IQR: 1.5,
    AnomalyMethod.ZSCORE: 3.0,
    AnomalyMethod.MAD: 3.5,
}
#: Formula of each method, for people.
FORMULAS = {
    AnomalyMethod.IQR: "(v - Q3) / IQR above, (Q1 - v) / IQR below",
    AnomalyMethod.ZSCORE: "|v - mean| / s",
    AnomalyMethod.MAD: "0.6745 |v - median| / MAD",
}
#: Values below which quartiles and medians say little.
_FEW = 5
#: Keeps a score a number whatever the values are.
_LEAST_UNIT = 1e-150


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A value that is flagged."""

    #: Place in the series, from 0.
    index: int
    value: float
    score: float
    #: ``high`` or ``low``.
    direction: str


@dataclass(frozen=True, slots=True)
class Anomalies:
    """What was found in a series."""

    #: Values within are fine; None if there are too few to say.
    lower: float | None
    upper: float | None
    found: list[Anomaly] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where the usual values lie, and the unit in which distance is counted."""

    low: float
    high: float
    unit: float


def least_count(method: AnomalyMethod, threshold: float) -> int:
    """Return how many values a method needs.

    In a sample of n no z-score is larger than (n - 1) / sqrt(n) (Shiffler, 1988): with
    fewer values nothing could ever be flagged.
    """
    if method is not AnomalyMethod.ZSCORE:
        return _FEW
    count = 2
    while (count - 1) / math.sqrt(count) <= threshold:
        count += 1
    return count


def find_anomalies(
    values: Sequence[float], method: AnomalyMethod, threshold: float
) -> Anomalies:
    """Return the values whose score is above ``threshold``, in their order.

    Args:
        values: One per run, oldest first; enough of them (``least_count``).
        method: Decides what a score is.
        threshold: Above which a value is flagged.
    """
    scale = _SCALES[method](values)
    unit = max(scale.unit, _LEAST_UNIT)
    if all(value == values[0] for value in values):
        return Anomalies(values[0], values[0])
    reach = threshold * unit
    found = []
    for index, value in enumerate(values):
        score = max(value - scale.high, scale.low - value) / unit
        if score > threshold:
            direction = "high" if value > scale.high else "low"
            found.append(Anomaly(index, value, score, direction))
    return Anomalies(scale.low - reach, scale.high + reach, found)


def _by_quartiles(values: Sequence[float]) -> _Scale:
    ordered = sorted(values)
    low, high = quantile(ordered, 0.25), quantile(ordered, 0.75)
    least = max(0.001 * abs(quantile(ordered, 0.5)), 1e-9)
    return _Scale(low, high, (high - low) or least)


def _by_deviation(values: Sequence[float]) -> _Scale:
    middle = mean(values)
    return _Scale(middle, middle, deviation(values) or 1.0)


def _by_median_deviation(values: Sequence[float]) -> _Scale:
    middle = median(values)
    distances = [abs(value - middle) for value in values]
    unit = median(distances) / MEDIAN_DEVIATION_FACTOR
    return _Scale(
        middle, middle, unit or MEAN_DEVIATION_FACTOR * mean(distances) or 1.0
    )


_SCALES = {
    AnomalyMethod.IQR: _by_quartiles,
    AnomalyMethod.ZSCORE: _by_deviation,
    AnomalyMethod.MAD: _by_median_deviation,
}
