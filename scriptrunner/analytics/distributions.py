"""Probabilities of the t and the normal distribution.

The t distribution goes by the regularised incomplete beta function I (Abramowitz and
Stegun, 26.7.1): with f degrees of freedom P(|T| > t) = I_x(f / 2, 1 / 2), x = f / (f + t²).
mpmath computes I; it is loaded when it is needed.
"""

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()
#: Relative change of a quantile below which it is good.
_PRECISION = 1e-10


def t_tail(ratio: float, degrees: int) -> float:
    """Return P(|T| > t), two-sided.

    Args:
        ratio: f / (f + t²), 0.0 to 1.0; in a regression this is 1 - r².
        degrees: f >= 1.
    """
    if ratio <= 0.0:
        return 0.0
    if ratio >= 1.0:
        return 1.0
    from mpmath import betainc  # noqa: PLC0415 - 50 ms, only analytics need it

    return float(betainc(degrees / 2, 0.5, 0, ratio, regularized=True))


@lru_cache(maxsize=1024)
def t_quantile(degrees: int, confidence: float = 0.95) -> float:
    """Return t with P(|T| <= t) = ``confidence``.

    Args:
        degrees: f >= 1.
        confidence: 0.0 < confidence < 1.0.
    """
    wanted = 1.0 - confidence
    low, high = 0.0, 2.0
    while _tail_of(high, degrees) > wanted:
        low, high = high, 2.0 * high
    guess = min(max(_NORMAL.inv_cdf(1.0 - wanted / 2), low), high)
    for _ in range(100):
        excess = _tail_of(guess, degrees) - wanted
        low, high = (guess, high) if excess > 0 else (low, guess)
        following = guess + excess / (2.0 * _density(guess, degrees))
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - guess) <= _PRECISION * guess:
            return following
        guess = following
    return guess


def _tail_of(t: float, degrees: int) -> float:
    return t_tail(degrees / (degrees + t * t), degrees)


def _density(t: float, degrees: int) -> float:
    """Return the density of the t distribution."""
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    power = -(degrees + 1) / 2 * math.log1p(t * t / degrees)
    return math.exp(log_scale + power) / math.sqrt(degrees * math.pi)


def normal_tail(z: float) -> float:
    """Return P(|Z| > z) of the normal distribution, two-sided."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def normal_quantile(ratio: float) -> float:
    """Return z with P(Z <= z) = ``ratio`` (0.0 < ratio < 1.0)."""
    return _NORMAL.inv_cdf(ratio)
