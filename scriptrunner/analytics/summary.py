"""Means, deviations and quantiles as all of the analytics define them.

Definitions: mean and sample deviation (divisor n - 1) as in the standard library;
quantiles by linear interpolation at (n - 1) * p of the sorted values, which is type 7 of
Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50
(1996), and the default of NumPy and R.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: sqrt(pi / 2): makes a mean absolute deviation of normal values a standard deviation.
MEAN_DEVIATION_FACTOR = 1.253314
#: 0.75 quantile of the normal distribution: does the same for a median deviation.
MEDIAN_DEVIATION_FACTOR = 0.6745


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean of at least one value."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation (divisor n - 1); 0 for a single value."""
    if len(values) < 2:
        return 0.0
    middle = mean(values)
    return math.sqrt(
        math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1)
    )


def quantile(ordered: Sequence[float], ratio: float) -> float:
    """Return a quantile of sorted values by linear interpolation at (n - 1) * ratio.

    Args:
        ordered: At least one value, ascending.
        ratio: 0.0 (the smallest) to 1.0 (the largest).
    """
    place = (len(ordered) - 1) * ratio
    below = math.floor(place)
    if below + 1 >= len(ordered):
        return ordered[-1]
    low, high = ordered[below], ordered[below + 1]
    return low + (place - below) * (high - low)


def median(values: Iterable[float]) -> float:
    """Return the median of at least one value, in any order."""
    return quantile(sorted(values), 0.5)


@dataclass(frozen=True, slots=True)
class Summary:
    """A sample in figures."""

    count: int
    mean: float
    median: float
    #: None for a single value.
    stdev: float | None
    minimum: float
    maximum: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures as answers show them."""
        return {
            "count": self.count,
            "mean": self.mean,
            "median": self.median,
            "stdev": self.stdev,
            "min": self.minimum,
            "max": self.maximum,
        }


def summarise(values: Sequence[float]) -> Summary:
    """Return the figures of at least one value."""
    ordered = sorted(values)
    return Summary(
        count=len(ordered),
        mean=mean(ordered),
        median=quantile(ordered, 0.5),
        stdev=deviation(ordered) if len(ordered) > 1 else None,
        minimum=ordered[0],
        maximum=ordered[-1],
    )


def percent_change(before: float, after: float) -> float | None:
    """Return by how many percent of ``|before|`` a value changed, to two decimals.

    None if ``before`` is 0, or so small that the ratio is no finite number.
    """
    return percent_of(after - before, before)


def percent_of(part: float, whole: float) -> float | None:
    """Return ``part`` in percent of ``|whole|``, to two decimals; None as above."""
    percent = exact_percent_of(part, whole)
    return None if percent is None else round(percent, 2)


def exact_percent_of(part: float, whole: float) -> float | None:
    """Return ``part`` in percent of ``|whole|``; None as above."""
    if whole == 0.0:
        return None
    percent = 100.0 * part / abs(whole)
    return percent if math.isfinite(percent) else None
