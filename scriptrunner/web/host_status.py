"""The system status: machine, disk, queue, supervisor, streams, interpreter.

Every worker gives the same answer: nothing in it is known to one process alone. What
cannot be read is ``None``.
"""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from scriptrunner import __version__
from scriptrunner.application.parts import make_history_policy, make_run_policy
from scriptrunner.settings import Settings
from scriptrunner.supervisor.rounds import last_round
from scriptrunner.web.runtime import Runtime

T = TypeVar("T")

#: Seconds without a sign of life after which the supervisor counts as gone.
SUPERVISOR_SILENCE_SECONDS = 5.0


def describe_host(runtime: Runtime) -> dict[str, Any]:
    """Return the body of ``GET /api/system/status``."""
    settings = runtime.settings
    note = _read_note(settings.data_dir / "supervisor.json")
    return {
        "cpu_load": _tried(_cpu_load) or [0.0, 0.0, 0.0],
        "cpu_count": os.cpu_count(),
        "memory": _tried(_memory)
        or {"total": None, "available": None, "percent": None},
        "disk": _disk(settings),
        "queue": runtime.services.runs.get_queue(),
        "supervisor": describe_supervisor(note),
        "streams": {
            "open": runtime.workers.count_streams(),
            "limit": settings.streams_limit,
        },
        "retention": describe_retention(settings),
        "interpreter": note.get("interpreter") or {"version": None, "start_ms": None},
        "version": __version__,
        "uptime_seconds": round(runtime.workers.uptime_seconds(), 1),
        "containment": {"level": 0, "name": "same user", "requested": 0},
    }


def _tried(look: Callable[[], T]) -> T | None:
    try:
        return look()
    except (OSError, AttributeError):
        return None


def _cpu_load() -> list[float]:
    return [round(load, 2) for load in os.getloadavg()]


def _memory() -> dict[str, Any]:
    total, available = _read_meminfo() or _ask_psutil()
    percent = round(100 * (total - available) / total, 1)
    return {"total": total, "available": available, "percent": percent}


def _read_meminfo() -> tuple[int, int] | None:
    """Return all and available memory in bytes, or None where there is no /proc."""
    try:
        text = Path("/proc/meminfo").read_text()
        lines = dict(line.split(":", 1) for line in text.splitlines())
        total, available = (
            int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable")
        )
    except (OSError, LookupError, ValueError):
        return None
    return total, available


def _ask_psutil() -> tuple[int, int]:
    import psutil  # noqa: PLC0415 - 30 ms and 3 MB, needed only where there is no /proc

    memory = psutil.virtual_memory()
    return memory.total, memory.available


def _disk(settings: Settings) -> dict[str, Any]:
    try:
        found = os.statvfs(settings.data_dir)
    except OSError:
        return {
            "total": None,
            "available": None,
            "percent": None,
            "accepting_runs": False,
        }
    total, free = found.f_blocks * found.f_frsize, found.f_bfree * found.f_frsize
    available = found.f_bavail * found.f_frsize
    used = total - free
    percent = round(100 * used / (used + available), 1) if used + available else None
    return {
        "total": total,
        "available": available,
        "percent": percent,
        "accepting_runs": available >= settings.disk_margin_bytes,
    }


def describe_retention(settings: Settings) -> dict[str, Any]:
    """Return what is kept of runs and history, and when that was last seen to."""
    parts = {
        "runs": (make_run_policy(settings), settings.run_rounds_path),
        "history": (make_history_policy(settings), settings.history_rounds_path),
    }
    return {
        name: {**policy.to_json(), "last_round_at": _tried(partial(last_round, stamp))}
        for name, (policy, stamp) in parts.items()
    }


def describe_supervisor(note: dict[str, Any]) -> dict[str, Any]:
    """Return the supervisor's part, from what it wrote and when it last touched that."""
    silence = note.get("silence_seconds")
    return {
        "alive": silence is not None and silence < SUPERVISOR_SILENCE_SECONDS,
        "since": note.get("since"),
        "last_tick_seconds": silence,
        "restarts": note.get("restarts"),
        "degraded": note.get("degraded", []),
    }


def _read_note(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_bytes())
        silence = max(0.0, time.time() - path.stat().st_mtime)
    except (OSError, ValueError):
        return {}
    return (
        {**note, "silence_seconds": round(silence, 1)} if isinstance(note, dict) else {}
    )
