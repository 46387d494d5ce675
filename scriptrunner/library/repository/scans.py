"""Scans: begin, claim, report, end. A change of state is one compare-and-set."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from scriptrunner.library.models import Scan, ScanCounts, ScanStatus
from scriptrunner.storage import changes
from scriptrunner.storage.tables import folder_roots, library_scans

_COUNT_NAMES = tuple(ScanCounts.__dataclass_fields__)
_is_running = library_scans.c.status == ScanStatus.RUNNING.value


def insert(
    connection: Connection,
    root_id: int,
    *,
    now: datetime,
    resumed_from: int | None = None,
    resume_count: int = 0,
) -> Scan:
    """Add a running scan that waits for a worker; none may be running."""
    (change,) = changes.reserve(connection, 1)
    statement = (
        library_scans.insert()
        .values(
            change=change,
            root_id=root_id,
            started_at=now,
            status=ScanStatus.RUNNING.value,
            resumed_from=resumed_from,
            resume_count=resume_count,
        )
        .returning(*library_scans.c)
    )
    return _to_scan(connection.execute(statement).one())


def find(connection: Connection, scan_id: int) -> Scan | None:
    """Return a scan, or None."""
    row = connection.execute(
        select(library_scans).where(library_scans.c.id == scan_id)
    ).first()
    return None if row is None else _to_scan(row)


def find_running(connection: Connection, root_id: int) -> Scan | None:
    """Return the running scan of a root, or None."""
    row = connection.execute(
        select(library_scans).where(library_scans.c.root_id == root_id, _is_running)
    ).first()
    return None if row is None else _to_scan(row)


def list_running(connection: Connection) -> list[Scan]:
    """Return all scans that are not over, oldest first."""
    rows = connection.execute(
        select(library_scans).where(_is_running).order_by(library_scans.c.id)
    )
    return [_to_scan(row) for row in rows]


def list_newest(connection: Connection, root_ids: Sequence[int]) -> dict[int, Scan]:
    """Return the newest scan of each root that has one."""
    newest = (
        select(func.max(library_scans.c.id))
        .where(library_scans.c.root_id.in_(root_ids))
        .group_by(library_scans.c.root_id)
    )
    rows = connection.execute(
        select(library_scans).where(library_scans.c.id.in_(newest))
    )
    return {row.root_id: _to_scan(row) for row in rows}


def list_of_root(connection: Connection, root_id: int, *, limit: int) -> list[Scan]:
    """Return the scans of a root, newest first."""
    rows = connection.execute(
        select(library_scans)
        .where(library_scans.c.root_id == root_id)
        .order_by(library_scans.c.id.desc())
        .limit(limit)
    )
    return [_to_scan(row) for row in rows]


def list_changed(connection: Connection, *, after: int, limit: int) -> list[Scan]:
    """Return scans whose last change is later than ``after``, in order of change."""
    rows = connection.execute(
        select(library_scans)
        .where(library_scans.c.change > after)
        .order_by(library_scans.c.change)
        .limit(limit)
    )
    return [_to_scan(row) for row in rows]


def claim(connection: Connection, scan_id: int, *, worker: str, expected: int) -> bool:
    """Take a scan that nobody works on; return whether it is ours now.

    Args:
        connection: One that may write.
        scan_id: The scan.
        worker: Who takes it.
        expected: Scripts known before; 0 at the first scan.
    """
    values = {"worker": worker, "expected_count": expected or None}
    return _change(connection, scan_id, library_scans.c.worker.is_(None), values)


def report(
    connection: Connection,
    scan_id: int,
    *,
    worker: str,
    counts: ScanCounts,
    current_path: str | None,
) -> bool:
    """Say how far a scan is, and take its row; return whether it is still ours to do.

    It is not if it was cancelled, ended, or removed with its root.
    """
    values = {**asdict(counts), "current_path": current_path}
    return _change(connection, scan_id, library_scans.c.worker == worker, values)


def end(
    connection: Connection,
    scan_id: int,
    *,
    now: datetime,
    status: ScanStatus,
    reason: str | None = None,
    error_message: str | None = None,
    counts: ScanCounts | None = None,
) -> bool:
    """End a running scan; return whether it was running."""
    values: dict[str, Any] = {} if counts is None else asdict(counts)
    values |= {
        "status": status.value,
        "ended_at": now,
        "reason": reason,
        "error_message": error_message,
        "current_path": None,
    }
    return _change(connection, scan_id, None, values)


def note_completed(connection: Connection, root_id: int, *, now: datetime) -> None:
    """Remember when a root was last scanned from beginning to end."""
    connection.execute(
        update(folder_roots)
        .where(folder_roots.c.id == root_id)
        .values(last_scan_at=now)
    )


def prune(connection: Connection, root_id: int, *, keep: int) -> None:
    """Forget all but the newest ``keep`` scans of a root."""
    last = (
        select(library_scans.c.id)
        .where(library_scans.c.root_id == root_id)
        .order_by(library_scans.c.id.desc())
        .limit(1)
        .offset(keep - 1)
        .scalar_subquery()
    )
    connection.execute(
        library_scans.delete().where(
            library_scans.c.root_id == root_id, library_scans.c.id < last, ~_is_running
        )
    )


def _change(
    connection: Connection, scan_id: int, condition: Any, values: Mapping[str, Any]
) -> bool:
    """Change a running scan under ``condition``; return whether it was so."""
    (change,) = changes.reserve(connection, 1)
    statement = update(library_scans).where(library_scans.c.id == scan_id, _is_running)
    if condition is not None:
        statement = statement.where(condition)
    return bool(connection.execute(statement.values(change=change, **values)).rowcount)


def _to_scan(row: Row[*tuple[Any, ...]]) -> Scan:
    return Scan(
        id=row.id,
        root_id=row.root_id,
        change=row.change,
        started_at=row.started_at,
        ended_at=row.ended_at,
        status=row.status,
        reason=row.reason,
        error_message=row.error_message,
        counts=ScanCounts(**{name: row._mapping[name] for name in _COUNT_NAMES}),
        expected_count=row.expected_count,
        current_path=row.current_path,
        worker=row.worker,
        resumed_from=row.resumed_from,
        resume_count=row.resume_count,
    )
