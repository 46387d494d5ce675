"""The event lists of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from scriptrunner.runs.models import Event
from scriptrunner.storage.prepared import Prepared
from scriptrunner.storage.tables import run_events, runs

_INSERT = Prepared(run_events.insert())
_LIST = (
    select(
        run_events.c.seq,
        run_events.c.timestamp,
        run_events.c.event_type,
        run_events.c.level,
        run_events.c.data,
    )
    .where(
        run_events.c.run_id == bindparam("run_id"),
        run_events.c.seq > bindparam("after"),
    )
    .order_by(run_events.c.seq)
)
_FIND_DROPPED = select(run_events.c.seq, run_events.c.data).where(
    run_events.c.run_id == bindparam("run_id"),
    run_events.c.event_type == "events_dropped",
)
_UPDATE_DROPPED = (
    update(run_events)
    .where(
        run_events.c.run_id == bindparam("for_run"),
        run_events.c.seq == bindparam("for_seq"),
    )
    .values(data=bindparam("data"))
)
_SET_COUNT = (
    update(runs)
    .where(runs.c.id == bindparam("for_run"))
    .values(event_count=bindparam("count"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """An event that has no place in a list yet."""

    timestamp: datetime
    event_type: str
    level: str
    data: Mapping[str, Any]


def to_rows(
    run_id: str, first_seq: int, drafts: Sequence[EventDraft]
) -> list[dict[str, Any]]:
    """Return rows for ``insert``; the first gets ``first_seq``.

    What is told together with a later start or end, such as its scans, came before it: no
    row has a later time than the next.
    """
    times = [draft.timestamp for draft in drafts]
    for place in range(len(times) - 1, 0, -1):
        times[place - 1] = min(times[place - 1], times[place])
    return [
        {
            "run_id": run_id,
            "seq": seq,
            "timestamp": times[seq - first_seq],
            "event_type": draft.event_type,
            "level": draft.level,
            "data": draft.data,
        }
        for seq, draft in enumerate(drafts, first_seq)
    ]


def insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add rows made by ``to_rows``; ``runs.event_count`` must be set beside it."""
    _INSERT(connection, rows)


def append(connection: Connection, run_id: str, count: int, draft: EventDraft) -> None:
    """Add one event to a run that has ``count`` so far, and count it."""
    insert(connection, to_rows(run_id, count + 1, [draft]))
    connection.execute(_SET_COUNT, {"for_run": run_id, "count": count + 1})


def drop(connection: Connection, run_id: str, count: int, timestamp: datetime) -> None:
    """Count an event that is left out because the run has too many."""
    found = connection.execute(_FIND_DROPPED, {"run_id": run_id}).first()
    if found is None:
        draft = EventDraft(
            timestamp=timestamp,
            event_type="events_dropped",
            level="WARNING",
            data={"count": 1},
        )
        append(connection, run_id, count, draft)
        return
    data = {"count": found.data["count"] + 1}
    values = {"for_run": run_id, "for_seq": found.seq, "data": data}
    connection.execute(_UPDATE_DROPPED, values)


def list_events(connection: Connection, run_id: str, *, after: int) -> list[Event]:
    """Return the events of a run whose seq is larger than ``after``, in order."""
    rows = connection.execute(_LIST, {"run_id": run_id, "after": after})
    return [
        Event(
            seq=row.seq,
            timestamp=row.timestamp,
            event_type=row.event_type,
            level=row.level,
            data=row.data,
        )
        for row in rows
    ]
