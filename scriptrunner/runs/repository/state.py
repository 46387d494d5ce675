"""The part of a run's row that changes, and the one statement that changes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from scriptrunner.engine.attempt import RunState
from scriptrunner.engine.outcomes import Phase, Reason, RunStatus, Status, StopKind
from scriptrunner.storage.prepared import Prepared
from scriptrunner.storage.tables import run_details, runs


class LostRaceError(RuntimeError):
    """A row was not in the state in which this transaction had read it."""


@dataclass(slots=True, kw_only=True)
class StoredRun:
    """A run's row: what it is, and what may change. Fields are columns of ``runs``.

    Change the fields, then ``save``; ``request`` is read only.
    """

    # What it is.
    id: str
    queued_at: datetime
    trigger: str
    principal: str
    script_path: str
    script_name: str
    script_kind: str
    script_root: str | None
    script_relative: str | None
    dry_run: bool
    priority: int
    event: str | None
    restarted_from: str | None
    # What may change.
    change: int
    status: str
    run_status: str | None
    phase: str
    reason: str | None
    exit_code: int | None
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    attempt: int
    attempts_made: int
    is_started: bool
    next_attempt_at: datetime | None
    claimed_at: datetime | None
    boot_id: str | None
    first_start_monotonic: float | None
    correlation_id: str | None
    script_sha256: str | None
    script_size: int | None
    restarted_as: str | None
    waiting_for: str | None
    stop_kind: str | None
    stop_principal: str | None
    stop_grace_seconds: float | None
    execution_time_seconds: float | None
    cpu_max: float | None
    memory_max_mb: float | None
    event_count: int
    transition_count: int
    recovery_failures: int
    # Of ``run_details``.
    request: Mapping[str, Any]
    event_payload: Any

    @property
    def state(self) -> RunState:
        """The row as the state machine knows it."""
        return RunState(
            status=Status(self.status),
            run_status=None if self.run_status is None else RunStatus(self.run_status),
            phase=Phase(self.phase),
            reason=None if self.reason is None else Reason(self.reason),
            attempt=self.attempt,
            attempts_made=self.attempts_made,
            is_started=self.is_started,
            stop_kind=None if self.stop_kind is None else StopKind(self.stop_kind),
            exit_code=self.exit_code,
            transition_count=self.transition_count,
        )

    def apply(self, state: RunState) -> None:
        """Take over what the state machine decided."""
        self.status = state.status
        self.run_status = state.run_status
        self.phase = state.phase
        self.reason = state.reason
        self.attempt = state.attempt
        self.attempts_made = state.attempts_made
        self.is_started = state.is_started
        self.stop_kind = state.stop_kind
        self.exit_code = state.exit_code
        self.transition_count = state.transition_count


_FIELDS = tuple(each.name for each in fields(StoredRun))
_OF_DETAILS = ("request", "event_payload")
_COLUMNS = tuple(
    (run_details if name in _OF_DETAILS else runs).c[name] for name in _FIELDS
)
_CHANGING = _FIELDS[_FIELDS.index("change") : _FIELDS.index("request")]

#: All runs with their requests; add conditions.
SELECT: Select[Any] = select(*_COLUMNS).join_from(
    runs, run_details, run_details.c.run_id == runs.c.id
)
_BY_ID = SELECT.where(runs.c.id == bindparam("run_id"))
_LOCKED_ONE = _BY_ID.with_for_update(of=runs)
_LOCKED = (
    SELECT.where(runs.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(runs.c.id)
    .with_for_update(of=runs)
)
_SELECT_COUNTS = select(runs.c.id, runs.c.transition_count, runs.c.event_count)
_COUNTS_ONE = _SELECT_COUNTS.where(runs.c.id == bindparam("run_id")).with_for_update()
_COUNTS = (
    _SELECT_COUNTS.where(runs.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(runs.c.id)
    .with_for_update()
)
_SAVE = Prepared(
    update(runs)
    .where(
        runs.c.id == bindparam("old_id"),
        runs.c.attempt == bindparam("old_attempt"),
        runs.c.phase == bindparam("old_phase"),
        runs.c.transition_count == bindparam("old_transition_count"),
        runs.c.event_count == bindparam("old_event_count"),
    )
    .values({name: bindparam(name) for name in _CHANGING})
)


@dataclass(frozen=True, slots=True)
class Before:
    """The state in which a row was read: what its change is conditional on."""

    attempt: int
    phase: str
    transition_count: int
    event_count: int

    @classmethod
    def of(cls, run: StoredRun) -> "Before":
        """Return the state of ``run`` now."""
        return cls(run.attempt, run.phase, run.transition_count, run.event_count)


def to_stored(rows: Sequence[Any]) -> list[StoredRun]:
    """Return the runs of rows of ``SELECT``."""
    return [StoredRun(**dict(zip(_FIELDS, row, strict=True))) for row in rows]


def load_for_change(
    connection: Connection, ids: Sequence[str]
) -> dict[str, tuple[StoredRun, Before]]:
    """Return runs by id, locked until the end of the transaction; unknown ids are left out.

    The transaction must have reserved its change numbers before.
    """
    if len(ids) == 1:  # the usual case, and quicker
        rows = connection.execute(_LOCKED_ONE, {"run_id": ids[0]})
    else:
        rows = connection.execute(_LOCKED, {"ids": list(ids)})
    found = to_stored(rows.all())
    return {run.id: (run, Before.of(run)) for run in found}


def find(connection: Connection, run_id: str) -> StoredRun | None:
    """Return a run's row without locking it, or None."""
    found = to_stored(connection.execute(_BY_ID, {"run_id": run_id}).all())
    return found[0] if found else None


def lock_counts(
    connection: Connection, ids: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Return transition and event counts by id of runs that are now locked."""
    if len(ids) == 1:
        rows = connection.execute(_COUNTS_ONE, {"run_id": ids[0]})
    else:
        rows = connection.execute(_COUNTS, {"ids": list(ids)})
    return {row.id: (row.transition_count, row.event_count) for row in rows}


def count_recovery_failure(connection: Connection, run_id: str, attempt: int) -> int:
    """Count a failed recovery; return the new count, 0 if there is no such attempt."""
    statement = (
        update(runs)
        .where(runs.c.id == run_id, runs.c.attempt == attempt)
        .values(recovery_failures=runs.c.recovery_failures + 1)
        .returning(runs.c.recovery_failures)
    )
    return connection.execute(statement).scalar() or 0


def save(connection: Connection, changes: Sequence[tuple[StoredRun, Before]]) -> None:
    """Write runs that were changed, each only if it is still as it was read.

    Raises:
        LostRaceError: If one is not; the transaction must be given up then.
    """
    if not changes:
        return
    rows = [
        {
            **{name: getattr(run, name) for name in _CHANGING},
            "old_id": run.id,
            "old_attempt": before.attempt,
            "old_phase": before.phase,
            "old_transition_count": before.transition_count,
            "old_event_count": before.event_count,
        }
        for run, before in changes
    ]
    changed = _SAVE(connection, rows)
    if changed != len(rows):
        raise LostRaceError(f"{changed} of {len(rows)} runs were as expected")
