"""Whatever the values are, every figure is a number, and some things always hold."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from scriptrunner.analytics.anomalies import THRESHOLDS, AnomalyMethod, find_anomalies
from scriptrunner.analytics.baselines import BaselineMethod, compute_baseline
from scriptrunner.analytics.change_points import find_levels
from scriptrunner.analytics.rank_tests import compare
from scriptrunner.analytics.summary import summarise
from scriptrunner.analytics.trend import describe_trend, detect_regression

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
#: As wild as a stored value may be, with many that are equal.
NUMBER = st.one_of(
    st.floats(-1e100, 1e100, allow_nan=False),
    st.sampled_from([0.0, 1.0, -1.0, 0.1, 1e-320, 1e100]),
)
VALUES = st.lists(NUMBER, min_size=2, max_size=40)


def is_told(value: object) -> bool:
    return bool(json.dumps(value, allow_nan=False))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(values=VALUES, minutes=st.integers(0, 3))
def test_every_figure_is_a_number(values, minutes):
    times = [BEGIN + timedelta(minutes=minutes * n) for n in range(len(values))]
    assert is_told(describe_trend(values, times))
    assert is_told(detect_regression(values))
    assert is_told(summarise(values).to_json())
    for method in BaselineMethod:
        found = compute_baseline(values, method)
        assert is_told(found)
        assert min(values) <= found["baseline"] <= max(values) or len(values) < 3
    for shift in find_levels(values).shifts:
        assert shift.earliest <= shift.index <= shift.latest
        assert 0.0 <= shift.p_value < 0.01


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(values=st.lists(NUMBER, min_size=11, max_size=40))
def test_anomalies_lie_outside_the_bounds_and_all_others_within(values):
    for method in AnomalyMethod:
        found = find_anomalies(values, method, THRESHOLDS[method])
        assert is_told([[each.score, each.value] for each in found.found])
        assert is_told([found.lower, found.upper])
        assert len(found.found) < len(values)
        assert found.lower is not None
        for each in found.found:
            assert values[each.index] == each.value
            assert each.direction == ("high" if each.value > found.lower else "low")


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(
    first=st.lists(NUMBER, min_size=1, max_size=20),
    second=st.lists(NUMBER, min_size=1, max_size=20),
)
def test_a_comparison_turned_round_is_the_same(first, second):
    there, back = compare(first, second), compare(second, first)
    assert there.u + back.u == len(first) * len(second)
    assert abs(there.p_value - back.p_value) < 1e-9
    assert 0.0 <= there.p_value <= 1.0
    assert abs(there.delta + back.delta) < 1e-12
