"""The form of every option of a run, and what is said of a value that has another one.

Ranges that have a code of their own are ``plan``'s; here are the faults of which an answer
lists all at once.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from scriptrunner.engine import retry, rules

RETRY_STRATEGIES = retry.RETRY_STRATEGIES
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
VISUALIZER_FORMATS = ("text", "json")

#: Seconds of the longest timeout and of the longest ``retry_max_time``: seven days.
MAX_TIMEOUT_SECONDS = 604_800
#: Seconds of the longest single delay before a retry.
MAX_DELAY_SECONDS = 86_400
MAX_ATTEMPTS = 20
#: Characters or digits of a wrong value that an error repeats.
MAX_ECHO = 200


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_int_or_none(value: object) -> bool:
    return value is None or _is_int(value)


def _is_attempt_count(value: Any) -> bool:
    return _is_int(value) and 1 <= value <= MAX_ATTEMPTS


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) for each in value)


def _is_text_by_name(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    )


#: How to tell a good value from a wrong one, the kind of fault, and what is wanted.
_Form = tuple[Callable[[Any], bool], str, str]


def _choice(choices: Sequence[str]) -> _Form:
    return choices.__contains__, "enum", f"one of {', '.join(choices)}"


def _range(low: float, high: float) -> _Form:
    def is_in_range(value: object) -> bool:
        return isinstance(value, float) and low <= value <= high

    return is_in_range, "float_range", f"a number from {low:g} to {high:.10g}"


def _list_of_rules(most: int, what: str) -> _Form:
    def is_list(value: object) -> bool:
        return isinstance(value, tuple) and len(value) <= most

    return is_list, "list_type", f"a list of at most {most} {what}"


_SWITCH: _Form = (_is_bool, "bool_type", "true or false")
_SECONDS = _range(0.0, float(MAX_DELAY_SECONDS))

#: The form of every option; ranges of 400 errors are checked afterwards.
_FORMS: dict[str, _Form] = {
    "args": (_is_texts, "list_type", "a list of texts"),
    "timeout": (_is_int_or_none, "int_type", "a whole number of seconds or null"),
    "log_level": _choice(LOG_LEVELS),
    "retry_on_failure": _SWITCH,
    "retry_max_attempts": (
        _is_attempt_count,
        "int_range",
        f"a whole number from 1 to {MAX_ATTEMPTS}",
    ),
    "retry_strategy": _choice(RETRY_STRATEGIES),
    "retry_initial_delay": _SECONDS,
    "retry_max_delay": _SECONDS,
    "retry_multiplier": _range(1.0, 100.0),
    "retry_max_time": _range(0.0, float(MAX_TIMEOUT_SECONDS)),
    "working_dir": (_is_text_or_none, "string_type", "a path or null"),
    "stream_output": _SWITCH,
    "monitor_interval": _range(0.05, 60.0),
    "env_vars": (_is_text_by_name, "dict_type", "an object of texts by name"),
    "dry_run": _SWITCH,
    "enable_visualizer": _SWITCH,
    "visualizer_format": _choice(VISUALIZER_FORMATS),
    "history_db": (_is_text_or_none, "string_type", "a name or null"),
    "enable_history": _SWITCH,
    "performance_gates": _list_of_rules(rules.MAX_GATES, "gates"),
    "junit_output": (_is_text_or_none, "string_type", "a path or null"),
    "save_baseline": (_is_text_or_none, "string_type", "a path or null"),
    "load_baseline": (_is_text_or_none, "string_type", "a name or null"),
    "alerts": _list_of_rules(rules.MAX_ALERTS, "alerts"),
    "slack_webhook": (_is_text_or_none, "string_type", "an https address or null"),
    "enable_code_analysis": _SWITCH,
    "enable_secret_scanning": _SWITCH,
    "enable_dependency_scanning": _SWITCH,
    "enable_cost_tracking": _SWITCH,
}
#: What is wrong with one entry of a list, by the name of the list.
_ENTRY_FAULTS = {
    "performance_gates": rules.iter_gate_faults,
    "alerts": rules.iter_alert_faults,
}
#: Options whose values are never repeated.
_SECRET_NAMES = ("env_vars", "slack_webhook")


def iter_faults(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a fault per wrong option, in the order of the options ``values``."""
    for name, value in values.items():
        is_good, kind, wanted = _FORMS[name]
        if not is_good(value):
            message = f"{name} must be {wanted}"
            shown = None if name in _SECRET_NAMES else value
            yield fault(kind, name, message, shown)
        elif name in _ENTRY_FAULTS and value:
            yield from _entry_faults(name, value)


def fault(kind: str, name: str, message: str, value: object) -> dict[str, Any]:
    """Return a fault as answers show it; only short scalars are echoed."""
    found: dict[str, Any] = {"type": kind, "loc": ["body", name], "msg": message}
    if _can_be_echoed(value):
        found["input"] = value
    return found


def _entry_faults(name: str, entries: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """Yield the faults of the entries of a list, each with its place."""
    for number, entry in enumerate(entries):
        for kind, place, message in _ENTRY_FAULTS[name](entry):
            words = f"{name}[{number}]: {message}"
            yield {"type": kind, "loc": ["body", name, number, *place], "msg": words}


def _can_be_echoed(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_ECHO
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) < 10**MAX_ECHO
