"""New runs: their rows, the bound of the queue, and repeated requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, text

from scriptrunner.runs.models import IdempotencyKey
from scriptrunner.runs.repository import events
from scriptrunner.storage.prepared import Prepared
from scriptrunner.storage.tables import idempotency_keys, run_details, runs

# Written out, not bound: else no database would use the partial index.
_COUNT_QUEUED = (
    select(func.count()).select_from(runs).where(text("runs.phase = 'queued'"))
)
_SAME_KEY = (
    idempotency_keys.c.principal == bindparam("of_principal"),
    idempotency_keys.c.route == bindparam("of_route"),
    idempotency_keys.c.key == bindparam("of_key"),
)
_FIND_KEY = select(
    idempotency_keys.c.body_sha256,
    idempotency_keys.c.run_id,
    idempotency_keys.c.created_at,
).where(*_SAME_KEY)
_DELETE_KEY = delete(idempotency_keys).where(*_SAME_KEY)
_INSERT_RUNS = Prepared(runs.insert())
_INSERT_DETAILS = Prepared(run_details.insert())
_INSERT_KEYS = idempotency_keys.insert()


@dataclass(frozen=True, slots=True)
class NewRun:
    """The rows of a run that is about to be queued, but for its ``change``."""

    run: Mapping[str, Any]
    details: Mapping[str, Any]
    event: events.EventDraft


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """The first request that came with an idempotency key."""

    body_sha256: str
    run_id: str
    created_at: datetime


def count_queued(connection: Connection) -> int:
    """Return how many runs are queued."""
    count: int = connection.execute(_COUNT_QUEUED).scalar_one()
    return count


def insert_runs(
    connection: Connection, new_runs: Sequence[NewRun], changes: Sequence[int]
) -> None:
    """Add runs to the queue; each takes one of the reserved ``changes``."""
    if not new_runs:
        return
    _INSERT_RUNS(
        connection,
        [
            {**new.run, "change": change}
            for new, change in zip(new_runs, changes, strict=False)
        ],
    )
    _INSERT_DETAILS(connection, [new.details for new in new_runs])
    events.insert(
        connection,
        [
            row
            for new in new_runs
            for row in events.to_rows(new.run["id"], 1, [new.event])
        ],
    )


def find_earlier(
    connection: Connection, principal: str, key: IdempotencyKey
) -> EarlierRequest | None:
    """Return what was first asked with this key, or None."""
    row = connection.execute(_FIND_KEY, _key_values(principal, key)).first()
    return None if row is None else EarlierRequest(*row)


def insert_key(
    connection: Connection,
    principal: str,
    key: IdempotencyKey,
    *,
    run_id: str,
    now: datetime,
) -> None:
    """Remember that this key made ``run_id``; an outlived entry is replaced."""
    connection.execute(_DELETE_KEY, _key_values(principal, key))
    values = {
        "principal": principal,
        "route": key.route,
        "key": key.key,
        "body_sha256": key.body_sha256,
        "run_id": run_id,
        "created_at": now,
    }
    connection.execute(_INSERT_KEYS, values)


def delete_keys(connection: Connection, *, created_before: datetime) -> int:
    """Forget keys that are older; return how many there were."""
    old = delete(idempotency_keys).where(idempotency_keys.c.created_at < created_before)
    return connection.execute(old).rowcount


def _key_values(principal: str, key: IdempotencyKey) -> dict[str, str]:
    return {"of_principal": principal, "of_route": key.route, "of_key": key.key}
