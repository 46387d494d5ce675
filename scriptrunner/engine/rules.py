"""Gates and alert rules as a run may ask for them: their one form, and what is wrong.

A rule is a plain mapping, so that it is stored and shown as it was asked for. What they
are worth is decided elsewhere: ``engine/steps/gates.py`` and ``engine/steps/alerts.py``.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scriptrunner.engine.conditions import ConditionError, parse
from scriptrunner.engine.metric_names import METRIC_NAME

Rule = Mapping[str, Any]
#: Kind of fault, place below the rule, and words.
RuleFault = tuple[str, tuple[str | int, ...], str]

MAX_GATES = 50
MAX_ALERTS = 50
MAX_CHANNELS = 20
MAX_ALERT_NAME = 100
SEVERITIES = ("INFO", "WARNING", "ERROR", "CRITICAL")
CHANNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_GATE: Rule = {"metric": None, "max_value": None, "min_value": None}
_ALERT: Rule = {
    "name": "api_alert",
    "condition": None,
    "channels": (),
    "severity": "WARNING",
}


def normalise_gate(gate: Any) -> Any:
    """Return a gate with all its keys and float bounds; what is none stays as it is."""
    if not isinstance(gate, Mapping):
        return gate
    full = {**_GATE, **gate}
    for name in ("max_value", "min_value"):
        full[name] = _to_float(full[name])
    return full


def _to_float(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def normalise_alert(rule: Any) -> Any:
    """Return an alert rule with all its keys; what is none stays as it is."""
    if not isinstance(rule, Mapping):
        return rule
    full = {**_ALERT, **rule}
    if isinstance(full["channels"], list | tuple):
        full["channels"] = list(full["channels"])
    if isinstance(full["severity"], str):
        full["severity"] = full["severity"].upper()
    return full


def iter_gate_faults(gate: Any) -> Iterator[RuleFault]:
    """Yield what is wrong with a normalised gate."""
    if not isinstance(gate, Mapping):
        yield "dict_type", (), "a gate is an object with metric, max_value, min_value"
        return
    yield from _iter_unknown(gate, _GATE, "a gate")
    metric = gate["metric"]
    if not isinstance(metric, str) or not METRIC_NAME.fullmatch(metric):
        words = "metric must be small letters, digits and _, at most 64"
        yield "metric_name", ("metric",), words
    bounds = [gate["max_value"], gate["min_value"]]
    for name, value in zip(("max_value", "min_value"), bounds, strict=True):
        if value is not None and not _is_finite(value):
            yield "finite_number", (name,), f"{name} must be a finite number or null"
            return
    problem = find_bounds_problem(*bounds)
    if problem:
        yield "gate_bounds", (), problem


def find_bounds_problem(max_value: float | None, min_value: float | None) -> str | None:
    """Return what is wrong with the bounds of a gate together, or None."""
    if max_value is None and min_value is None:
        return "a gate needs max_value, min_value or both"
    if max_value is not None and min_value is not None and min_value > max_value:
        return "min_value must not be larger than max_value"
    return None


def _is_finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _iter_unknown(rule: Rule, known: Rule, what: str) -> Iterator[RuleFault]:
    for name in rule:
        if name not in known:
            words = f"{str(name)[:64]} is not a key of {what}"
            yield "extra_forbidden", (str(name),), words


def iter_alert_faults(rule: Any) -> Iterator[RuleFault]:
    """Yield what is wrong with a normalised alert rule."""
    if not isinstance(rule, Mapping):
        yield (
            "dict_type",
            (),
            "an alert is an object with name, condition, channels ...",
        )
        return
    yield from _iter_unknown(rule, _ALERT, "an alert")
    for name, problem in (
        ("name", find_name_problem(rule["name"])),
        ("condition", find_condition_problem(rule["condition"])),
        ("severity", find_severity_problem(rule["severity"])),
    ):
        if problem:
            yield "alert_rule", (name,), problem
    channels = rule["channels"]
    if not isinstance(channels, list) or len(channels) > MAX_CHANNELS:
        words = f"channels must be a list of at most {MAX_CHANNELS} names"
        yield "alert_rule", ("channels",), words
        return
    for number, channel in enumerate(channels):
        problem = find_channel_problem(channel)
        if problem:
            yield "alert_rule", ("channels", number), problem


def find_name_problem(name: object) -> str | None:
    """Return what is wrong with the name of an alert, or None."""
    is_text = isinstance(name, str) and name.isprintable() and name.strip() != ""
    if is_text and len(str(name)) <= MAX_ALERT_NAME:
        return None
    return f"name must be 1 to {MAX_ALERT_NAME} printable characters"


def find_condition_problem(text: object) -> str | None:
    """Return what is wrong with a condition, with the column of the fault, or None."""
    if not isinstance(text, str):
        return "condition must be a text such as execution_time_seconds > 10"
    try:
        parse(text)
    except ConditionError as error:
        return f"condition, {error}"
    return None


def find_severity_problem(severity: object) -> str | None:
    """Return what is wrong with a severity (in capitals), or None."""
    return None if severity in SEVERITIES else f"severity must be {_either(SEVERITIES)}"


def find_channel_problem(name: object) -> str | None:
    """Return what is wrong with the form of a channel's name, or None."""
    if isinstance(name, str) and CHANNEL_NAME.fullmatch(name):
        return None
    return "a channel is named by letters, digits, dot, _ and -, at most 64"


def _either(names: Iterable[str]) -> str:
    return f"one of {', '.join(names)}"
