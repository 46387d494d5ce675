"""Whether two samples differ, without assuming anything about their shape.

The test is that of Mann and Whitney, "On a test of whether one of two random variables is
stochastically larger than the other", Ann. Math. Statist. 18 (1947): exact where there are
few values and no ties, else by the normal approximation with the correction for ties and
for continuity. The size of an effect is Cliff's delta ("Dominance statistics", Psychol.
Bull. 114, 1993), with the words of Romano and others (2006).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from scriptrunner.analytics.distributions import normal_tail

#: Product of the sizes up to which the p-value is counted out.
_EXACT_UP_TO = 400
#: Cliff's delta from which an effect is called so.
_WORDS = ((0.474, "large"), (0.33, "medium"), (0.147, "small"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two samples compared."""

    #: Pairs in which the second is larger, ties by half.
    u: float
    #: Two-sided.
    p_value: float
    #: -1.0 (all of the second are smaller) to 1.0 (all are larger).
    delta: float

    @property
    def effect(self) -> str:
        """The size of the difference: negligible, small, medium or large."""
        size = abs(self.delta)
        return next((word for least, word in _WORDS if size >= least), "negligible")


def compare(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Compare two samples of at least one value each."""
    m, n = len(first), len(second)
    ranks, ties = _rank([*first, *second])
    u = math.fsum(ranks[m:]) - n * (n + 1) / 2
    delta = 2 * u / (m * n) - 1
    if not ties and m * n <= _EXACT_UP_TO:
        return Comparison(u, _exact(m, n, round(u)), delta)
    size = m + n
    tied = sum(count**3 - count for count in ties)
    variance = m * n / 12 * (size + 1 - tied / (size * (size - 1)))
    if variance <= 0:
        return Comparison(u, 1.0, delta)
    distance = max(0.0, abs(u - m * n / 2) - 0.5)
    return Comparison(u, normal_tail(distance / math.sqrt(variance)), delta)


def _rank(values: Sequence[float]) -> tuple[list[float], list[int]]:
    """Return the rank of each value (ties share their mean), and the sizes of ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    ties = []
    begin = 0
    while begin < len(order):
        end = begin
        while end + 1 < len(order) and values[order[end + 1]] == values[order[begin]]:
            end += 1
        for place in range(begin, end + 1):
            ranks[order[place]] = (begin + end) / 2 + 1
        if end > begin:
            ties.append(end - begin + 1)
        begin = end + 1
    return ranks, ties


@lru_cache(maxsize=256)
def _exact(m: int, n: int, u: int) -> float:
    """Return the two-sided p-value: orders with so extreme a U, of all orders."""
    extreme = min(u, m * n - u)
    counts = _count_orders(m, n)
    tail = sum(counts[: extreme + 1])
    return min(1.0, 2 * tail / math.comb(m + n, m))


def _count_orders(m: int, n: int) -> list[int]:
    """Return how many orders of m + n values have each U: a Gaussian binomial."""
    counts = [1] + [0] * (m * n)
    for part in range(1, m + 1):
        # Multiply by (1 - q^(n + part)), divide by (1 - q^part).
        for place in range(m * n, n + part - 1, -1):
            counts[place] -= counts[place - n - part]
        for place in range(part, m * n + 1):
            counts[place] += counts[place - part]
    return counts
