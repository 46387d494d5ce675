"""The result of a run: what it printed last, how it ended, and one line that says so."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from scriptrunner.engine.metrics import RunFacts, metrics_from
from scriptrunner.engine.outcomes import Status

#: Reads ``size`` bytes at ``offset``: ``read(size, offset)``.
Read = Callable[[int, int], bytes]
#: Returns the bytes from one offset to another without secrets: ``mask(read, start, end)``.
Mask = Callable[[Read, int, int], bytes]
#: Bytes of each stream that a result shows.
TAIL_BYTES = 64 << 10
#: Characters of stderr in an error summary.
SNIPPET_CHARACTERS = 500
#: Keys of a result that belong to an option each; None unless its step fills them.
OPTION_KEYS = (
    "execution_id",
    "performance_gates_passed",
    "performance_gates_results",
    "junit_output",
    "junit_error",
    "baseline_saved",
    "baseline_save_error",
    "baseline_comparison",
    "baseline_load_error",
    "alerts",
    "scans",
    "cost",
)


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of an output file as text."""

    text: str
    #: Whether there is more before it, or beyond the cap.
    is_truncated: bool


EMPTY_TAIL = Tail("", is_truncated=False)


def read_tail(
    path: str,
    *,
    cap_bytes: int | None = None,
    limit_bytes: int = TAIL_BYTES,
    mask: Mask | None = None,
) -> Tail:
    """Return the last part of a file as text, from the start of a line if there is one.

    Args:
        path: An output file; a missing one is empty.
        cap_bytes: Offset beyond which nothing belongs to the output, or None.
        limit_bytes: Bytes to show at most (>= 1).
        mask: Hides secrets; None reads as it is.

    Returns:
        Text in which invalid UTF-8 shows as U+FFFD.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return EMPTY_TAIL
    try:
        size = os.fstat(descriptor).st_size
        end = size if cap_bytes is None else min(size, cap_bytes)
        # One byte more tells whether the shown part begins a line.
        start = max(0, end - limit_bytes - 1)
        if mask is None:
            data = os.pread(descriptor, end - start, start)
        else:
            data = mask(partial(os.pread, descriptor), start, end)
    finally:
        os.close(descriptor)
    is_cut = end > limit_bytes
    shown = _from_line_start(data) if is_cut else data
    return Tail(shown.decode("utf-8", "replace"), is_truncated=is_cut or size > end)


def _from_line_start(data: bytes) -> bytes:
    """Drop the byte before the window, and the rest of the line it belongs to."""
    newline = data.find(b"\n", 0, len(data) - 1)
    if newline >= 0:
        return data[newline + 1 :]
    # One endless line: begin at a character at least; none has more than four bytes.
    first = 1
    while first < min(4, len(data)) and data[first] & 0xC0 == 0x80:
        first += 1
    return data[first:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What a result shows of the output of the last attempt."""

    stdout: Tail = EMPTY_TAIL
    stderr: Tail = EMPTY_TAIL
    #: Where the whole output is, if it is anywhere.
    logs_url: str | None = None


def read_outputs(
    run_dir: str,
    attempt: int,
    *,
    cap_bytes: int | None = None,
    logs_url: str | None = None,
    mask: Mask | None = None,
) -> Outputs:
    """Return the tails of an attempt's two output files.

    Args:
        run_dir: The run's folder.
        attempt: From 1.
        cap_bytes: Bytes kept per stream, or None.
        logs_url: Where the whole output is.
        mask: Hides secrets; None reads as it is.
    """
    prefix = f"{run_dir}/a{attempt}"
    return Outputs(
        stdout=read_tail(f"{prefix}.out", cap_bytes=cap_bytes, mask=mask),
        stderr=read_tail(f"{prefix}.err", cap_bytes=cap_bytes, mask=mask),
        logs_url=logs_url,
    )


