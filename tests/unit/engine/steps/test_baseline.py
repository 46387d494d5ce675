"""Baselines: comparison by a stated rule, and files that are none."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine.steps.baseline import (
    MAX_FILE_BYTES,
    NoBaselineError,
    compare,
    count_verdicts,
    decode,
    encode,
    numbers_of,
)


def compare_one(name, current, baseline):
    return compare({name: current}, {name: baseline})[name]


def test_the_example_of_the_reference():
    assert compare_one("execution_time_seconds", 2.1625, 0.1123) == {
        "current": 2.1625,
        "baseline": 0.1123,
        "delta": 2.0502,
        "percent_change": 1825.65,  # 100 * 2.0502 / 0.1123
        "verdict": "worse",
    }


@pytest.mark.parametrize(
    ("current", "baseline", "percent"),
    [
        (0, 0, 0.0),
        (1, 0, None),
        (-1, -2, 50.0),
        (-3, -2, -50.0),
        (0, 5, -100.0),
        (20, 1e308, -100.0),
        (20, 5e-324, None),
    ],
)
def test_percent_change_is_relative_to_the_size_of_the_baseline(
    current, baseline, percent
):
    assert compare_one("x", current, baseline)["percent_change"] == percent


@pytest.mark.parametrize(
    ("name", "current", "baseline", "verdict"),
    [
        ("execution_time_seconds", 1.05, 1.0, "same"),
        ("execution_time_seconds", 1.06, 1.0, "worse"),
        ("execution_time_seconds", 0.9, 1.0, "better"),
        ("execution_time_seconds", 1.0, 0.0, "worse"),
        ("sampling_efficiency", 0.5, 1.0, "worse"),
        ("stdout_lines", 9, 5, "changed"),
        ("something_else", 9, 5, "changed"),
        ("something_else", 5, 5, "same"),
    ],
)
def test_the_verdict_follows_its_rule(name, current, baseline, verdict):
    assert compare_one(name, current, baseline)["verdict"] == verdict


def test_only_numbers_that_both_have_are_compared():
    metrics = {"a": 1, "b": 2.0, "c": None, "d": "x", "e": True, "f": 3}
    assert list(compare(metrics, {"b": 1, "a": 1, "c": 1, "e": 1, "g": 1})) == [
        "a",
        "b",
    ]


def test_every_metric_has_one_verdict():
    comparison = compare(
        {"a": 1, "b": 2, "attempts": 3}, {"a": 1, "b": 1, "attempts": 1}
    )
    counts = count_verdicts(comparison)
    assert counts == {"better": 0, "worse": 1, "same": 1, "changed": 1}


NUMBERS = st.dictionaries(
    st.text(max_size=9), st.floats(allow_nan=False, allow_infinity=False), min_size=1
)


@given(NUMBERS)
def test_what_is_saved_is_what_is_loaded(metrics):
    assert decode(encode(metrics)) == metrics


def test_a_saved_file_is_sorted_json():
    data = encode({"b": 1, "a": None, "c": "é"})
    assert list(json.loads(data)) == ["a", "b", "c"]
    assert data.endswith(b"}\n")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"root:x:0:0",
        b"[1]",
        b"5",
        b"{}",
        b'{"a": "1"}',
        b'{"a": true}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"\xff",
        b'{"x": 1, "a": ' + b"[" * 40 + b"]" * 40 + b"}",
        b"[" * 500_000,
        b'{"a": 1, "b": "' + b"x" * MAX_FILE_BYTES + b'"}',
    ],
)
def test_other_files_are_no_baselines(data):
    with pytest.raises(NoBaselineError) as caught:
        decode(data)
    assert str(caught.value) == ""


@given(
    st.floats(min_value=-1e300, max_value=1e300),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_every_comparison_can_be_written_down(current, baseline):
    json.dumps(compare_one("cpu_max", current, baseline), allow_nan=False)


def test_integers_that_no_float_can_hold_are_no_numbers():
    assert numbers_of({"a": 10**400, "b": 1}) == {"b": 1}


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_numbers_are_finite_and_no_booleans(value):
    for number in numbers_of({"x": value}).values():
        assert isinstance(number, int | float)
        assert math.isfinite(number)
