"""What one attempt cost: the metrics of a run from the end record of its last attempt.

Every number is of the script's process tree, never of the service. Unknown is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scriptrunner.clock import from_microseconds, to_text
from scriptrunner.engine.events import execution_time
from scriptrunner.engine.outcomes import Outcome

#: Decimals of percentages and of sizes in MiB.
_DECIMALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known of a run and its last attempt beyond the end record."""

    #: As the caller gave it.
    script_path: str
    script_args: Sequence[str] = ()
    correlation_id: str | None = None
    #: Number of the last attempt, from 1; None if there was none.
    attempt_number: int | None = None
    #: Attempts made; numbers whose script provably never started do not count.
    attempts: int = 0
    #: Limit of an attempt in seconds, or None.
    timeout_seconds: float | None = None
    #: Seconds from the first start to the run's end, with all waits.
    total_time_seconds: float | None = None
    #: Seconds from queueing to the first start.
    queue_time_seconds: float | None = None
    #: Of the interpreter that ran the script.
    python_version: str | None = None
    platform: str | None = None
    #: How the run ended.
    outcome: Outcome
    #: Results of the performance gates.
    gates: Sequence[Mapping[str, Any]] = ()


def metrics_from(end: Mapping[str, Any] | None, *, facts: RunFacts) -> dict[str, Any]:
    """Return the metrics of a run.

    Args:
        end: The end record of the last attempt, or None if it left none.
        facts: What else is known.
    """
    end = end or {}
    return {
        **_identity(end, facts),
        **_times(end, facts),
        **_cpu(end),
        **_memory(end),
        **_counts(end),
        "cost_total": None,
        "python_version": facts.python_version,
        "platform": facts.platform,
    }


def _identity(end: Mapping[str, Any], facts: RunFacts) -> dict[str, Any]:
    outcome = facts.outcome
    return {
        "script_path": facts.script_path,
        "script_args": list(facts.script_args),
        "correlation_id": facts.correlation_id,
        "status": outcome.to_json()["run_status"],
        "success": outcome.is_success,
        "exit_code": end.get("exit_code"),
        "attempt_number": facts.attempt_number,
        "start_time": _moment(end.get("started_us")),
        "end_time": _moment(end.get("ended_us")),
        "timeout_seconds": facts.timeout_seconds,
        "timed_out": outcome.reason == "timeout",
    }


def _moment(microseconds: int | None) -> str | None:
    return None if microseconds is None else to_text(from_microseconds(microseconds))


def _times(end: Mapping[str, Any], facts: RunFacts) -> dict[str, Any]:
    return {
        "execution_time_seconds": execution_time(end),
        "total_time_seconds": facts.total_time_seconds,
        "queue_time_seconds": facts.queue_time_seconds,
        "attempts": facts.attempts,
        "user_time_seconds": end.get("utime"),
        "system_time_seconds": end.get("stime"),
        "cpu_time_seconds": _cpu_time(end),
    }


def _cpu_time(end: Mapping[str, Any]) -> float | None:
    utime, stime = end.get("utime"), end.get("stime")
    return None if utime is None or stime is None else round(utime + stime, 6)


def _cpu(end: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the load in percent of one core; 200 means two cores busy.

    The mean is exact. Without a sample it is also maximum and minimum, and it bounds
    both, because the time after the last sample counts as well.
    """
    seconds, spent = execution_time(end), _cpu_time(end)
    mean = None
    if seconds and spent is not None:
        mean = round(100.0 * spent / seconds, _DECIMALS)
    return {
        "cpu_avg": mean,
        "cpu_max": _bounded(max, end.get("cpu_max"), mean),
        "cpu_min": _bounded(min, end.get("cpu_min"), mean),
    }


def _bounded(bound: Any, value: float | None, other: float | None) -> float | None:
    known = [each for each in (value, other) if each is not None]
    return round(bound(known), _DECIMALS) if known else None


def _memory(end: Mapping[str, Any]) -> dict[str, float | int | None]:
    """Return peak RSS of the largest process, and the summed RSS over the samples."""
    peak_kb = end.get("maxrss_kb")
    peak = None if peak_kb is None else round(peak_kb / 1024, _DECIMALS)
    mean, least = end.get("mem_avg_mb"), end.get("mem_min_mb")
    return {
        "max_memory_mb": peak,
        "max_memory_kb": peak_kb,
        "memory_max_mb": _bounded(max, end.get("mem_max_mb"), peak),
        "memory_avg_mb": peak if mean is None else round(mean, _DECIMALS),
        "memory_min_mb": peak if least is None else round(least, _DECIMALS),
    }


#: Metric by field of the end record, where nothing is computed.
_COPIED = {
    "page_faults_minor": "minflt",
    "page_faults_major": "majflt",
    "voluntary_context_switches": "nvcsw",
    "involuntary_context_switches": "nivcsw",
    "block_input_ops": "inblock",
    "block_output_ops": "oublock",
    "io_read_bytes": "io_read",
    "io_write_bytes": "io_write",
    "process_count_max": "procs_max",
    "num_threads_max": "threads_max",
    "num_fds_max": "fds_max",
    "stdout_lines": "out_lines",
    "stderr_lines": "err_lines",
    "stdout_bytes": "out_bytes",
    "stderr_bytes": "err_bytes",
    "stdout_dropped_bytes": "out_dropped",
    "stderr_dropped_bytes": "err_dropped",
    "sample_count": "samples",
}


def _counts(end: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: end.get(field) for name, field in _COPIED.items()}
    taken, due = end.get("samples"), end.get("samples_due")
    efficiency = None
    if taken is not None and due is not None:
        # Nothing due, nothing missed.
        efficiency = round(min(1.0, taken / due), 4) if due else 1.0
    return {**counts, "sampling_efficiency": efficiency}
