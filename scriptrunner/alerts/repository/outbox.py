"""SQL of the outbox: deliveries that are due, and how a try of one went."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from scriptrunner.alerts.models import Alert, Delivery, DeliveryStatus
from scriptrunner.alerts.repository.triggered import DELIVERIES, find, to_delivery
from scriptrunner.storage.changes import reserve
from scriptrunner.storage.tables import alert_deliveries, alerts

_IS_DUE = (
    alert_deliveries.c.status == DeliveryStatus.PENDING,
    alert_deliveries.c.next_try_at <= bindparam("now"),
)
_DUE = (
    DELIVERIES.where(*_IS_DUE)
    .order_by(alert_deliveries.c.next_try_at, alert_deliveries.c.id)
    .limit(bindparam("limit"))
)
_NEXT_TRY = select(func.min(alert_deliveries.c.next_try_at)).where(
    alert_deliveries.c.status == DeliveryStatus.PENDING
)
_TOUCH = (
    update(alerts)
    .where(alerts.c.id == bindparam("for_id"))
    .values(change=bindparam("number"))
)


def find_next_try(connection: Connection) -> datetime | None:
    """Return when the next delivery is due, or None if none is pending."""
    found: datetime | None = connection.execute(_NEXT_TRY).scalar()
    return found


def list_due(connection: Connection, *, now: datetime, limit: int) -> list[Delivery]:
    """Return pending deliveries whose time has come, the longest waiting first."""
    rows = connection.execute(_DUE, {"now": now, "limit": limit})
    return [to_delivery(row) for row in rows]


def begin_try(
    connection: Connection, delivery: Delivery, *, next_try_at: datetime
) -> Alert | None:
    """Count a try before it is made, and put off the next one.

    So a try that kills the process costs one try and a pause, and is never spun on.

    Returns:
        The alert, or None if the delivery is not as it was any more.
    """
    reserve(connection, 1)
    begun = connection.execute(
        update(alert_deliveries)
        .where(
            alert_deliveries.c.id == delivery.id,
            alert_deliveries.c.status == DeliveryStatus.PENDING,
            alert_deliveries.c.tries == delivery.tries,
        )
        .values(tries=delivery.tries + 1, next_try_at=next_try_at)
    )
    return find(connection, delivery.alert_id) if begun.rowcount == 1 else None


def note_try(
    connection: Connection,
    delivery: Delivery,
    *,
    status: DeliveryStatus,
    error: str | None,
    next_try_at: datetime | None,
    now: datetime,
) -> bool:
    """Note how a try went; return whether the delivery was still pending.

    Args:
        connection: In a write transaction.
        delivery: The one that was tried.
        status: Pending if there is to be another try.
        error: Why it failed, or None.
        next_try_at: When the next try is due; None if it is over.
        now: The time.
    """
    number = reserve(connection, 1)[0]
    changed = connection.execute(
        update(alert_deliveries)
        .where(
            alert_deliveries.c.id == delivery.id,
            alert_deliveries.c.status == DeliveryStatus.PENDING,
        )
        .values(
            status=status,
            error=error,
            next_try_at=next_try_at,
            finished_at=None if status is DeliveryStatus.PENDING else now,
        )
    )
    if changed.rowcount != 1:
        return False
    connection.execute(_TOUCH, {"for_id": delivery.alert_id, "number": number})
    return True
