"""What the history keeps of a run that is over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from scriptrunner.history.models import Finished
from scriptrunner.runs.repository.state import StoredRun


def to_finished(
    run: StoredRun,
    metrics: Mapping[str, Any],
    alerts: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> Finished | None:
    """Return what is kept; None if the run asked for none, or its script never started.

    Args:
        run: The run, as it has ended.
        metrics: Of its last attempt.
        alerts: What became of its alert rules, as in the result.
        now: UTC.
    """
    started_at = run.started_at
    if started_at is None or run.dry_run or not run.request.get("enable_history", True):
        return None
    begun_at = metrics["start_time"]
    path = run.script_path
    if run.script_root is not None and run.script_relative is not None:
        path = f"{run.script_root.rstrip('/')}/{run.script_relative}"
    return Finished(
        run_id=run.id,
        script_path=path,
        script_args=run.request["args"],
        script_sha256=run.script_sha256,
        correlation_id=run.correlation_id,
        trigger=run.trigger,
        status=run.status,
        run_status=run.run_status,
        reason=run.reason,
        started_at=datetime.fromisoformat(begun_at) if begun_at else started_at,
        finished_at=run.finished_at or now,
        created_at=now,
        metrics=metrics,
        alert_count=sum(each["triggered"] for each in alerts),
    )
