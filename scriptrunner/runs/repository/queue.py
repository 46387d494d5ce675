"""What is due: retries, the queue, dry runs; and what is under way."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, or_, select, text

from scriptrunner.engine.outcomes import ACTIVE_STATUSES, LIVE_PHASES, Phase, Status
from scriptrunner.runs.repository.state import SELECT, StoredRun, to_stored
from scriptrunner.storage.tables import runs

_earlier = runs.alias("earlier")
#: The run that this one waits for, if any, is over or gone.
_may_start = or_(
    runs.c.waiting_for.is_(None),
    ~exists().where(
        _earlier.c.id == runs.c.waiting_for,
        _earlier.c.status.in_(sorted(ACTIVE_STATUSES)),
    ),
)
# Written out, not bound: else no database would use the partial indexes.
_is_queued = text("runs.phase = 'queued'")
_is_dry = text("runs.dry_run")
_is_active = text("runs.status = 'running'")
_is_waiting = runs.c.phase == Phase.BACKOFF
_is_live = runs.c.phase.in_(sorted(LIVE_PHASES))
_RETRIES = (
    SELECT.where(_is_active, _is_waiting, runs.c.next_attempt_at <= bindparam("now"))
    .order_by(runs.c.next_attempt_at, runs.c.id)
    .limit(bindparam("limit"))
)
_QUEUE = (
    SELECT.where(_is_queued, _may_start)
    .order_by(runs.c.priority.desc(), runs.c.queued_at, runs.c.id)
    .limit(bindparam("limit"))
)
_DRY = (
    SELECT.where(_is_queued, _is_dry, _may_start)
    .order_by(runs.c.queued_at)
    .limit(bindparam("limit"))
)
_NEXT_RETRY = select(func.min(runs.c.next_attempt_at)).where(_is_active, _is_waiting)
_OLDEST = select(func.min(runs.c.queued_at)).where(runs.c.status == Status.QUEUED)
_LIVE = select(
    runs.c.id,
    runs.c.attempt,
    runs.c.phase,
    runs.c.boot_id,
    runs.c.recovery_failures,
    runs.c.is_started,
).where(_is_active, _is_live)
_ORDERED = SELECT.where(_is_active, _is_live, runs.c.stop_kind.is_not(None))
_RUNNING = SELECT.where(_is_active)
_BY_IDS = SELECT.where(runs.c.id.in_(bindparam("ids", expanding=True)))


def list_due_retries(
    connection: Connection, *, now: datetime, limit: int
) -> list[StoredRun]:
    """Return runs whose next attempt is due, the longest due first."""
    rows = connection.execute(_RETRIES, {"now": now, "limit": limit})
    return to_stored(rows.all())


def list_queued(connection: Connection, *, limit: int) -> list[StoredRun]:
    """Return runs that may be claimed, by priority, then first in, first out."""
    return to_stored(connection.execute(_QUEUE, {"limit": limit}).all())


def list_dry_runs(connection: Connection, *, limit: int) -> list[StoredRun]:
    """Return queued runs that start nothing."""
    return to_stored(connection.execute(_DRY, {"limit": limit}).all())


def find_next_retry(connection: Connection) -> datetime | None:
    """Return when the next waiting attempt is due, or None if none waits."""
    moment: datetime | None = connection.execute(_NEXT_RETRY).scalar()
    return moment


def find_oldest(connection: Connection) -> datetime | None:
    """Return the queueing time of the run that has waited longest, or None."""
    moment: datetime | None = connection.execute(_OLDEST).scalar()
    return moment


def list_live(
    connection: Connection,
) -> Sequence[tuple[str, int, str, str | None, int, bool]]:
    """Return what recovery needs to know of claimed attempts.

    That is id, attempt, phase, boot id, recovery failures, and whether it was started.
    """
    return [tuple(row) for row in connection.execute(_LIVE)]


def list_running(connection: Connection) -> list[StoredRun]:
    """Return every run that has been claimed and is not over."""
    return to_stored(connection.execute(_RUNNING).all())


def list_by_id(connection: Connection, ids: Sequence[str]) -> list[StoredRun]:
    """Return those of ``ids`` that are runs, without locking them."""
    return to_stored(connection.execute(_BY_IDS, {"ids": list(ids)}).all())


def list_ordered(connection: Connection) -> list[StoredRun]:
    """Return runs under way whose end somebody has asked for."""
    return to_stored(connection.execute(_ORDERED).all())
