"""Runs that are over, in the order in which lists show them, for who removes the oldest."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    exists,
    literal,
    or_,
    select,
    tuple_,
)

from scriptrunner.engine.outcomes import TERMINAL_STATUSES
from scriptrunner.storage.tables import UtcTime, alert_deliveries, alerts, runs

_KEY = tuple_(runs.c.queued_at, runs.c.id)
_IS_OVER = runs.c.status.in_(sorted(TERMINAL_STATUSES))
_HAS_PENDING_ALERTS = exists().where(
    alerts.c.run_id == runs.c.id,
    alert_deliveries.c.alert_id == alerts.c.id,
    alert_deliveries.c.status == "pending",
)


class Place(NamedTuple):
    """Where a run is in the order of lists."""

    queued_at: datetime
    id: str


class Rules(NamedTuple):
    """What is removable; ``None`` means that the rule removes nothing.

    Attributes:
        ended_before: Nothing that ended later is removed, whatever the others say.
        too_old: Runs that ended before this go.
        keep_from: Runs that come before this place go.
    """

    ended_before: datetime
    too_old: datetime | None
    keep_from: Place | None


def list_ended(
    connection: Connection, *, before: Place | None, limit: int
) -> list[Place]:
    """Return runs that are over and were queued before a place, the newest first."""
    conditions: list[ColumnElement[bool]] = [_IS_OVER]
    if before is not None:
        conditions.append(_literal(before) > _KEY)
    statement = (
        select(runs.c.queued_at, runs.c.id)
        .where(*conditions)
        .order_by(runs.c.queued_at.desc(), runs.c.id.desc())
        .limit(limit)
    )
    return [Place(*row) for row in connection.execute(statement)]


def find_newest(connection: Connection, number: int) -> Place | None:
    """Return the place of the ``number``-th newest run that is over, counted from 1."""
    statement = (
        select(runs.c.queued_at, runs.c.id)
        .where(_IS_OVER)
        .order_by(runs.c.queued_at.desc(), runs.c.id.desc())
        .limit(1)
        .offset(number - 1)
    )
    row = connection.execute(statement).first()
    return None if row is None else Place(*row)


def list_removable(
    connection: Connection, rules: Rules, *, after: Place | None, limit: int
) -> list[Place]:
    """Return what the rules remove beyond a place, the oldest first.

    A run with alerts on their way stays: they may need an address that it brought.
    """
    conditions = [
        _IS_OVER,
        runs.c.finished_at < rules.ended_before,
        _is_doomed(rules),
        ~_HAS_PENDING_ALERTS,
    ]
    if after is not None:
        conditions.append(_literal(after) < _KEY)
    statement = (
        select(runs.c.queued_at, runs.c.id)
        .where(*conditions)
        .order_by(runs.c.queued_at, runs.c.id)
        .limit(limit)
    )
    return [Place(*row) for row in connection.execute(statement)]


def _is_doomed(rules: Rules) -> ColumnElement[bool]:
    """Return the rules as a condition; bounds of ``queued_at`` first, for the index."""
    doomed = []
    if rules.too_old is not None:
        too_old = rules.too_old
        doomed.append(and_(runs.c.queued_at < too_old, runs.c.finished_at < too_old))
    if rules.keep_from is not None:
        doomed.append(_literal(rules.keep_from) > _KEY)
    return or_(*doomed)


def _literal(place: Place) -> ColumnElement[tuple[datetime, str]]:
    return tuple_(literal(place.queued_at, UtcTime), literal(place.id, String))
