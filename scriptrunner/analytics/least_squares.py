"""A straight line by least squares, with all that is said about its slope.

Draper and Smith, "Applied Regression Analysis", 3rd edition, chapter 1: slope Sxy / Sxx,
r² = 1 - SSE / SST, standard error sqrt(SSE / (n - 2) / Sxx), and a t-test of the slope
with n - 2 degrees of freedom, whose p-value is the tail of t² = (n - 2) r² / (1 - r²).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scriptrunner.analytics.distributions import t_quantile, t_tail
from scriptrunner.analytics.summary import mean

#: SSE / SST that is nothing but rounding: the fit is perfect.
_ROUNDING = 1e-22


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """y = intercept + slope * x, fitted to n >= 2 points."""

    count: int
    slope: float
    intercept: float
    #: 0.0 to 1.0; 0 if all y are equal.
    r_squared: float
    #: Two-sided; None for two points, 1 if all y are equal, 0 for a perfect fit.
    p_value: float | None
    #: Standard error of the slope; None for two points.
    slope_error: float | None
    #: Mean of x, and the sum of squares about it.
    x_mean: float
    x_squares: float
    #: Standard deviation of the residuals (divisor n - 2); None for two points.
    residual_deviation: float | None

    def at(self, x: float) -> float:
        """Return the fitted y at ``x``."""
        return self.intercept + self.slope * x

    def slope_interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Return bounds of the slope; None for two points."""
        if self.slope_error is None:
            return None
        reach = t_quantile(self.count - 2, confidence) * self.slope_error
        return self.slope - reach, self.slope + reach

    def band(
        self, xs: Sequence[float], confidence: float = 0.95
    ) -> list[tuple[float, float]] | None:
        """Return bounds of the mean y at each x (Draper and Smith, 3.1); None for two."""
        if self.residual_deviation is None:
            return None
        reach = t_quantile(self.count - 2, confidence) * self.residual_deviation
        bounds = []
        for x in xs:
            far = (x - self.x_mean) ** 2 / self.x_squares
            half = reach * math.sqrt(1.0 / self.count + far)
            bounds.append((self.at(x) - half, self.at(x) + half))
        return bounds


def fit_line(xs: Sequence[float], ys: Sequence[float]) -> Line | None:
    """Fit a line to points; None if all x are equal or there are fewer than two.

    Args:
        xs: In any order and unit.
        ys: As many.
    """
    count = len(xs)
    if count < 2:
        return None
    x_mean, y_mean = mean(xs), mean(ys)
    x_parts = [x - x_mean for x in xs]
    y_parts = [y - y_mean for y in ys]
    x_squares = math.fsum(x * x for x in x_parts)
    if x_squares == 0.0:
        return None
    total = math.fsum(y * y for y in y_parts)
    products = math.fsum(x * y for x, y in zip(x_parts, y_parts, strict=True))
    is_level = all(y == ys[0] for y in ys)
    slope = 0.0 if is_level else products / x_squares
    left = math.fsum(
        (y - slope * x) ** 2 for x, y in zip(x_parts, y_parts, strict=True)
    )
    unexplained = 1.0 if is_level or total == 0.0 else min(1.0, left / total)
    if unexplained < _ROUNDING:
        unexplained = left = 0.0
    has_test = count > 2
    spread = math.sqrt(left / (count - 2)) if has_test else None
    return Line(
        count=count,
        slope=slope,
        intercept=y_mean - slope * x_mean,
        r_squared=1.0 - unexplained,
        p_value=t_tail(unexplained, count - 2) if has_test else None,
        slope_error=None if spread is None else spread / math.sqrt(x_squares),
        x_mean=x_mean,
        x_squares=x_squares,
        residual_deviation=spread,
    )
