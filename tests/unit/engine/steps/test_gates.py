"""Gates: which pass, and what is said of those that do not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine.steps.gates import evaluate, title_of

METRICS = {
    "cpu_max": 91.5,
    "exit_code": 0,
    "timed_out": False,
    "success": True,
    "status": "success",
    "memory_max_mb": None,
    "execution_time_seconds": 2.0,
}


def gate(metric, largest=None, smallest=None):
    return {"metric": metric, "max_value": largest, "min_value": smallest}


@pytest.mark.parametrize(
    ("metric", "largest", "smallest", "passed", "message"),
    [
        ("cpu_max", 80.0, None, False, "cpu_max = 91.5 exceeds max 80"),
        ("cpu", 91.5, None, True, "cpu_max = 91.5 is within max 91.5"),
        ("cpu", 91.4999, None, False, "cpu_max = 91.5 exceeds max 91.4999"),
        ("cpu", None, 91.5, True, "cpu_max = 91.5 is within min 91.5"),
        ("cpu", None, 92.0, False, "cpu_max = 91.5 is below min 92"),
        ("cpu", 100.0, 90.0, True, "cpu_max = 91.5 is within min 90 and max 100"),
        (
            "duration",
            1.5,
            None,
            False,
            "execution_time_seconds = 2 exceeds max 1.5",
        ),
        ("cpu", None, 1.7e308, False, "cpu_max = 91.5 is below min 1.7e+308"),
        ("exit_code", 0.0, 0.0, True, "exit_code = 0 is within min 0 and max 0"),
        ("success", None, 1.0, True, "success = 1 is within min 1"),
        ("timed_out", 0.0, None, True, "timed_out = 0 is within max 0"),
        ("status", 1.0, None, False, "status has no value, so the gate fails"),
        ("memory", 1.0, None, False, "memory_max_mb has no value, so the gate fails"),
        ("nonsense", None, 0.0, False, "nonsense has no value, so the gate fails"),
        # These would be numbers of the service.
        (
            "memory_delta",
            1e9,
            None,
            False,
            "memory_delta has no value, so the gate fails",
        ),
    ],
)
def test_a_gate_says_what_it_saw(metric, largest, smallest, passed, message):
    result = evaluate(gate(metric, largest, smallest), METRICS)
    assert (result["passed"], result["message"]) == (passed, message)
    assert (result["max_value"], result["min_value"]) == (largest, smallest)


@pytest.mark.parametrize("value", [math.nan, math.inf, "12", [1], None])
def test_what_is_no_finite_number_fails(value):
    result = evaluate(gate("x", 1e300, -1e300), {"x": value})
    assert not result["passed"]
    assert result["value"] is None


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e6))
def test_a_value_passes_exactly_within_its_bounds(value, width):
    low, high = -width, width
    result = evaluate(gate("x", high, low), {"x": value})
    assert result["passed"] == (low <= value <= high)


@pytest.mark.parametrize(
    ("largest", "smallest", "title"),
    [
        (80.0, None, "cpu_max <= 80"),
        (None, 0.5, "cpu_max >= 0.5"),
        (80.0, 1.0, "1 <= cpu_max <= 80"),
    ],
)
def test_a_title_holds_no_measured_value(largest, smallest, title):
    assert title_of(gate("cpu", largest, smallest)) == title
