"""The counter that orders all changes of the service: runs, alerts, scans, tasks.

Whoever writes something that ``GET /api/stream`` shows takes a number here, in the same
transaction, and stores it with the row (ADR 0013).
"""

from sqlalchemy import Connection, bindparam, select, update

from scriptrunner.storage.tables import counters

_RESERVE = (
    update(counters)
    .where(counters.c.name == "change")
    .values(value=counters.c.value + bindparam("count"))
    .returning(counters.c.value)
)
_CURRENT = select(counters.c.value).where(counters.c.name == "change")


def reserve(connection: Connection, count: int) -> range:
    """Take ``count`` (>= 0) change numbers, and the turn to write, in one statement.

    Numbers that are not used after all are left out; nobody minds.
    """
    last = connection.execute(_RESERVE, {"count": count}).scalar_one()
    return range(last - count + 1, last + 1)


def get_current(connection: Connection) -> int:
    """Return the number of the newest change."""
    value: int = connection.execute(_CURRENT).scalar_one()
    return value
