"""Whole records of single runs: details, attempts, results, reports."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from scriptrunner.runs.models import AttemptRecord, RunRecord
from scriptrunner.runs.repository.items import ITEM_COLUMNS, to_items
from scriptrunner.storage.prepared import Prepared
from scriptrunner.storage.tables import attempts, run_details, run_results, runs

_RECORD = (
    select(
        *ITEM_COLUMNS,
        run_details.c.request,
        run_details.c.ignored_env,
        run_details.c.warnings,
        run_results.c.result,
        run_results.c.error_summary,
        run_results.c.outputs,
    )
    .join_from(runs, run_details, run_details.c.run_id == runs.c.id)
    .outerjoin(run_results, run_results.c.run_id == runs.c.id)
    .where(runs.c.id == bindparam("run_id"))
)
_STATUS = select(runs.c.status, runs.c.phase).where(runs.c.id == bindparam("run_id"))
_ATTEMPT_NAMES = (
    "n",
    "started_at",
    "finished_at",
    "exit_code",
    "run_status",
    "reason",
    "stdout_bytes",
    "stderr_bytes",
    "stdout_dropped_bytes",
    "stderr_dropped_bytes",
)
_ATTEMPTS = (
    select(*(attempts.c[name] for name in _ATTEMPT_NAMES))
    .where(attempts.c.run_id == bindparam("run_id"))
    .order_by(attempts.c.n)
)
_VISUALIZATION = select(attempts.c.visualization).where(
    attempts.c.run_id == bindparam("run_id"), attempts.c.n == bindparam("n")
)
_WARNINGS = select(run_details.c.warnings).where(
    run_details.c.run_id == bindparam("run_id")
)
_SET_WARNINGS = (
    update(run_details)
    .where(run_details.c.run_id == bindparam("for_run"))
    .values(warnings=bindparam("warnings"))
)
_END_VALUES = (
    "finished_at",
    "exit_code",
    "run_status",
    "reason",
    "stdout_bytes",
    "stderr_bytes",
    "stdout_dropped_bytes",
    "stderr_dropped_bytes",
    "metrics",
    "visualization",
)
_INSERT_ATTEMPTS = Prepared(attempts.insert())
_END_ATTEMPTS = (
    update(attempts)
    .where(
        attempts.c.run_id == bindparam("for_run"), attempts.c.n == bindparam("for_n")
    )
    .values({name: bindparam(name) for name in _END_VALUES})
)
_INSERT_RESULTS = Prepared(run_results.insert())


def find_record(connection: Connection, run_id: str) -> RunRecord | None:
    """Return a run with everything but its live figures, or None."""
    row = connection.execute(_RECORD, {"run_id": run_id}).first()
    if row is None:
        return None
    (item,) = to_items(connection, [row])
    return RunRecord(
        item=item,
        request=row.request,
        ignored_env=row.ignored_env,
        warnings=row.warnings,
        result=row.result,
        error_summary=row.error_summary,
        outputs=row.outputs or [],
        attempts=list_attempts(connection, run_id),
    )


def find_status(connection: Connection, run_id: str) -> tuple[str, str] | None:
    """Return a run's status and phase, or None."""
    row = connection.execute(_STATUS, {"run_id": run_id}).first()
    return None if row is None else (row.status, row.phase)


def list_attempts(connection: Connection, run_id: str) -> list[AttemptRecord]:
    """Return a run's attempts in order."""
    return [
        AttemptRecord(**dict(zip(_ATTEMPT_NAMES, row, strict=True)))
        for row in connection.execute(_ATTEMPTS, {"run_id": run_id})
    ]


def find_visualization(connection: Connection, run_id: str, n: int) -> Any:
    """Return the stored step report of attempt ``n``, or None."""
    values = {"run_id": run_id, "n": n}
    return connection.execute(_VISUALIZATION, values).scalar()


def insert_attempts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add attempts, with at least ``run_id``, ``n`` and the same keys in each."""
    _INSERT_ATTEMPTS(connection, rows)


def end_attempts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Complete attempts: rows with ``run_id``, ``n`` and all values of an end."""
    if rows:
        connection.execute(
            _END_ATTEMPTS,
            [{**row, "for_run": row["run_id"], "for_n": row["n"]} for row in rows],
        )


def insert_results(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store what came of runs: ``run_id``, ``result``, ``error_summary``, ``outputs``."""
    _INSERT_RESULTS(connection, rows)


def add_warning(connection: Connection, run_id: str, warning: str) -> None:
    """Add a warning to a run's record, once."""
    warnings = connection.execute(_WARNINGS, {"run_id": run_id}).scalar()
    if warnings is not None and warning not in warnings:
        values = {"for_run": run_id, "warnings": [*warnings, warning]}
        connection.execute(_SET_WARNINGS, values)
