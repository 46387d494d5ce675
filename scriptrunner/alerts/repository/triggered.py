"""SQL of alerts that were triggered, with their deliveries."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    exists,
    func,
    insert,
    select,
    update,
)

from scriptrunner.alerts.models import (
    Alert,
    AlertFilter,
    AlertPage,
    Delivery,
    DeliveryStatus,
    NewAlert,
)
from scriptrunner.storage.changes import reserve
from scriptrunner.storage.tables import alert_deliveries, alerts
from scriptrunner.storage.upsert import insert_into

_ALERT_NAMES = tuple(each.name for each in fields(Alert) if each.name in alerts.c)
_DELIVERY_NAMES = tuple(
    each.name for each in fields(Delivery) if each.name in alert_deliveries.c
)
_ALERTS = select(*(alerts.c[name] for name in _ALERT_NAMES))
#: No limits at all.
EVERY = AlertFilter()
#: All that is known of deliveries.
DELIVERIES = select(*(alert_deliveries.c[name] for name in _DELIVERY_NAMES))
_OF_ALERTS = DELIVERIES.where(
    alert_deliveries.c.alert_id.in_(bindparam("ids", expanding=True))
).order_by(alert_deliveries.c.alert_id, alert_deliveries.c.place)
_EARLY = select(alerts.c.run_id, alerts.c.rule, alerts.c.measured).where(
    alerts.c.run_id.in_(bindparam("run_ids", expanding=True)), alerts.c.is_early
)
_OF_RUN = (
    select(
        alerts.c.rule,
        alert_deliveries.c.channel,
        alert_deliveries.c.status,
        alert_deliveries.c.tries,
        alert_deliveries.c.id,
        alert_deliveries.c.error,
    )
    .join_from(alerts, alert_deliveries, alert_deliveries.c.alert_id == alerts.c.id)
    .where(alerts.c.run_id == bindparam("run_id"))
    .order_by(alerts.c.rule, alert_deliveries.c.place)
)
_CHANGED = (
    _ALERTS.where(
        alerts.c.change > bindparam("after"), alerts.c.change <= bindparam("up_to")
    )
    .order_by(alerts.c.change)
    .limit(bindparam("limit"))
)


def add(
    connection: Connection, new: Sequence[NewAlert], numbers: Sequence[int]
) -> list[Alert]:
    """Store rules that were met, with their deliveries, and return them.

    A rule that was met before is left out, so the transaction may be repeated.

    Args:
        connection: In a transaction that has reserved its change numbers.
        new: The alerts.
        numbers: A change number for each.
    """
    added = []
    for alert, number in zip(new, numbers, strict=True):
        alert_id = _insert(connection, alert, number)
        if alert_id is not None:
            added.append(alert_id)
            _insert_deliveries(connection, alert_id, alert)
    return _load(connection, added)


def _insert(connection: Connection, alert: NewAlert, number: int) -> int | None:
    row = {
        "change": number,
        "run_id": alert.run_id,
        "rule": alert.rule,
        "name": alert.name,
        "severity": alert.severity,
        "condition": alert.condition,
        "measured": dict(alert.measured),
        "triggered_at": alert.triggered_at,
        "is_early": alert.is_early,
        "script_path": alert.script_path,
        "script_folded": alert.script_path.casefold(),
        "run": dict(alert.run),
        "metrics": dict(alert.metrics),
    }
    statement = insert_into(connection, alerts).values(row).on_conflict_do_nothing()
    found: int | None = connection.execute(statement.returning(alerts.c.id)).scalar()
    return found


def _insert_deliveries(connection: Connection, alert_id: int, alert: NewAlert) -> None:
    rows = [
        {
            "id": each.id,
            "alert_id": alert_id,
            "place": place,
            "channel": each.channel,
            "to_run_webhook": each.to_run_webhook,
            "status": each.status,
            "tries": 0,
            "next_try_at": alert.triggered_at
            if each.status is DeliveryStatus.PENDING
            else None,
            "finished_at": None
            if each.status is DeliveryStatus.PENDING
            else alert.triggered_at,
            "error": each.error,
        }
        for place, each in enumerate(alert.deliveries)
    ]
    if rows:
        connection.execute(insert(alert_deliveries), rows)


def list_early(
    connection: Connection, run_ids: Collection[str]
) -> dict[str, dict[int, Mapping[str, float]]]:
    """Return the values that met rules of runs while these were running.

    By run and place of the rule; runs without any are left out.
    """
    found: dict[str, dict[int, Mapping[str, float]]] = defaultdict(dict)
    if run_ids:
        for row in connection.execute(_EARLY, {"run_ids": list(run_ids)}):
            found[row.run_id][row.rule] = row.measured
    return dict(found)


def list_deliveries_of_run(
    connection: Connection, run_id: str
) -> dict[int, list[dict[str, Any]]]:
    """Return a run's deliveries as its result shows them, by the place of the rule."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(_OF_RUN, {"run_id": run_id}):
        found[row.rule].append(
            {
                "channel": row.channel,
                "status": row.status,
                "tries": row.tries,
                "delivery_id": row.id,
                "error": row.error,
            }
        )
    return dict(found)


