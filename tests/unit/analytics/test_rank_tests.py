"""The comparison of two samples against SciPy, exact and approximate."""

import random

import pytest
from scipy import stats

from scriptrunner.analytics.rank_tests import compare
from tests.unit.analytics.nile import SHIFT, volumes


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 4), (5, 5), (8, 20), (20, 20)])
def test_few_values_are_counted_out(m, n):
    draw = random.Random(m * 100 + n)
    first = [draw.gauss(0, 1) for _ in range(m)]
    second = [draw.gauss(0.7, 1) for _ in range(n)]
    theirs = stats.mannwhitneyu(second, first, method="exact")
    ours = compare(first, second)
    assert ours.u == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_ties_and_many_values_by_the_normal_distribution(seed):
    draw = random.Random(seed)
    first = [float(draw.randint(0, 5)) for _ in range(40)]
    second = [float(draw.randint(1, 6)) for _ in range(35)]
    theirs = stats.mannwhitneyu(second, first, method="asymptotic")
    ours = compare(first, second)
    assert ours.u == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def test_the_nile_before_and_after():
    before, after = volumes()[:SHIFT], volumes()[SHIFT:]
    ours = compare(before, after)
    theirs = stats.mannwhitneyu(after, before, method="asymptotic")
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.effect == "large"
    assert ours.delta < -0.7


@pytest.mark.parametrize(
    ("first", "second", "delta", "effect"),
    [
        ([1.0, 2.0], [3.0, 4.0], 1.0, "large"),
        ([3.0, 4.0], [1.0, 2.0], -1.0, "large"),
        ([1.0, 1.0], [1.0, 1.0], 0.0, "negligible"),
        # Pairs of (1, 2) and (1, 3): one tie, two larger, one smaller.
        ([1.0, 2.0], [1.0, 3.0], 0.25, "small"),
    ],
)
def test_the_size_of_an_effect(first, second, delta, effect):
    found = compare(first, second)
    assert (found.delta, found.effect) == (delta, effect)


def test_equal_values_differ_in_nothing():
    assert compare([1.0] * 30, [1.0] * 30).p_value == 1.0
