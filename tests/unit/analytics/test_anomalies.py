"""Outliers by three methods, by hand and against SciPy."""

import math
import random

import numpy
import pytest
from scipy import stats

from scriptrunner.analytics.anomalies import (
    THRESHOLDS,
    AnomalyMethod,
    find_anomalies,
    least_count,
)
from tests.unit.analytics.nile import volumes

IQR, ZSCORE, MAD = AnomalyMethod.IQR, AnomalyMethod.ZSCORE, AnomalyMethod.MAD


def find(values, method, threshold=None):
    return find_anomalies(values, method, threshold or THRESHOLDS[method])


def test_quartiles_by_hand():
    # Sorted 1 2 3 4 5 6 7 8 50: Q1 = 3, Q3 = 7, IQR = 4, fences -3 and 13.
    found = find([5, 1, 8, 2, 7, 50, 3, 6, 4], IQR)
    assert (found.lower, found.upper) == (-3.0, 13.0)
    (only,) = found.found
    # (50 - 7) / 4 = 10.75
    assert (only.index, only.score, only.direction) == (5, 10.75, "high")


def test_deviations_by_hand():
    # 20 times 0 and 20 times 2, and 12: mean 52 / 41, s from the squares.
    values = [0.0, 2.0] * 20 + [12.0]
    middle = 52 / 41
    spread = math.sqrt(sum((value - middle) ** 2 for value in values) / 40)
    found = find(values, ZSCORE)
    assert found.upper == pytest.approx(middle + 3 * spread)
    (only,) = found.found
    assert only.score == pytest.approx((12 - middle) / spread)


def test_median_deviations_by_hand():
    # Median 3; distances 2 1 0 1 97: their median is 1; 0.6745 * 97 / 1 = 65.4265.
    found = find([1.0, 2.0, 3.0, 4.0, 100.0], MAD)
    assert found.upper == pytest.approx(3 + 3.5 / 0.6745)
    (only,) = found.found
    assert only.score == pytest.approx(65.4265)


def test_a_median_deviation_of_nothing_falls_back_on_the_mean():
    # MAD 0; mean absolute deviation 9 / 10; 9 / (1.253314 * 0.9) = 7.979.
    found = find([1.0] * 9 + [10.0], MAD)
    (only,) = found.found
    assert only.score == pytest.approx(9 / (1.253314 * 0.9))
    assert found.upper == pytest.approx(1 + 3.5 * 1.253314 * 0.9)


def test_quartiles_that_are_equal_count_as_a_thousandth():
    # Q1 = Q3 = 100, so the unit is 0.1: 100.1 scores 1, 100.2 scores 2.
    found = find([100.0] * 20 + [100.1, 100.2], IQR)
    assert [each.index for each in found.found] == [21]
    assert found.found[0].score == pytest.approx(2.0)


@pytest.mark.parametrize("method", list(AnomalyMethod))
@pytest.mark.parametrize("value", [0.0, -7.5, 1e300])
def test_equal_values_are_never_strange(method, value):
    assert find([value] * 30, method).found == []


@pytest.mark.parametrize("method", list(AnomalyMethod))
def test_both_sides(method):
    draw = random.Random(2)
    values = [draw.gauss(100, 1) for _ in range(60)]
    values[20], values[40] = 50.0, 150.0
    found = {each.index: each.direction for each in find(values, method).found}
    assert (found[20], found[40]) == ("low", "high")
    assert all(each.score > THRESHOLDS[method] for each in find(values, method).found)


def test_scores_are_those_of_scipy():
    values = list(volumes())
    low = find_anomalies(values, ZSCORE, 0.5).found
    theirs = numpy.abs(stats.zscore(values, ddof=1))
    assert [each.score for each in low] == pytest.approx(
        [score for score in theirs if score > 0.5]
    )
    scaled = stats.median_abs_deviation(values) / 0.6745
    theirs = numpy.abs(numpy.array(values) - numpy.median(values)) / scaled
    assert [each.score for each in find_anomalies(values, MAD, 0.5).found] == (
        pytest.approx([score for score in theirs if score > 0.5])
    )


def test_the_fewest_values_a_z_score_needs():
    # (n - 1) / sqrt(n): 2.846 for 10, 3.015 for 11.
    assert least_count(ZSCORE, 3.0) == 11
    assert least_count(ZSCORE, 2.0) == 6
    assert least_count(IQR, 3.0) == least_count(MAD, 9.0) == 5