def build_result(
    end: Mapping[str, Any] | None,
    *,
    facts: RunFacts,
    outputs: Outputs | None = None,
    report: Mapping[str, Any] | None = None,
    detail: str | None = None,
    metrics: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the result of a run: the same keys for every end.

    Args:
        end: The end record of the last attempt, or None if there is none.
        facts: What else is known of the run.
        outputs: Tails of the last attempt's output; None if it never had any.
        report: The step report, if the visualizer is on.
        detail: Words for people about a loss.
        metrics: What ``metrics_from`` says, if it was asked before.
        options: What the steps have to say, by ``OPTION_KEYS``.
    """
    outputs = outputs or Outputs()
    if metrics is None:
        metrics = metrics_from(end, facts=facts)
    truncated = {
        "stdout": outputs.stdout.is_truncated or bool(metrics["stdout_dropped_bytes"]),
        "stderr": outputs.stderr.is_truncated or bool(metrics["stderr_dropped_bytes"]),
    }
    return {
        "stdout": outputs.stdout.text,
        "stderr": outputs.stderr.text,
        "stdout_truncated": truncated["stdout"],
        "stderr_truncated": truncated["stderr"],
        "logs_url": outputs.logs_url if any(truncated.values()) else None,
        "returncode": metrics["exit_code"],
        "success": facts.outcome.is_success,
        "status": facts.outcome.to_json()["run_status"],
        "correlation_id": facts.correlation_id,
        "attempt_number": facts.attempt_number,
        "stdout_lines": metrics["stdout_lines"],
        "stderr_lines": metrics["stderr_lines"],
        "error_summary": build_error_summary(
            end, facts=facts, stderr=outputs.stderr.text, detail=detail
        ),
        "metrics": dict(metrics),
        "visualization_report": None if report is None else dict(report),
        **dict.fromkeys(OPTION_KEYS),
        **(options or {}),
    }


def build_error_summary(
    end: Mapping[str, Any] | None,
    *,
    facts: RunFacts,
    stderr: str = "",
    detail: str | None = None,
) -> dict[str, Any] | None:
    """Return what went wrong in one object, or None if nothing did.

    None for completed runs, and for runs that never left the queue because somebody
    wished so (their ``run_status`` is None).

    Args:
        end: The end record of the last attempt, or None.
        facts: What else is known of the run.
        stderr: The last part of the error output.
        detail: Words for people about a loss.
    """
    outcome = facts.outcome
    if outcome.status is Status.COMPLETED or outcome.run_status is None:
        return None
    end = end or {}
    exit_code = end.get("exit_code")
    summary: dict[str, Any] = {
        "exit_code": exit_code,
        "stderr_snippet": stderr[-SNIPPET_CHARACTERS:],
        "status": outcome.to_json()["run_status"],
        "correlation_id": facts.correlation_id,
        "reason": outcome.to_json()["reason"],
        "message": _message(end, facts, detail),
        "signal": signal_number(exit_code),
        "timeout_seconds": facts.timeout_seconds,
    }
    if outcome.reason == "timeout":
        summary["error"] = "Script execution timed out"
    elif outcome.reason == "scan_blocked":
        summary["scans"] = list(end.get("scans") or ())
    elif end.get("error") is not None:
        summary["error"] = end["error"]
        summary["error_type"] = end.get("error_type")
    return summary


def _message(end: Mapping[str, Any], facts: RunFacts, detail: str | None) -> str | None:
    """Return the error in words; for failed gates each of them."""
    text = error_text(end, facts=facts, detail=detail)
    if facts.outcome.reason != "gates":
        return text
    failed = [each["message"] for each in facts.gates if not each["passed"]]
    return f"{text}: {'; '.join(failed)}" if failed else text


def signal_number(exit_code: int | None) -> int | None:
    """Return n of an exit code -n, else None."""
    return -exit_code if exit_code is not None and exit_code < 0 else None


#: One line for people by reason, where nothing is filled in.
_TEXTS = {
    "cancelled": "Run cancelled by user",
    "stopped": "Run stopped by user",
    "killed": "Run killed by user",
    "restart": "Cancelled by restart",
    "lost": "Lost: the process that watched the script vanished",
    "host_restart": "Lost: the machine or container restarted under the script",
    "oom": "Ended by the system for want of memory",
    "output_limit": "Ended because it wrote more than allowed",
}


def error_text(
    end: Mapping[str, Any] | None, *, facts: RunFacts, detail: str | None = None
) -> str | None:
    """Return one line that says why a run did not complete, or None if it did.

    Args:
        end: The end record of the last attempt, or None.
        facts: What else is known of the run.
        detail: Words for people about a loss, added in brackets.
    """
    end = end or {}
    reason = facts.outcome.reason
    if reason is None:
        return None
    text = _TEXTS.get(reason) or _filled_in(reason, end, facts)
    return f"{text} ({detail})" if detail else text


def _filled_in(reason: str, end: Mapping[str, Any], facts: RunFacts) -> str:
    exit_code = end.get("exit_code")
    if reason == "gates":
        failed = sum(not each["passed"] for each in facts.gates)
        if not facts.gates:
            return "The gates could not be evaluated"
        return f"{failed} of {len(facts.gates)} gates failed"
    if reason == "timeout":
        return f"Timed out after {_number(facts.timeout_seconds)} s"
    if reason == "signal" and exit_code is not None:
        return f"Died of {_signal_name(-exit_code)}"
    if reason == "scan_blocked":
        return str(end.get("error") or "Blocked by a scan")
    if reason == "spawn_error":
        return f"Script could not be started: {end.get('error') or 'unknown error'}"
    if reason == "script_changed":
        return f"Script changed before it started: {end.get('error') or 'other bytes'}"
    return "Exit code unknown" if exit_code is None else f"Exit code {exit_code}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.10g}"


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} (signal {number})"
    except ValueError:
        return f"signal {number}"
