"""The catalogue of metrics: names, units, meanings, and the other names they go by.

What a run's metrics are called is said here once, for gates, alert conditions, baselines,
analytics and their pages. The numbers themselves come from ``engine/metrics.py``.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Form of a name that a gate, a condition or a query may use.
METRIC_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a run."""

    name: str
    #: ``s``, ``%``, ``MiB``, ``KiB``, ``bytes``, ``count``, ``ratio``, ``currency``;
    #: None for booleans, texts and numbers that only identify.
    unit: str | None
    #: One sentence for people.
    description: str
    #: Whether less is better; None where neither is.
    less_is_better: bool | None = None
    #: ``number``, ``boolean`` or ``text``.
    kind: str = "number"

    @property
    def is_numeric(self) -> bool:
        """Whether it can be compared and counted; booleans are 1 and 0."""
        return self.kind != "text"


_TEXTS = (
    Metric("script_path", None, "Path of the script as it was given", kind="text"),
    Metric("script_args", None, "Arguments of the script", kind="text"),
    Metric("correlation_id", None, "Id on all that belongs to the run", kind="text"),
    Metric("status", None, "How the script fared", kind="text"),
    Metric("start_time", None, "Start of the attempt, UTC", kind="text"),
    Metric("end_time", None, "End of the attempt, UTC", kind="text"),
    Metric("python_version", None, "Of the interpreter of the script", kind="text"),
    Metric("platform", None, "System that ran the script", kind="text"),
)
_OUTCOME = (
    Metric("success", None, "The run completed", less_is_better=False, kind="boolean"),
    Metric("timed_out", None, "The attempt took too long", True, "boolean"),
    Metric("exit_code", None, "Exit code of the script, -n for signal n"),
    Metric("attempt_number", "count", "Number of the last attempt, from 1"),
    Metric("attempts", "count", "Attempts made", True),
    Metric("timeout_seconds", "s", "Limit of an attempt"),
)
_TIMES = (
    Metric(
        "execution_time_seconds",
        "s",
        "From just before the script's start to its exit",
        True,
    ),
    Metric(
        "total_time_seconds",
        "s",
        "From the first start to the run's end, with all waits",
        True,
    ),
    Metric("queue_time_seconds", "s", "From queueing to the first start", True),
    Metric("user_time_seconds", "s", "CPU time in the programs of the tree", True),
    Metric("system_time_seconds", "s", "CPU time in the kernel for the tree", True),
    Metric("cpu_time_seconds", "s", "User and system time together", True),
)
_LOAD = (
    Metric("cpu_avg", "%", "CPU time by execution time; 200 is two cores busy", True),
    Metric("cpu_max", "%", "Highest load between two samples", True),
    Metric("cpu_min", "%", "Lowest load between two samples", True),
    Metric("max_memory_mb", "MiB", "Peak memory of the largest single process", True),
    Metric("max_memory_kb", "KiB", "Peak memory of the largest single process", True),
    Metric("memory_max_mb", "MiB", "Highest summed memory of the tree", True),
    Metric("memory_avg_mb", "MiB", "Mean summed memory of the tree", True),
    Metric("memory_min_mb", "MiB", "Lowest summed memory of the tree", True),
)
_COUNTS = (
    Metric("page_faults_minor", "count", "Page faults without reading", True),
    Metric("page_faults_major", "count", "Page faults that had to read", True),
    Metric("voluntary_context_switches", "count", "Times the tree waited", True),
    Metric("involuntary_context_switches", "count", "Times it was interrupted", True),
    Metric("block_input_ops", "count", "Blocks read from storage", True),
    Metric("block_output_ops", "count", "Blocks written to storage", True),
    Metric("io_read_bytes", "bytes", "Bytes read from storage", True),
    Metric("io_write_bytes", "bytes", "Bytes written to storage", True),
    Metric("process_count_max", "count", "Most processes at once", True),
    Metric("num_threads_max", "count", "Most threads at once", True),
    Metric("num_fds_max", "count", "Most open descriptors at once", True),
    Metric("stdout_lines", "count", "Lines of standard output"),
    Metric("stderr_lines", "count", "Lines of error output", True),
    Metric("stdout_bytes", "bytes", "Bytes the script wrote to standard output"),
    Metric("stderr_bytes", "bytes", "Bytes it wrote to the error output", True),
    Metric("stdout_dropped_bytes", "bytes", "Of these, bytes beyond the cap", True),
    Metric("stderr_dropped_bytes", "bytes", "Of these, bytes beyond the cap", True),
    Metric("sample_count", "count", "Samples taken"),
    Metric("sampling_efficiency", "ratio", "Samples taken by samples due", False),
    Metric("cost_total", "currency", "Estimated cost of all attempts", True),
)

#: Every metric by its name.
METRICS: Mapping[str, Metric] = {
    each.name: each for each in (*_TEXTS, *_OUTCOME, *_TIMES, *_LOAD, *_COUNTS)
}
_NAMED_ALIASES = {
    "execution_time": "execution_time_seconds",
    "exec_time": "execution_time_seconds",
    "duration": "execution_time_seconds",
    "duration_seconds": "execution_time_seconds",
    "cpu": "cpu_max",
    "cpu_percent": "cpu_avg",
    "memory": "memory_max_mb",
    "memory_mb": "memory_max_mb",
    "peak_memory_mb": "memory_max_mb",
    "returncode": "exit_code",
    "stdout_length": "stdout_bytes",
    "stderr_length": "stderr_bytes",
    "user_time": "user_time_seconds",
    "system_time": "system_time_seconds",
    "cpu_time": "cpu_time_seconds",
}


def _maxima() -> dict[str, str]:
    """Return ``x`` for every ``x_max`` that has no minimum or mean beside it."""
    found = {}
    for name in METRICS:
        stem = name.removesuffix("_max")
        others = {stem, f"{stem}_min", f"{stem}_avg"}
        if stem != name and others.isdisjoint(METRICS):
            found[stem] = name
    return found


#: Metric by each of its other names.
ALIASES: Mapping[str, str] = {**_maxima(), **_NAMED_ALIASES}


def canonical(name: str) -> str:
    """Return the metric's own name for ``name``; names that are none stay as they are."""
    return ALIASES.get(name, name)


def aliases_of(name: str) -> list[str]:
    """Return the other names of the metric ``name``, sorted."""
    return sorted(alias for alias, own in ALIASES.items() if own == name)


def find_unknown(names: Iterable[str]) -> list[str]:
    """Return one sentence per name that no numeric metric has, with the closest one."""
    known = [name for name, metric in METRICS.items() if metric.is_numeric]
    sentences = []
    for name in names:
        if canonical(name) in known:
            continue
        close = difflib.get_close_matches(name, [*known, *ALIASES], n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        sentences.append(f"no number is measured that is called {name[:64]}{hint}")
    return sentences
