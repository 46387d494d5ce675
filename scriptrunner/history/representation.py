"""An execution as the API shows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scriptrunner.history.models import HistoryStats
from scriptrunner.history.repository.removal import METRIC_COLUMNS

_COPIED = (
    "id",
    "run_id",
    "correlation_id",
    "script_path",
    "script_args",
)
_AFTER_TIMES = (
    "execution_time_seconds",
    "exit_code",
)
_LAST = ("stdout_lines", "stderr_lines", "python_version", "platform")
_FLAGS = ("success", "timed_out")


def row_to_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a history item: identity, outcome, and every known number by name."""
    metrics = {name: row[name] for name in METRIC_COLUMNS if row[name] is not None}
    return {
        **{name: row[name] for name in _COPIED},
        "script_sha256": row["script_sha256"],
        "start_time": _time(row["started_at"]),
        "end_time": _time(row["finished_at"]),
        **{name: row[name] for name in _AFTER_TIMES},
        **{name: _flag(row[name]) for name in _FLAGS},
        "status": row["status"],
        "run_status": row["run_status"],
        "reason": row["reason"],
        "trigger": row["trigger"],
        "attempt_number": row["attempt_number"],
        "timeout_seconds": row["timeout_seconds"],
        **{name: row[name] for name in _LAST},
        "created_at": _time(row["created_at"]),
        "metrics": metrics,
    }


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def stats_to_json(stats: HistoryStats | None) -> dict[str, Any]:
    """Return the figures over a history; None is one that nobody has made yet."""
    size = 0 if stats is None else stats.database_size_bytes
    return {
        "total_executions": 0 if stats is None else stats.executions,
        "total_metrics": 0 if stats is None else stats.metrics,
        "total_alerts": 0 if stats is None else stats.alerts,
        "unique_scripts": 0 if stats is None else stats.scripts,
        "total_execution_time_seconds": (
            0.0 if stats is None else round(stats.execution_time_seconds, 6)
        ),
        "database_file": None if stats is None else stats.database_file,
        "database_size_mb": round(size / (1 << 20), 3),
        "oldest": _time_or_none(None if stats is None else stats.oldest),
        "newest": _time_or_none(None if stats is None else stats.newest),
    }


def _time_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else _time(moment)
