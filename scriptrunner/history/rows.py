"""What is kept of a run as one row: its keys, its cut arguments, its known numbers."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from scriptrunner.history.models import Finished
from scriptrunner.storage.tables.execution import REAL_METRICS, WHOLE_METRICS

#: Bytes of JSON that the kept arguments take at most.
MAX_ARGS_BYTES = 4 << 10
#: The largest number that a column takes.
_MAX_WHOLE = 1 << 63


def path_key(path: str) -> int:
    """Return the number under which executions of the script at ``path`` are found."""
    return _key(path.encode("utf-8", "backslashreplace"))


def args_key(args: Sequence[str]) -> int:
    """Return a number that tells argument lists apart."""
    return _key(json.dumps(list(args)).encode("ascii"))


def _key(content: bytes) -> int:
    digest = hashlib.sha256(content).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def to_row(finished: Finished, execution_id: int | None) -> dict[str, Any]:
    """Return the row of an execution.

    Args:
        finished: What is kept.
        execution_id: Its number; None has the database of a history file count.
    """
    measured = _measure(finished.metrics)
    known = len(measured) - list(measured.values()).count(None)
    path = finished.script_path
    return {
        "id": execution_id,
        "run_id": finished.run_id,
        "script_key": path_key(path),
        "script_path": path.encode("utf-8", "backslashreplace").decode(),
        "script_sha256": finished.script_sha256,
        "script_args": cut_args(finished.script_args),
        "args_key": args_key(finished.script_args),
        "python_version": finished.metrics.get("python_version"),
        "platform": finished.metrics.get("platform"),
        "correlation_id": finished.correlation_id,
        "trigger": finished.trigger,
        "status": finished.status,
        "run_status": finished.run_status,
        "reason": finished.reason,
        "started_at": finished.started_at,
        "finished_at": finished.finished_at,
        "created_at": finished.created_at,
        "metric_count": known,
        "alert_count": finished.alert_count,
        **measured,
    }


def _measure(metrics: Mapping[str, Any]) -> dict[str, int | float | None]:
    """Return every metric the table has a column for; what is no number is None.

    Every run passes here, so what is as it should be is taken without a call.
    """
    get = metrics.get
    whole = {
        name: value
        if (value := get(name)) is None
        or (value.__class__ is int and -_MAX_WHOLE < value < _MAX_WHOLE)
        else _whole(value)
        for name in WHOLE_METRICS
    }
    real = {
        name: value
        if (value := get(name)) is None
        or (value.__class__ is float and math.isfinite(value))
        else _real(value)
        for name in REAL_METRICS
    }
    return {**whole, **real}


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int) and abs(value) < _MAX_WHOLE else None


def _real(value: object) -> float | None:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def cut_args(args: Sequence[str]) -> list[str]:
    """Return as many of the first arguments as fit into 4 KiB of JSON."""
    kept: list[str] = []
    room = MAX_ARGS_BYTES - 2
    for text in args:
        room -= len(json.dumps(text)) + 1
        if room < 0:
            break
        kept.append(text)
    return kept
