"""Rows of events: when they were fired, and what that started."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from scriptrunner.scheduler.models import EventState
from scriptrunner.storage.tables import event_firings, task_events, task_subscriptions


def list_events(connection: Connection) -> list[EventState]:
    """Return every event that somebody listens to or has fired, by name."""
    listeners: dict[str, list[str]] = defaultdict(list)
    query = select(task_subscriptions.c.event, task_subscriptions.c.task_id)
    for row in connection.execute(query.order_by(task_subscriptions.c.task_id)):
        listeners[row.event].append(row.task_id)
    fired = {row.name: row for row in connection.execute(select(task_events))}
    return [
        EventState(
            event=name,
            tasks=listeners.get(name, ()),
            last_fired=fired[name].last_fired_at if name in fired else None,
            fire_count=fired[name].fire_count if name in fired else 0,
        )
        for name in sorted(listeners.keys() | fired.keys())
    ]


def note_fired(
    connection: Connection, event: str, *, now: datetime, principal: str
) -> None:
    """Remember that an event was fired. The caller holds the turn to write."""
    changed = connection.execute(
        update(task_events)
        .where(task_events.c.name == event)
        .values(
            last_fired_at=now,
            last_principal=principal,
            fire_count=task_events.c.fire_count + 1,
        )
    )
    if changed.rowcount == 0:
        connection.execute(
            task_events.insert(),
            {
                "name": event,
                "last_fired_at": now,
                "last_principal": principal,
                "fire_count": 1,
            },
        )


def insert_firing(
    connection: Connection,
    firing_id: str,
    *,
    event: str,
    now: datetime,
    answer: Mapping[str, Any],
) -> None:
    """Keep the answer to a fired event, for the same request if it comes again."""
    row = {"id": firing_id, "event": event, "fired_at": now, "answer": dict(answer)}
    connection.execute(event_firings.insert(), row)


def find_answer(connection: Connection, firing_id: str) -> Mapping[str, Any] | None:
    """Return the answer that was kept, or None."""
    query = select(event_firings.c.answer).where(event_firings.c.id == firing_id)
    answer: Mapping[str, Any] | None = connection.execute(query).scalar()
    return answer


def forget_firings(connection: Connection, *, before: datetime) -> None:
    """Forget answers that nobody can ask for any more."""
    connection.execute(delete(event_firings).where(event_firings.c.fired_at < before))
