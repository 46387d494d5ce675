"""Performance gates: bounds of metrics that a run must keep to count as completed."""

from collections.abc import Mapping
from typing import Any

from scriptrunner.engine.metric_names import canonical
from scriptrunner.engine.steps.ending import Ending
from scriptrunner.engine.steps.numbers import number_text, to_number

STAGE = "Gates"


def is_wanted(request: Mapping[str, Any]) -> bool:
    """Return whether there are gates."""
    return bool(request.get("performance_gates"))


def work(ending: Ending) -> Mapping[str, Any]:
    """Evaluate every gate once, on the metrics of the last attempt."""
    gates = ending.request["performance_gates"]
    results = [evaluate(gate, ending.metrics) for gate in gates]
    failed = sum(not each["passed"] for each in results)
    ending.result["performance_gates_results"] = results
    ending.result["performance_gates_passed"] = failed == 0
    passed = len(results) - failed
    names = [each["metric"] for each in results if not each["passed"]]
    ending.note("gates", passed=passed, failed=failed, failed_metrics=names, error=None)
    if failed:
        ending.fail(f"{failed} of {len(results)} gates failed")
    return {"passed": passed, "failed": failed}


def evaluate(gate: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of one gate.

    A metric that is missing or is no number fails its gate; booleans count as 1 and 0.
    A value that equals a bound passes.

    Args:
        gate: ``metric`` (also by an alias), ``max_value``, ``min_value``.
        metrics: By their own names.
    """
    metric = canonical(gate["metric"])
    largest, smallest = gate["max_value"], gate["min_value"]
    value = to_number(metrics.get(metric))
    passed = False
    if value is None:
        message = f"{metric} has no value, so the gate fails"
    elif largest is not None and value > largest:
        message = _say(metric, value, "exceeds max", largest)
    elif smallest is not None and value < smallest:
        message = _say(metric, value, "is below min", smallest)
    else:
        passed = True
        message = f"{metric} = {number_text(value)} is within {bounds_text(gate)}"
    return {
        "metric": metric,
        "value": value,
        "max_value": largest,
        "min_value": smallest,
        "passed": passed,
        "message": message,
    }


def _say(metric: str, value: float, words: str, bound: float) -> str:
    return f"{metric} = {number_text(value)} {words} {number_text(bound)}"


def bounds_text(gate: Mapping[str, Any]) -> str:
    """Return the bounds of a gate in words, such as ``min 1 and max 80``."""
    parts = [
        f"{word} {number_text(gate[name])}"
        for word, name in (("min", "min_value"), ("max", "max_value"))
        if gate[name] is not None
    ]
    return " and ".join(parts)


def title_of(gate: Mapping[str, Any]) -> str:
    """Return what a gate asks for, without any measured value: ``cpu_max <= 80``."""
    title = canonical(gate["metric"])
    if gate["min_value"] is not None and gate["max_value"] is None:
        return f"{title} >= {number_text(gate['min_value'])}"
    if gate["min_value"] is not None:
        title = f"{number_text(gate['min_value'])} <= {title}"
    return f"{title} <= {number_text(gate['max_value'])}"
