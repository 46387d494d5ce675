"""Executions made up for tests: what a run might have measured, at a time of one's own."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from scriptrunner.history import recording
from scriptrunner.history.models import Finished
from scriptrunner.history.rows import to_row
from scriptrunner.storage.database import Database

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCRIPT = "/srv/scripts/etl.py"


def make_finished(number: int = 1, **changes: Any) -> Finished:
    """Return the execution number ``number``: an hour after the one before, 1 s long.

    Names of metrics in ``changes`` go into the metrics.
    """
    at = changes.pop("at", BEGIN + number * HOUR)
    fields = Finished.__dataclass_fields__
    chosen = {name: changes.pop(name) for name in list(changes) if name in fields}
    status = chosen.get("status", "completed")
    metrics = {
        "execution_time_seconds": 1.0,
        "cpu_avg": 50.0,
        "memory_max_mb": 20.0,
        "exit_code": 0,
        "success": status == "completed",
        "timed_out": False,
        "attempt_number": 1,
        "python_version": "3.11.7",
        "platform": "Linux",
        "script_args": [],
        **changes,
    }
    values: dict[str, Any] = {
        "run_id": str(UUID(int=number, version=4)),
        "script_path": SCRIPT,
        "script_args": [],
        "script_sha256": "a" * 64,
        "correlation_id": None,
        "trigger": "api",
        "status": status,
        "run_status": {"completed": "success", "cancelled": "killed"}.get(
            status, "failed"
        ),
        "reason": None,
        "started_at": at,
        "finished_at": at + timedelta(seconds=1),
        "created_at": at + timedelta(seconds=1),
        "metrics": metrics,
    }
    return Finished(**{**values, **chosen})


def store(
    database: Database, finished: Sequence[Finished], *, first_id: int = 1
) -> None:
    """Record executions in a service's database, numbered in their order."""
    rows = [to_row(each, number) for number, each in enumerate(finished, first_id)]
    with database.write() as connection:
        recording.record(connection, rows)


def store_values(
    database: Database, values: Sequence[float], metric: str, **changes: Any
) -> None:
    """Record one execution per value of ``metric``, an hour apart."""
    store(
        database,
        [
            make_finished(number, **{metric: value}, **changes)
            for number, value in enumerate(values, 1)
        ],
    )
