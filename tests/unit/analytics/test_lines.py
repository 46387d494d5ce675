"""Both lines, least squares and Theil-Sen, against SciPy and statsmodels."""

import math
import random

import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

from scriptrunner.analytics.distributions import t_quantile, t_tail
from scriptrunner.analytics.least_squares import fit_line
from scriptrunner.analytics.theil_sen import fit_robust_line
from tests.unit.analytics.nile import volumes

YEARS = [float(year) for year in range(1871, 1971)]


def series(kind: str, count: int) -> tuple[list[float], list[float]]:
    draw = random.Random(f"{kind}{count}")
    xs = [float(x) for x in range(count)]
    if kind == "tied x":
        xs = [x // 3 for x in xs]
    make = {
        "normal": lambda x: 0.01 * x + draw.gauss(0, 1),
        "heavy": lambda _: draw.gauss(0, 1) / (draw.random() + 1e-9),
        "whole": lambda _: float(draw.randint(0, 3)),
        "tied x": lambda _: draw.gauss(0, 1),
        "equal": lambda _: 0.1,
    }[kind]
    return xs, [make(x) for x in xs]


CASES = [
    series(kind, count)
    for kind in ("normal", "heavy", "whole", "tied x", "equal")
    for count in (3, 20, 151, 400)
] + [(YEARS, list(volumes()))]


@pytest.mark.parametrize(("xs", "ys"), CASES)
def test_least_squares_is_that_of_scipy(xs, ys):
    line = fit_line(xs, ys)
    if len(set(xs)) == 1:
        assert line is None
        return
    assert line is not None
    if len(set(ys)) == 1:
        assert (line.slope, line.r_squared, line.p_value) == (0.0, 0.0, 1.0)
        return
    theirs = stats.linregress(xs, ys)
    assert line.slope == pytest.approx(theirs.slope, rel=1e-9)
    assert line.intercept == pytest.approx(theirs.intercept, rel=1e-9)
    assert line.r_squared == pytest.approx(theirs.rvalue**2, rel=1e-9)
    assert line.p_value == pytest.approx(theirs.pvalue, rel=1e-8)
    assert line.slope_error == pytest.approx(theirs.stderr, rel=1e-9)


def test_intervals_are_those_of_statsmodels():
    xs, ys = YEARS, list(volumes())
    line = fit_line(xs, ys)
    theirs = OLS(ys, add_constant(xs)).fit()
    assert line is not None
    interval = line.slope_interval()
    assert interval == pytest.approx(tuple(theirs.conf_int()[1]), rel=1e-7)
    frame = theirs.get_prediction().summary_frame(alpha=0.05)
    band = line.band(xs)
    assert band is not None
    assert [low for low, _ in band] == pytest.approx(list(frame["mean_ci_lower"]))
    assert [high for _, high in band] == pytest.approx(list(frame["mean_ci_upper"]))


def test_a_perfect_line_and_two_points():
    line = fit_line([0.0, 1.0, 2.0], [1.1, 2.2, 3.3])
    assert line is not None
    assert (line.r_squared, line.p_value) == (1.0, 0.0)
    two = fit_line([0.0, 1.0], [1.0, 3.0])
    assert two is not None
    assert (two.slope, two.p_value, two.slope_interval()) == (2.0, None, None)
    assert fit_line([1.0], [1.0]) is None


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 98, 4_998])
def test_the_t_distribution(degrees):
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-8)
    for t in (0.0, 0.1, 2.0, 9.0, 40.0):
        ours = t_tail(degrees / (degrees + t * t), degrees)
        assert ours == pytest.approx(2 * stats.t.sf(t, degrees), rel=1e-8)


@pytest.mark.parametrize(("xs", "ys"), CASES)
def test_theil_sen_is_that_of_scipy(xs, ys):
    line = fit_robust_line(xs, ys)
    if len(set(xs)) == 1:
        assert line is None
        return
    assert line is not None
    theirs = stats.theilslopes(ys, xs)
    ours = [line.slope, line.intercept, line.low, line.high]
    assert ours == pytest.approx(list(theirs), rel=1e-9, abs=1e-12)


def test_theil_sen_does_not_mind_a_fifth_of_nonsense():
    draw = random.Random(4)
    ys = [2.0 * x + draw.gauss(0, 1) for x in range(200)]
    for place in range(0, 200, 5):
        ys[place] = 1e6
    line = fit_robust_line([float(x) for x in range(200)], ys)
    assert line is not None
    assert math.isclose(line.slope, 2.0, rel_tol=0.02)
