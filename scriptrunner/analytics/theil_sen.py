"""A robust slope: the median of the slopes of all pairs of points, with its interval.

Theil, "A rank-invariant method of linear and polynomial regression analysis" (1950); Sen,
"Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968), for ties
and for the confidence interval. Up to 29 % of the points may be anything without moving
it far.

There are n (n - 1) / 2 slopes, 12 million for 5 000 points. They are not all made: the
number of slopes below m is the number of inversions in the sequence y - m x, which sorting
counts (Cole, Salowe, Steiger and Szemerédi, "An optimal-time algorithm for slope
selection", SIAM J. Comput. 18, 1989). So the slope of a given rank is enclosed by
bisection until few enough are left to be listed.
"""

import math
import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

from scriptrunner.analytics.distributions import normal_quantile
from scriptrunner.analytics.summary import median

#: Points up to which all slopes are simply made: 11 175 of them.
_FEW = 150
#: Pairs whose slopes give a first idea of where a rank lies.
_SAMPLE = 2_000
#: Halvings after which a bracket is nothing but rounding.
_MAX_STEPS = 200


@dataclass(frozen=True, slots=True)
class RobustLine:
    """y = intercept + slope * x, by medians."""

    slope: float
    #: median(y) - slope * median(x).
    intercept: float
    #: Interval of the slope at the asked-for confidence.
    low: float
    high: float


def fit_robust_line(
    xs: Sequence[float], ys: Sequence[float], *, confidence: float = 0.95
) -> RobustLine | None:
    """Return the line; None if all x are equal or there are fewer than two points.

    Args:
        xs: In any order; equal ones are fine, their pairs have no slope.
        ys: As many.
        confidence: Of the interval of the slope, 0.0 to 1.0.
    """
    slopes = Slopes(xs, ys)
    if not slopes.count:
        return None
    middle = slopes.median()
    reach = normal_quantile((1 + confidence) / 2) * math.sqrt(_variance(xs, ys))
    # As in Sen's paper: ranks (N -+ z sigma) / 2, from 1.
    low = max(round((slopes.count - reach) / 2) - 1, 0)
    high = min(round((slopes.count + reach) / 2), slopes.count - 1)
    return RobustLine(
        slope=middle,
        intercept=median(ys) - middle * median(xs),
        low=slopes.get(low),
        high=slopes.get(high),
    )


def _variance(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the variance of Kendall's score, with ties (Sen, formula 2.6)."""
    count = len(xs)
    total = float(count * (count - 1) * (2 * count + 5))
    for values in (xs, ys):
        total -= sum(n * (n - 1) * (2 * n + 5) for n in _tie_sizes(values))
    return total / 18.0


def _tie_sizes(values: Sequence[float]) -> list[int]:
    counts: dict[float, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return [size for size in counts.values() if size > 1]


class Slopes:
    """The slopes of all pairs with different x, found by their rank."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Sort the points; among equal x by y, so that they never count as inverted."""
        points = sorted(zip(xs, ys, strict=True))
        self._xs = [x for x, _ in points]
        self._ys = [y for _, y in points]
        size = len(points)
        tied = sum(n * (n - 1) // 2 for n in _tie_sizes(self._xs))
        #: Pairs that have a slope.
        self.count = size * (size - 1) // 2 - tied
        self._all = self._list_all() if size <= _FEW else None
        self._sample = self._draw_sample() if self._all is None else []

    def median(self) -> float:
        """Return the median slope of at least one pair."""
        high = self.get(self.count // 2)
        return high if self.count % 2 else (self.get(self.count // 2 - 1) + high) / 2

    def get(self, rank: int) -> float:
        """Return the slope with ``rank`` (0 is the smallest)."""
        if self._all is not None:
            return self._all[rank]
        if self._count_below(0.0) <= rank < self._count_below(0.0, or_equal=True):
            return 0.0  # the usual tie: equal values
        low, high, below = self._enclose(rank)
        most = 4 * len(self._xs) + 1_000
        above = self._count_below(high)
        for _ in range(_MAX_STEPS):
            if above - below <= most:
                break
            middle = (low + high) / 2
            if not low < middle < high:
                return middle
            count = self._count_below(middle)
            if count <= rank:
                low, below = middle, count
            else:
                high, above = middle, count
        found = self._list_between(low, high)
        return found[min(rank - below, len(found) - 1)] if found else (low + high) / 2

    def _enclose(self, rank: int) -> tuple[float, float, int]:
        """Return bounds of the slope with ``rank``, and how many lie below the lower."""
        sample = self._sample
        place = rank * len(sample) // self.count
        # Four deviations of a binomial count: nearly always enough.
        reach = 2 * math.isqrt(len(sample))
        low_at, high_at = max(place - reach, 0), min(place + reach, len(sample) - 1)
        low, high = sample[low_at], sample[high_at]
        step = (high - low) or max(abs(low), 1.0) * 1e-6
        while (below := self._count_below(low)) > rank:
            low, step = low - step, 2 * step
        while self._count_below(high) <= rank:
            high, step = high + step, 2 * step
        return low, high, below

    def _count_below(self, slope: float, *, or_equal: bool = False) -> int:
        """Return how many slopes are smaller than ``slope``: inversions of y - m x."""
        seen: list[float] = []
        count = 0
        last_x: float | None = None
        pending: list[float] = []
        for x, y in zip(self._xs, self._ys, strict=True):
            if x != last_x:
                for value in pending:
                    insort(seen, value)
                pending, last_x = [], x
            rest = y - slope * x
            if or_equal:
                count += len(seen) - bisect_left(seen, rest)
            else:
                count += len(seen) - bisect_right(seen, rest)
            pending.append(rest)
        return count

    def _list_between(self, low: float, high: float) -> list[float]:
        """Return the slopes that are at least ``low`` and below ``high``, sorted.

        These are the pairs whose order by y - low x is not that by y - high x.
        """
        xs, ys = self._xs, self._ys
        order = sorted(range(len(xs)), key=lambda i: (ys[i] - low * xs[i], i))
        seen: list[tuple[float, int]] = []
        found: list[float] = []
        for i in order:
            mine = (ys[i] - high * xs[i], i)
            place = bisect_right(seen, mine)
            for _, j in seen[place:]:
                if xs[i] != xs[j]:
                    found.append((ys[i] - ys[j]) / (xs[i] - xs[j]))
            seen.insert(place, mine)
        found.sort()
        return found

    def _list_all(self) -> list[float]:
        xs, ys = self._xs, self._ys
        size = len(xs)
        found = [
            (ys[j] - ys[i]) / (xs[j] - xs[i])
            for i in range(size)
            for j in range(i + 1, size)
            if xs[j] != xs[i]
        ]
        found.sort()
        return found

    def _draw_sample(self) -> list[float]:
        # Always the same pairs: an answer does not depend on luck.
        draw = random.Random(len(self._xs))  # noqa: S311 - statistics
        xs, ys, last = self._xs, self._ys, len(self._xs) - 1
        found: list[float] = []
        for _ in range(_SAMPLE):
            i, j = draw.randint(0, last), draw.randint(0, last)
            if xs[i] != xs[j]:
                found.append((ys[j] - ys[i]) / (xs[j] - xs[i]))
        found.sort()
        return found or [0.0]
