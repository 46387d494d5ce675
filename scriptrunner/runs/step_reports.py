"""The step report of an attempt, from what the record knows of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scriptrunner.clock import from_microseconds
from scriptrunner.engine.events import execution_time
from scriptrunner.engine.visualizer import StageFacts, StepFacts, build_report
from scriptrunner.runs.repository.state import StoredRun


def step_facts(run: StoredRun) -> dict[str, Any]:
    """Return what the step report needs of a run's row, by the names of ``StepFacts``."""
    return {
        "script_path": run.script_path,
        "script_args": run.request["args"],
        "attempt": run.attempt,
        "claimed_at": run.claimed_at,
        "sha256": run.script_sha256,
        "monitor_interval_seconds": run.request["monitor_interval"],
        "is_dry_run": run.dry_run,
    }


def report_end(
    run: StoredRun,
    end: Mapping[str, Any],
    *,
    started_at: datetime | None,
    ended_at: datetime,
    recorded_at: datetime,
    stages: Mapping[str, StageFacts],
    scans: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the step report of an attempt that is over.

    Args:
        run: The run; its row is that of the attempt.
        end: The end record.
        started_at: When the script was started, if that was not recorded before.
        ended_at: When the attempt was over.
        recorded_at: When its end is recorded.
        stages: How the optional stages went.
        scans: What the scans have found, by kind.
    """
    started_us = end.get("started_us")
    known = None if started_us is None else from_microseconds(started_us)
    return build_report(
        StepFacts(
            **step_facts(run),
            started_at=started_at or known,
            ended_at=ended_at,
            recorded_at=recorded_at,
            execution_time_seconds=execution_time(end),
            end_reason=end.get("reason"),
            exit_code=end.get("exit_code"),
            error=end.get("error"),
            sample_count=end.get("samples"),
            stages=stages,
            scans=scans,
        ),
        visualizer_format=run.request["visualizer_format"],
    )
