"""Shifts: found where they are, blamed on what changed, and not found where none is.

The simulations are short here; ``python -m tests.unit.analytics.simulations`` is the long
form.
"""

import random

import numpy
import pytest
import ruptures

from scriptrunner.analytics.change_points import (
    find_levels,
    find_split,
    normal_scores,
    scan_p_value,
)
from tests.unit.analytics.nile import SHIFT, volumes
from tests.unit.analytics.simulations import (
    SHAPES,
    count_false_alarms,
    count_found,
    draw_history,
)


def test_the_problem_of_the_nile():
    (shift,) = find_levels(volumes()).shifts
    assert abs(shift.index - SHIFT) <= 1
    assert shift.earliest <= SHIFT <= shift.latest
    # The medians of the years before and after 1898.
    assert (shift.before, shift.after) == pytest.approx((1100.0, 845.0), abs=35)
    assert shift.p_value < 1e-6
    theirs = ruptures.Dynp(model="l2", min_size=5, jump=1)
    assert theirs.fit_predict(numpy.array(volumes()), 1)[0] == shift.index


def test_several_shifts_are_those_of_an_exact_search():
    draw = random.Random(7)
    levels = [10.0] * 60 + [14.0] * 40 + [9.0] * 50 + [12.0] * 50
    values = [level + draw.gauss(0, 1) for level in levels]
    ours = [shift.index for shift in find_levels(values).shifts]
    exact = ruptures.Dynp(model="l2", min_size=5, jump=1)
    theirs = exact.fit_predict(numpy.array(values), 3)[:-1]
    assert len(ours) == 3
    assert all(abs(a - b) <= 1 for a, b in zip(ours, theirs, strict=True))


def test_a_level_that_comes_back():
    draw = random.Random(8)
    values = [draw.gauss(3 if 40 <= place < 60 else 0, 1) for place in range(100)]
    places = [shift.index for shift in find_levels(values).shifts]
    assert len(places) == 2
    assert abs(places[0] - 40) <= 2
    assert abs(places[1] - 60) <= 2


def test_steady_growth_is_a_drift_and_no_staircase():
    draw = random.Random(9)
    found = find_levels([0.1 * place + draw.gauss(0, 1) for place in range(100)])
    assert (found.shifts, found.drifts) == ((), True)


@pytest.mark.parametrize(
    "values",
    [
        [1.0] * 100,
        [1.0] * 99 + [50.0],
        [50.0] + [1.0] * 99,
        [1.0] * 50 + [50.0] * 4 + [1.0] * 46,
        [0.0, 1.0] * 50,
        [1.0, 9.0],
        [],
        # Half a percent is not worth a word.
        [100.0 + place % 2 / 100 for place in range(30)] + [100.4] * 30,
    ],
)
def test_no_shift(values):
    assert find_levels(values).shifts == ()


def test_scores_are_those_of_ranks():
    assert normal_scores([5.0, 1.0, 3.0]) == pytest.approx(
        [0.67449, -0.67449, 0.0], abs=1e-5
    )
    tied = normal_scores([2.0, 2.0, 2.0, 9.0])
    assert tied[0] == tied[1] == tied[2] < tied[3]
    assert sum(tied) == pytest.approx(0.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_false_alarms(shape):
    # Of 120 histories without a shift; the long form counts 2 000 of each shape.
    assert count_false_alarms(shape, 120) <= 0.05 * 120


@pytest.mark.parametrize("shape", ["normal", "log-normal"])
def test_a_shift_of_three_deviations_is_found_and_blamed(shape):
    found = count_found(shape, 100)
    assert found.near >= 95
    assert found.blamed >= 95


def test_p_values_are_those_of_chance():
    draw = random.Random(11)
    values = [find_split(draw_history("normal", 60, draw)) for _ in range(400)]
    share = sum(each is not None and each.p_value < 0.1 for each in values) / 400
    assert 0.05 <= share <= 0.13
    assert scan_p_value(0.5, 60) == 1.0
    assert scan_p_value(8.0, 60) < 1e-12
