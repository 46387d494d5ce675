"""Taking runs out of the record, for good."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from scriptrunner.engine.outcomes import Status
from scriptrunner.storage.tables import deleted_runs, runs


def delete_runs(
    connection: Connection, ids: Sequence[str], changes: Sequence[int], now: datetime
) -> None:
    """Delete runs with all that hangs on them, and remember that they were there."""
    connection.execute(delete(runs).where(runs.c.id.in_(list(ids))))
    connection.execute(
        deleted_runs.insert(),
        [
            {"id": run_id, "change": change, "deleted_at": now}
            for run_id, change in zip(ids, changes, strict=False)
        ],
    )


def list_unused_scripts(
    connection: Connection, digests: Collection[str]
) -> Collection[str]:
    """Return those of ``digests`` that no run refers to, and that none under way may.

    A run whose script has just been read does not show its hash yet; so while anything
    runs from the very same place, its bytes stay.
    """
    if not digests:
        return ()
    used = connection.execute(
        select(runs.c.script_sha256)
        .where(runs.c.script_sha256.in_(list(digests)))
        .distinct()
    ).scalars()
    unused = set(digests) - set(used)
    if unused and _is_any_starting(connection):
        return ()
    return unused


def _is_any_starting(connection: Connection) -> bool:
    starting = select(runs.c.id).where(
        runs.c.status == Status.RUNNING,
        or_(runs.c.script_sha256.is_(None), ~runs.c.is_started),
    )
    return connection.execute(starting.limit(1)).first() is not None


def list_known(connection: Connection, ids: Collection[str]) -> set[str]:
    """Return those of ``ids`` that are runs of the record."""
    statement = select(runs.c.id).where(runs.c.id.in_(list(ids)))
    return set(connection.execute(statement).scalars())


def list_deleted(connection: Connection, ids: Collection[str]) -> set[str]:
    """Return those of ``ids`` that were runs and have been deleted."""
    statement = select(deleted_runs.c.id).where(deleted_runs.c.id.in_(list(ids)))
    return set(connection.execute(statement).scalars())


def forget(connection: Connection, *, before: datetime, up_to_change: int) -> None:
    """Forget deletions that are older than both bounds."""
    connection.execute(
        delete(deleted_runs).where(
            deleted_runs.c.deleted_at < before, deleted_runs.c.change <= up_to_change
        )
    )
