"""The step report: the twelve stages of an attempt, each with its status and time.

A report is computed from what is known of an attempt, at any moment of its life; nothing
is recorded for it while the script runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scriptrunner.clock import to_text

#: Stages in their order, with what happens in each.
STAGES = (
    ("Validation", "Script and options checked"),
    ("Environment", "Environment built"),
    ("Scans", "Script scanned"),
    ("Execution", "Script running"),
    ("Monitoring", "CPU and memory sampled"),
    ("Metrics", "Metrics computed"),
    ("Gates", "Performance gates evaluated"),
    ("Baseline", "Baseline compared and saved"),
    ("JUnit", "JUnit report written"),
    ("Cost", "Cost computed"),
    ("Alerts", "Alerts evaluated"),
    ("History", "History row written"),
)
#: Numbers of the stages that come after the attempt.
_AFTERWARDS = range(7, len(STAGES) + 1)
_MARKS = {"done": "✓", "running": "▶", "skip": "–", "error": "✗"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """How an optional stage went."""

    #: ``done``, ``error`` or ``skip``.
    status: str
    #: Seconds from the start of the first of its kind to this one's.
    offset_seconds: float = 0.0
    duration_seconds: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """What is known of an attempt; None means "not yet" or "never"."""

    script_path: str
    script_args: Sequence[str] = ()
    #: Number of the attempt; 0 while the run is queued, and for dry runs.
    attempt: int = 0
    #: When the attempt was claimed.
    claimed_at: datetime | None = None
    #: When the script was started.
    started_at: datetime | None = None
    #: When the attempt was over.
    ended_at: datetime | None = None
    #: When its record was complete; ``ended_at`` if it is not known.
    recorded_at: datetime | None = None
    #: Seconds from exec to exit.
    execution_time_seconds: float | None = None
    #: The end record's ``reason``, also ``lost`` and ``host_restart``; None meanwhile.
    end_reason: str | None = None
    exit_code: int | None = None
    #: Why it could not be started or kept.
    error: str | None = None
    pid: int | None = None
    sha256: str | None = None
    #: Names in the script's environment.
    environment_count: int | None = None
    ignored_env: Sequence[str] = ()
    monitor_interval_seconds: float | None = None
    sample_count: int | None = None
    #: Some metrics by name, shown with the stage Metrics.
    metrics: Mapping[str, Any] = field(default_factory=dict)
    is_dry_run: bool = False
    #: How the optional stages went, by name; those that are missing are skipped.
    stages: Mapping[str, StageFacts] = field(default_factory=dict)
    #: Reports of the scans before the start, by kind.
    scans: Mapping[str, Mapping[str, Any]] | None = None


def build_report(
    facts: StepFacts, *, visualizer_format: str = "text"
) -> dict[str, Any]:
    """Return the step report of an attempt as it stands.

    Args:
        facts: What is known.
        visualizer_format: ``text`` adds the rendering as key ``text``; ``json`` does not.
    """
    steps = _dry_run_steps(facts) if facts.is_dry_run else _steps(facts)
    report = {
        "header": {
            "script_path": facts.script_path,
            "script_args": list(facts.script_args),
            "attempt": facts.attempt,
            "started": _moment(facts.claimed_at),
        },
        "steps": steps,
        "footer": _footer(facts, steps),
    }
    if visualizer_format == "text":
        report["text"] = render_text(report)
    return report


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _step(
    number: int,
    status: str,
    *,
    elapsed: float = 0.0,
    duration: float | None = 0.0,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    stage, description = STAGES[number - 1]
    step: dict[str, Any] = {
        "step": number,
        "stage": stage,
        "description": description,
        "status": status,
        "elapsed_s": round(max(elapsed, 0.0), 6),
    }
    if duration is not None:
        step["duration_s"] = round(max(duration, 0.0), 6)
    known = {
        name: value for name, value in (details or {}).items() if value is not None
    }
    return {**step, "details": known}


def _dry_run_steps(facts: StepFacts) -> list[dict[str, Any]]:
    scans = _scan_step(facts, 0.0, _scan_seconds(facts))
    rest = (_step(number, "skip") for number in range(4, len(STAGES) + 1))
    return [_step(1, "done"), _step(2, "skip"), scans, *rest]


def _steps(facts: StepFacts) -> list[dict[str, Any]]:
    """Return the stages that were reached; open ones are ``running``."""
    if facts.claimed_at is None:
        return []
    if facts.end_reason is None and facts.started_at is None:
        return [_step(1, "running", duration=None)]
    before = _seconds(facts.claimed_at, facts.started_at or facts.ended_at)
    steps = [*_preparation(facts, before), *_execution(facts, before)]
    if facts.end_reason is not None:
        steps += _conclusion(facts)
    return steps


def _seconds(since: datetime | None, until: datetime | None) -> float:
    if since is None or until is None:
        return 0.0
    return max(0.0, (until - since).total_seconds())


def _preparation(facts: StepFacts, before: float) -> list[dict[str, Any]]:
    """Validation, Environment, Scans: what the scans did not take is the first's."""
    scanned = min(before, _scan_seconds(facts))
    before -= scanned
    environment = {
        "variables": facts.environment_count,
        "ignored": list(facts.ignored_env) or None,
    }
    checked = {"sha256": facts.sha256}
    if facts.end_reason == "script_changed":
        first = _step(1, "error", duration=before, details={"error": facts.error})
        return [
            first,
            _step(2, "skip", elapsed=before),
            _step(3, "skip", elapsed=before),
        ]
    return [
        _step(1, "done", duration=before, details=checked),
        _step(2, "done", elapsed=before, details=environment),
        _scan_step(facts, before, scanned),
    ]


