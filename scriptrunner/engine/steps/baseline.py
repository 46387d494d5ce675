"""Baselines: metrics of a good run kept by name, and later runs compared with them."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from scriptrunner.engine.metric_names import METRICS
from scriptrunner.engine.output_files import OutputError
from scriptrunner.engine.steps.ending import Ending
from scriptrunner.engine.steps.numbers import to_number

STAGE = "Baseline"
#: Bytes of a file with a baseline, and levels of JSON in it.
MAX_FILE_BYTES = 1 << 20
MAX_DEPTH = 32
#: Percent by which a metric may differ and still count as the same.
TOLERANCE_PERCENT = 5.0


class NoBaselineError(ValueError):
    """These bytes are no baseline; the message tells nothing of what they are."""


def is_wanted(request: Mapping[str, Any]) -> bool:
    """Return whether a baseline is saved or loaded."""
    names = ("save_baseline", "load_baseline")
    return any(request.get(name) is not None for name in names)


def work(ending: Ending) -> Mapping[str, Any]:
    """Compare first, then save."""
    details: dict[str, Any] = {}
    if ending.request["load_baseline"] is not None:
        details |= _compare(ending)
    if ending.request["save_baseline"] is not None:
        details |= _save(ending)
    return details


def _compare(ending: Ending) -> Mapping[str, Any]:
    name, found = ending.request["load_baseline"], ending.found
    if found.baseline is None:
        error = found.baseline_error or "no such baseline"
        ending.result["baseline_load_error"] = error
        ending.fail(error)
        _note(ending, "load", name, None, error)
        return {}
    comparison = compare(ending.metrics, found.baseline)
    ending.result["baseline_comparison"] = comparison
    verdicts = count_verdicts(comparison)
    _note(ending, "load", name, verdicts, None)
    return {"compared_with": name, **verdicts}


def _save(ending: Ending) -> Mapping[str, Any]:
    name = ending.request["save_baseline"]
    try:
        if not ending.is_success:
            raise OutputError("only a run that succeeds and keeps its gates is saved")
        saved = ending.files.write(name, encode(ending.metrics))
    except OutputError as error:
        ending.result["baseline_save_error"] = str(error)
        ending.fail(str(error))
        _note(ending, "save", name, None, str(error))
        return {}
    ending.result["baseline_saved"] = saved
    ending.saved_baseline = saved, dict(ending.metrics)
    _note(ending, "save", saved, None, None)
    return {"saved": saved}


def _note(
    ending: Ending,
    action: str,
    name: str,
    verdicts: Mapping[str, int] | None,
    error: str | None,
) -> None:
    ending.note("baseline", action=action, name=name, verdicts=verdicts, error=error)


def encode(metrics: Mapping[str, Any]) -> bytes:
    """Return metrics as the JSON file of a baseline, keys sorted."""
    text = json.dumps(metrics, sort_keys=True, indent=2, allow_nan=False)
    return text.encode("ascii") + b"\n"


def decode(data: bytes) -> dict[str, float]:
    """Return the numbers in a file with a baseline.

    Raises:
        NoBaselineError: If it is larger than 1 MiB, no JSON object, nested deeper than
            32 levels, or has no number in it.
    """
    if len(data) > MAX_FILE_BYTES:
        raise NoBaselineError
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise NoBaselineError from None
    if not isinstance(value, dict) or _is_too_deep(value):
        raise NoBaselineError
    numbers = numbers_of(value)
    if not numbers:
        raise NoBaselineError
    return numbers


def _is_too_deep(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for each in level for inner in _iter_inner(each)]
        if not level:
            return False
    return True


def _iter_inner(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def numbers_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return what in ``metrics`` is a finite number; booleans are none here."""
    return {
        name: number
        for name, value in metrics.items()
        if not isinstance(value, bool) and (number := to_number(value)) is not None
    }


def compare(
    metrics: Mapping[str, Any], baseline: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Return how each number that both have has changed, by name.

    ``percent_change`` is 100 · delta / abs(baseline), None if the baseline is 0 and the
    value is not, or if it is so close to 0 that no number says how much. The verdict is ``same`` up to 5 % either way, else ``better`` or
    ``worse`` where less (or more) is known to be better, else ``changed``.
    """
    current = numbers_of(metrics)
    return {
        name: _compare_one(name, current[name], float(baseline[name]))
        for name in sorted(current.keys() & baseline.keys())
    }


def _compare_one(name: str, current: float, baseline: float) -> dict[str, Any]:
    delta = round(current - baseline, 6)
    percent: float | None = 0.0
    if baseline:
        percent = _finite(round((current - baseline) / abs(baseline) * 100.0, 2))
    elif current:
        percent = None
    return {
        "current": current,
        "baseline": baseline,
        "delta": delta,
        "percent_change": percent,
        "verdict": _judge(name, delta, percent),
    }


def _finite(value: float) -> float | None:
    """Return None for what is too large a number to be written down."""
    return value if math.isfinite(value) else None


def _judge(name: str, delta: float, percent: float | None) -> str:
    if percent is not None and abs(percent) <= TOLERANCE_PERCENT:
        return "same"
    metric = METRICS.get(name)
    if metric is None or metric.less_is_better is None:
        return "changed"
    return "better" if (delta < 0) == metric.less_is_better else "worse"


def count_verdicts(comparison: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return how many metrics got each verdict; each verdict is there."""
    counts = dict.fromkeys(("better", "worse", "same", "changed"), 0)
    for each in comparison.values():
        counts[each["verdict"]] += 1
    return counts
