"""Means, deviations and quantiles against NumPy, and by hand."""

import math
import random

import numpy
import pytest

from scriptrunner.analytics.summary import (
    deviation,
    mean,
    median,
    percent_change,
    quantile,
    summarise,
)
from tests.unit.analytics.nile import volumes


def test_by_hand():
    values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
    assert mean(values) == 5.0
    # Squares 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, by 7.
    assert deviation(values) == pytest.approx(math.sqrt(32 / 7))
    assert median(values) == 4.5
    # (8 - 1) * 0.75 = 5.25: 5 + 0.25 * (7 - 5).
    assert quantile(values, 0.75) == 5.5
    assert summarise([3.0]).stdev is None


@pytest.mark.parametrize("ratio", [0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0])
def test_quantiles_are_those_of_numpy(ratio):
    draw = random.Random(1)
    for values in (
        list(volumes()),
        [draw.lognormvariate(0, 2) for _ in range(37)],
        [1.0],
        [1.0, 2.0],
    ):
        ours = quantile(sorted(values), ratio)
        assert ours == pytest.approx(float(numpy.quantile(values, ratio)), rel=1e-12)


def test_figures_of_real_data():
    found = summarise(volumes())
    assert found.mean == pytest.approx(float(numpy.mean(volumes())))
    assert found.stdev == pytest.approx(float(numpy.std(volumes(), ddof=1)))
    assert (found.minimum, found.maximum, found.count) == (456.0, 1370.0, 100)


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        (8, 18, 125.0),
        (-2, -1, 50.0),
        (3, 2, -33.33),
        (0, 5, None),
        (1e-320, 1e300, None),
    ],
)
def test_changes_in_percent(before, after, percent):
    assert percent_change(before, after) == percent
