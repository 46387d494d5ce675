"""Samples of a process tree: CPU, memory, processes, threads, descriptors over time.

Standard library only; runs inside the shim. One sample of six processes takes about
0.4 ms, and nothing here ever delays the end of a run.
"""

import json
import os

from scriptrunner.engine import process_tree

#: Points kept for a chart; beyond it every second one is dropped.
MAX_POINTS = 1_000
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 1048576


class Monitor:
    """Watches everything below the calling process.

    Args:
        pid: The keeper; its descendants are sampled, itself never.
        path: File for the points, one JSON array ``[t, cpu, rss_mb, processes]`` a line.
        interval_seconds: Wanted time between two samples.
        started: Monotonic seconds at which the script was started.
    """

    def __init__(
        self, pid: int, path: str, *, interval_seconds: float, started: float
    ) -> None:
        self._pid = pid
        self._path = path
        self.interval = interval_seconds
        self._started = started
        self._previous_at = started
        self._previous_ticks = 0
        self.reaped_seconds = 0.0
        self.samples = 0
        self.cpu_max: float | None = None
        self.cpu_min: float | None = None
        self.memory_max: float | None = None
        self.memory_min: float | None = None
        self._memory_area = 0.0
        self._memory_time = 0.0
        self.processes_max: int | None = None
        self.threads_max: int | None = None
        self.descriptors_max: int | None = None
        self._points: list[tuple[float, float, float, int]] = []
        self._stride = 1
        self._file: int | None = None

    @property
    def memory_avg(self) -> float | None:
        """Mean of the summed RSS, weighted by time, in MiB; None without samples."""
        if not self._memory_time:
            return self.memory_max
        return self._memory_area / self._memory_time

    def sample(self, now: float) -> None:
        """Take one sample at monotonic time ``now``."""
        stats = [
            each
            for each in process_tree.list_descendants(self._pid)
            if each.state != b"Z"
        ]
        if not stats:
            return
        elapsed = max(now - self._previous_at, 1e-6)
        ticks = sum(each.cpu_ticks for each in stats)
        spent = (ticks - self._previous_ticks) / TICKS_PER_SECOND + self.reaped_seconds
        cpu = 100.0 * max(spent, 0.0) / elapsed
        memory = sum(each.rss_pages for each in stats) * PAGE_MIB
        self._note(cpu, memory, elapsed, stats)
        self._previous_at, self._previous_ticks = now, ticks
        self.reaped_seconds = 0.0
        self._keep(
            (round(now - self._started, 3), round(cpu, 1), round(memory, 2), len(stats))
        )

    def _note(
        self, cpu: float, memory: float, elapsed: float, stats: list[process_tree.Stat]
    ) -> None:
        self.samples += 1
        self.cpu_max = cpu if self.cpu_max is None else max(self.cpu_max, cpu)
        self.cpu_min = cpu if self.cpu_min is None else min(self.cpu_min, cpu)
        self.memory_max = (
            memory if self.memory_max is None else max(self.memory_max, memory)
        )
        self.memory_min = (
            memory if self.memory_min is None else min(self.memory_min, memory)
        )
        self._memory_area += memory * elapsed
        self._memory_time += elapsed
        self.processes_max = max(self.processes_max or 0, len(stats))
        self.threads_max = max(
            self.threads_max or 0, sum(each.threads for each in stats)
        )
        descriptors = sum(_count_descriptors(each.pid) for each in stats)
        self.descriptors_max = max(self.descriptors_max or 0, descriptors)

    def _keep(self, point: tuple[float, float, float, int]) -> None:
        if self.samples % self._stride:
            return
        self._points.append(point)
        if len(self._points) > MAX_POINTS:
            self._points = self._points[1::2]
            self._stride *= 2
            self._rewrite()
        else:
            self._append([point])

    def _append(self, points: list[tuple[float, float, float, int]]) -> None:
        text = "".join(json.dumps(each) + "\n" for each in points)
        try:
            if self._file is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file = os.open(self._path, flags, 0o600)
            os.write(self._file, text.encode("ascii"))
        except OSError:
            return  # a full disk costs the chart some points, never the run

    def close(self) -> None:
        """Close the file of points."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _rewrite(self) -> None:
        if self._file is not None:
            os.ftruncate(self._file, 0)
        self._append(self._points)


def _count_descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