def _scan_seconds(facts: StepFacts) -> float:
    reports = (facts.scans or {}).values()
    return sum(float(each.get("duration_s") or 0.0) for each in reports)


def _scan_step(facts: StepFacts, elapsed: float, took: float) -> dict[str, Any]:
    if not facts.scans:
        return _step(3, "skip", elapsed=elapsed)
    bad = [
        each
        for each in facts.scans.values()
        if each.get("blocked") or each["status"] == "error"
    ]
    details = {kind: _in_words(each) for kind, each in facts.scans.items()}
    status = "error" if bad else "done"
    return _step(3, status, elapsed=elapsed, duration=took, details=details)


def _in_words(report: Mapping[str, Any]) -> str:
    """Return a scan's findings as ``2 HIGH, 1 LOW``, or its status."""
    counts = report.get("counts") or {}
    found = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    return found or str(report["status"])


def _execution(facts: StepFacts, before: float) -> list[dict[str, Any]]:
    details = {
        "pid": facts.pid,
        "exit_code": facts.exit_code,
        "reason": facts.end_reason if facts.end_reason != "exit" else None,
        "error": facts.error,
    }
    watch = {
        "interval_s": facts.monitor_interval_seconds,
        "samples": facts.sample_count,
    }
    if facts.end_reason is None:
        return [
            _step(4, "running", elapsed=before, duration=None, details=details),
            _step(5, "running", elapsed=before, duration=None, details=watch),
        ]
    if facts.started_at is None:
        status = "error" if facts.end_reason == "spawn_error" else "skip"
        first = _step(4, status, elapsed=before, details=details)
        return [first, _step(5, "skip", elapsed=before)]
    took = facts.execution_time_seconds
    if took is None:
        took = _seconds(facts.started_at, facts.ended_at)
    status = "done" if _is_success(facts) else "error"
    return [
        _step(4, status, elapsed=before, duration=took, details=details),
        _step(5, "done", elapsed=before, duration=took, details=watch),
    ]


def _is_success(facts: StepFacts) -> bool:
    return facts.end_reason == "exit" and facts.exit_code == 0


def _conclusion(facts: StepFacts) -> list[dict[str, Any]]:
    ended = _seconds(facts.claimed_at, facts.ended_at)
    took = _seconds(facts.ended_at, facts.recorded_at)
    status = "skip" if facts.started_at is None else "done"
    metrics = _step(6, status, elapsed=ended, duration=took, details=facts.metrics)
    since = ended + took
    return [metrics, *(_optional(facts, each, since) for each in _AFTERWARDS)]


def _optional(facts: StepFacts, number: int, since: float) -> dict[str, Any]:
    """Return a stage that a run may have or not; ``since`` is when the first began."""
    went = facts.stages.get(STAGES[number - 1][0])
    if went is None:
        return _step(number, "skip", elapsed=since)
    return _step(
        number,
        went.status,
        elapsed=since + went.offset_seconds,
        duration=went.duration_seconds,
        details=went.details,
    )


def _footer(facts: StepFacts, steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sums; empty until the attempt is over."""
    if facts.end_reason is None and not facts.is_dry_run:
        return {}
    completed = sum(step["status"] in ("done", "skip") for step in steps)
    return {
        "execution_time_s": facts.execution_time_seconds,
        "success": None if facts.is_dry_run else _is_success(facts),
        "returncode": facts.exit_code,
        "steps_completed": completed,
        "ended": _moment(facts.recorded_at or facts.ended_at),
    }


def render_text(report: Mapping[str, Any]) -> str:
    """Return a report as lines for a terminal, without colours.

    Args:
        report: As ``build_report`` returns it.
    """
    header, footer = report["header"], report["footer"]
    command = " ".join([header["script_path"], *header["script_args"]])
    lines = [_printable(command), f"attempt {header['attempt']}"]
    if header["started"]:
        lines[-1] += f", started {header['started']}"
    lines += [_render_step(step) for step in report["steps"]]
    if not report["steps"]:
        lines.append("  waiting in the queue")
    if footer:
        lines.append(_render_footer(footer))
    return "\n".join(lines) + "\n"


def _render_step(step: Mapping[str, Any]) -> str:
    took = f"{step['duration_s']:.3f} s" if "duration_s" in step else "..."
    details = ", ".join(f"{name}={value}" for name, value in step["details"].items())
    line = (
        f"  {_MARKS[step['status']]} {step['step']:>2} {step['stage']:<12}"
        f" {step['status']:<8} {took:>12}  {_printable(details)}"
    )
    return line.rstrip()


def _render_footer(footer: Mapping[str, Any]) -> str:
    words = {True: "succeeded", False: "failed", None: "not executed"}
    text = words[footer["success"]]
    if footer["returncode"] is not None:
        text += f", exit code {footer['returncode']}"
    if footer["execution_time_s"] is not None:
        text += f", {footer['execution_time_s']:.3f} s"
    return f"{text}, {footer['steps_completed']} of {len(STAGES)} steps completed"


def _printable(text: str) -> str:
    """Return ``text`` without anything that could steer a terminal or break a line."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


class ExecutionVisualizer:
    """A step report, to be read by people or programs.

    Made from the ``visualization_report`` of a result, or from ``ScriptRunner.report``
    while the script runs::

        runner = ScriptRunner("etl.py", enable_visualizer=True)
        print(ExecutionVisualizer(runner.run()["visualization_report"]).to_text())
    """

    def __init__(self, report: Mapping[str, Any]) -> None:
        """Keep ``report``, as ``build_report`` and the API give it."""
        self._report = dict(report)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The stages that were reached, in order."""
        return list(self._report["steps"])

    def to_text(self) -> str:
        """Return the report as lines for a terminal."""
        return render_text(self._report)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values, without the rendering."""
        return {name: part for name, part in self._report.items() if name != "text"}
