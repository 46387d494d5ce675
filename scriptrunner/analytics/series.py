"""A series of one metric in the forms in which answers show it."""

from collections.abc import Sequence
from typing import Any

from scriptrunner.analytics.causes import find_causes
from scriptrunner.analytics.change_points import Levels, Shift, find_levels
from scriptrunner.analytics.models import NUMERIC
from scriptrunner.clock import to_text
from scriptrunner.history.models import Point
from scriptrunner.history.store import HistoryStore

#: How a cause is named in a sentence.
_KINDS = {
    "version": "the script changed",
    "arguments": "the arguments changed",
    "interpreter": "the interpreter changed",
}
_COLUMNS = {"version": "script_sha256", "arguments": "args_key"}


def point_to_json(point: Point) -> dict[str, Any]:
    """Return a point as answers show it."""
    return {"run_id": point.run_id, "time": to_text(point.at), "value": point.value}


def describe_levels(
    points: Sequence[Point], *, metric: str, store: HistoryStore
) -> tuple[Levels, list[dict[str, Any]]]:
    """Return the levels of a series, and its shifts with what changed there.

    Args:
        points: Oldest first.
        metric: Its own name.
        store: The history they are from; asked when a version was first seen.
    """
    levels = find_levels([point.value for point in points])
    is_one_script = len({point.script_path for point in points}) == 1
    edges = [0, *(shift.index for shift in levels.shifts), len(points)]
    described = []
    for number, shift in enumerate(levels.shifts):
        causes = []
        if is_one_script:
            begin, end = edges[number], edges[number + 2]
            found = find_causes(points, shift, begin=begin, end=end)
            causes = [
                _describe_cause(cause.kind, cause.index, points, store)
                for cause in found
            ]
        described.append(_describe_shift(shift, points, metric, causes))
    return levels, described


def _describe_shift(
    shift: Shift, points: Sequence[Point], metric: str, causes: list[dict[str, Any]]
) -> dict[str, Any]:
    first = points[shift.index]
    is_rise = shift.after > shift.before
    less_is_better = NUMERIC[metric].less_is_better
    return {
        "index": shift.index,
        "run_id": first.run_id,
        "time": to_text(first.at),
        "earliest_index": shift.earliest,
        "latest_index": shift.latest,
        "before": shift.before,
        "after": shift.after,
        "difference": shift.after - shift.before,
        "percent_change": shift.percent,
        "runs_before": shift.runs_before,
        "runs_after": shift.runs_after,
        "p_value": shift.p_value,
        "direction": "increase" if is_rise else "decrease",
        "is_worse": None if less_is_better is None else is_rise == less_is_better,
        "causes": causes,
        "blamed": causes[0] if causes else None,
        "summary": _sentence(shift, first, metric, causes),
    }


def _sentence(
    shift: Shift, first: Point, metric: str, causes: list[dict[str, Any]]
) -> str:
    unit = NUMERIC[metric].unit
    verb = "rose" if shift.after > shift.before else "fell"
    change = "" if shift.percent is None else f" ({shift.percent:+g} %)"
    words = (
        f"{metric} {verb} from {shift.before:.4g} to {shift.after:.4g}"
        f"{f' {unit}' if unit else ''}{change} at {to_text(first.at)}"
    )
    if not causes:
        return f"{words}; nothing else is known to have changed there"
    told = [
        f"{_KINDS[cause['kind']]} ({_short(cause['from'])} → {_short(cause['to'])})"
        for cause in causes
    ]
    return f"{words}, where {' and '.join(told)}"


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value[:12]
    if isinstance(value, list):
        text = " ".join(value)
        return text[:40] + ("…" if len(text) > 40 else "")
    return "unknown"


def _describe_cause(
    kind: str, index: int, points: Sequence[Point], store: HistoryStore
) -> dict[str, Any]:
    """Return what changed at a run: from what to what, and since when that was known."""
    new, old = points[index], points[index - 1]
    cause: dict[str, Any] = {
        "kind": kind,
        "index": index,
        "run_id": new.run_id,
        "time": to_text(new.at),
        "from": _value_of(kind, old, store),
        "to": _value_of(kind, new, store),
        "last_run_before": old.run_id,
    }
    seen = None
    if kind == "version" and new.script_sha256 is not None:
        seen = store.find_first_seen(new.script_path, _COLUMNS[kind], new.script_sha256)
    elif kind == "arguments":
        seen = store.find_first_seen(new.script_path, _COLUMNS[kind], new.args_key)
    cause["first_seen"] = None if seen is None else to_text(seen[0])
    cause["first_run_id"] = None if seen is None else seen[1]
    return cause


def _value_of(kind: str, point: Point, store: HistoryStore) -> Any:
    if kind == "version":
        return point.script_sha256
    if kind == "arguments":
        return store.find_args(point.execution_id)
    parts = [part for part in (point.python_version, point.platform) if part]
    return " on ".join(parts) or None


def levels_to_json(points: Sequence[Point], levels: Levels) -> list[dict[str, Any]]:
    """Return the stretches between the shifts with their medians."""
    if not levels.shifts:
        return []
    edges = [0, *(shift.index for shift in levels.shifts), len(points)]
    medians = [levels.shifts[0].before, *(shift.after for shift in levels.shifts)]
    return [
        {
            "from_index": begin,
            "to_index": end - 1,
            "from_time": to_text(points[begin].at),
            "to_time": to_text(points[end - 1].at),
            "median": middle,
        }
        for begin, end, middle in zip(edges, edges[1:], medians, strict=False)
    ]
