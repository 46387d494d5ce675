"""The file of an attempt's samples: one JSON list ``[t, cpu, rss_mb, processes]`` a line."""

import json
import os
from collections.abc import Sequence
from typing import Any

#: Seconds since the start, % of one core, MiB and count.
Point = Sequence[Any]
#: Bytes at the end of a file that hold at least one whole line.
_LINE_BYTES = 256
#: Samples of an attempt that become events.
MAX_EVENTS = 100


def read_last(path: str) -> Point | None:
    """Return the newest sample of a file, or None."""
    lines = _read_end(path, _LINE_BYTES).splitlines()
    return _parse(lines[-1]) if lines else None


def read_all(path: str) -> list[Point]:
    """Return all samples of a file; a missing one is empty."""
    lines = _read_end(path, None).splitlines()
    return [point for line in lines if (point := _parse(line)) is not None]


def list_event_data(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return the data of ``sample`` events, at most 100, evenly chosen, the last with it."""
    step = max(1, -(-len(points) // MAX_EVENTS))
    return [
        {
            "elapsed_seconds": seconds,
            "cpu_percent": cpu,
            "memory_mb": memory,
            "processes": processes,
        }
        for seconds, cpu, memory, processes in points[::-1][::step][::-1]
    ]


def _parse(line: bytes) -> Point | None:
    try:
        point = json.loads(line)
    except ValueError:
        return None
    return point if isinstance(point, list) and len(point) == 4 else None


def _read_end(path: str, limit: int | None) -> bytes:
    """Return the last ``limit`` bytes of a file, whole lines only; b"" if it is missing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return b""
    try:
        size = os.fstat(descriptor).st_size
        start = 0 if limit is None else max(0, size - limit)
        data = os.pread(descriptor, size - start, start)
    finally:
        os.close(descriptor)
    whole = data[: data.rfind(b"\n") + 1]
    return whole.partition(b"\n")[2] if start else whole
