"""Figures of a running attempt, from the files that its keeper writes."""

from pathlib import Path
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.engine import sample_file
from scriptrunner.engine.outcomes import LIVE_PHASES
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.models import AttemptRecord, RunListItem


def read_live(
    item: RunListItem, attempts: list[AttemptRecord], folders: RunFolders, clock: Clock
) -> dict[str, Any] | None:
    """Return the figures of a run's current attempt, or None if none runs.

    Args:
        item: The run.
        attempts: Its attempts.
        folders: The run folders.
        clock: Tells how long it has been running.
    """
    if item.phase not in LIVE_PHASES:
        return None
    current = next((each for each in attempts if each.n == item.attempt), None)
    began_at = current.started_at if current is not None else None
    elapsed = None
    if began_at is not None:
        elapsed = max(0.0, round((clock.utc_now() - began_at).total_seconds(), 3))
    prefix = f"{folders.path(item.id)}/a{item.attempt}"
    sample = sample_file.read_last(f"{prefix}.samples")
    return {
        "elapsed_seconds": elapsed,
        "cpu_percent": sample[1] if sample else None,
        "memory_mb": sample[2] if sample else None,
        "processes": sample[3] if sample else None,
        "stdout_bytes": _size_of(f"{prefix}.out"),
        "stderr_bytes": _size_of(f"{prefix}.err"),
    }


def read_samples(path: str, *, interval_seconds: float) -> dict[str, Any]:
    """Return all samples of an attempt as columns.

    Args:
        path: The file of samples; a missing one is empty.
        interval_seconds: Asked-for time between two samples.

    Returns:
        ``interval``, and lists of the same length: ``t`` (seconds since the start),
        ``cpu`` (% of one core), ``rss_mb``, ``processes``.
    """
    points = sample_file.read_all(path)
    columns = list(zip(*points, strict=True)) if points else [(), (), (), ()]
    names = ("t", "cpu", "rss_mb", "processes")
    values = dict(zip(names, (list(each) for each in columns), strict=True))
    return {"interval": interval_seconds, **values}


def _size_of(path: str) -> int:
    try:
        return Path(path).lstat().st_size
    except FileNotFoundError:
        return 0