def list_page(
    connection: Connection,
    wanted: AlertFilter = EVERY,
    *,
    limit: int,
    offset: int,
) -> AlertPage:
    """Return alerts, newest first.

    Args:
        connection: Any.
        wanted: Which ones.
        limit: Most items, >= 1.
        offset: Items to skip, >= 0.
    """
    conditions = list(_conditions(wanted))
    total = connection.scalar(
        select(func.count()).select_from(alerts).where(*conditions)
    )
    newest = (alerts.c.triggered_at.desc(), alerts.c.id.desc())
    page = _ALERTS.where(*conditions).order_by(*newest).limit(limit).offset(offset)
    rows = connection.execute(page).all()
    return AlertPage(items=_with_deliveries(connection, rows), total=total or 0)


def _conditions(wanted: AlertFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield alerts.c.triggered_at >= wanted.since
    if wanted.script is not None:
        part = wanted.script.casefold()
        yield alerts.c.script_folded.contains(part, autoescape=True)
    if wanted.is_seen is not None:
        seen_at = alerts.c.acknowledged_at
        yield seen_at.is_not(None) if wanted.is_seen else seen_at.is_(None)
    if wanted.delivery is not None or wanted.channel is not None:
        told = [alert_deliveries.c.alert_id == alerts.c.id]
        if wanted.delivery is not None:
            told.append(alert_deliveries.c.status == wanted.delivery)
        if wanted.channel is not None:
            told.append(alert_deliveries.c.channel == wanted.channel)
        yield exists().where(*told)


def find(connection: Connection, alert_id: int) -> Alert | None:
    """Return an alert, or None."""
    found = _load(connection, [alert_id])
    return found[0] if found else None


def _load(connection: Connection, ids: Sequence[int]) -> list[Alert]:
    if not ids:
        return []
    wanted = _ALERTS.where(alerts.c.id.in_(list(ids))).order_by(alerts.c.id)
    return _with_deliveries(connection, connection.execute(wanted).all())


def _with_deliveries(connection: Connection, rows: Sequence[Row[Any]]) -> list[Alert]:
    ids = [row.id for row in rows]
    by_alert: dict[int, list[Delivery]] = defaultdict(list)
    if ids:
        for row in connection.execute(_OF_ALERTS, {"ids": ids}):
            by_alert[row.alert_id].append(to_delivery(row))
    return [
        Alert(
            **dict(zip(_ALERT_NAMES, row, strict=True)),
            deliveries=tuple(by_alert[row.id]),
        )
        for row in rows
    ]


def to_delivery(row: Row[Any]) -> Delivery:
    """Return the delivery of a row of ``DELIVERIES``."""
    return Delivery(**dict(zip(_DELIVERY_NAMES, row, strict=True)))


def acknowledge(
    connection: Connection, alert_id: int, *, principal: str, now: datetime
) -> Alert | None:
    """Note who has seen an alert first; return it, or None if there is none."""
    number = reserve(connection, 1)[0]
    connection.execute(
        update(alerts)
        .where(alerts.c.id == alert_id, alerts.c.acknowledged_at.is_(None))
        .values(acknowledged_at=now, acknowledged_by=principal, change=number)
    )
    return find(connection, alert_id)


def list_changed(
    connection: Connection, *, after: int, up_to: int, limit: int
) -> list[Alert]:
    """Return alerts whose last change lies behind ``after``, in order of change."""
    values = {"after": after, "up_to": up_to, "limit": limit}
    return _with_deliveries(connection, connection.execute(_CHANGED, values).all())
