"""SQL of mutes: of which scripts and rules nobody is told for a time."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
)

from scriptrunner.alerts.models import Mute, MutePage
from scriptrunner.storage.tables import alert_mutes, alerts, runs
from scriptrunner.storage.upsert import insert_into

_C = alert_mutes.c
_NAMES = tuple(each.name for each in fields(Mute))
_COLUMNS = tuple(_C[name] for name in _NAMES)
_IS_ACTIVE = or_(_C.until.is_(None), _C.until > bindparam("now"))
#: Absolute path of what a run ran; null for uploads, and when the run is gone.
_FILE = func.rtrim(runs.c.script_root, "/") + "/" + runs.c.script_relative
#: The last to end comes first.
_LONGEST_FIRST = (_C.until.is_(None).desc(), _C.until.desc(), _C.id)


def _same_or_any(asked: ColumnElement[Any], given: ColumnElement[Any]) -> Any:
    return or_(asked.is_(None), asked == given)


_OF_ALERT = (
    select(*_COLUMNS)
    .select_from(alerts)
    .outerjoin(runs, runs.c.id == alerts.c.run_id)
    .join(
        alert_mutes,
        and_(
            or_(_C.script_path == alerts.c.script_path, _C.script_path == _FILE),
            _same_or_any(_C.rule, alerts.c.name),
            _same_or_any(_C.condition, alerts.c.condition),
            _IS_ACTIVE,
        ),
    )
    .where(alerts.c.id == bindparam("alert_id"))
    .order_by(*_LONGEST_FIRST)
    .limit(1)
)


def find_for(connection: Connection, alert_id: int, *, now: datetime) -> Mute | None:
    """Return what mutes an alert now, the last to end if there are several, or None."""
    row = connection.execute(_OF_ALERT, {"alert_id": alert_id, "now": now}).first()
    return None if row is None else Mute(*row)


def list_page(
    connection: Connection, *, now: datetime, limit: int, offset: int
) -> MutePage:
    """Return mutes that are in force, those that end first at the top.

    Args:
        connection: Any.
        now: The time.
        limit: Most items, >= 1.
        offset: Items to skip, >= 0.
    """
    order = (_C.until.is_(None), _C.until, _C.id)
    page = select(*_COLUMNS).where(_IS_ACTIVE).order_by(*order)
    rows = connection.execute(page.limit(limit).offset(offset), {"now": now})
    items = [Mute(*row) for row in rows]
    count = select(func.count()).select_from(alert_mutes).where(_IS_ACTIVE)
    return MutePage(items=items, total=connection.scalar(count, {"now": now}) or 0)


def put(connection: Connection, values: Mapping[str, Any], *, now: datetime) -> Mute:
    """Store a mute, in place of one of the same script, rule and condition.

    Those whose time is over are removed.

    Args:
        connection: In a write transaction.
        values: By the fields of ``Mute``, but its id.
        now: The time.
    """
    connection.execute(delete(alert_mutes).where(_C.until <= now))
    row = {**values, "target_key": _make_key(values)}
    statement = insert_into(connection, alert_mutes).values(row)
    replaced = statement.on_conflict_do_update(
        index_elements=["target_key"], set_=dict(values)
    )
    return Mute(*connection.execute(replaced.returning(*_COLUMNS)).one())


def _make_key(values: Mapping[str, Any]) -> str:
    target = [values[name] for name in ("script_path", "rule", "condition")]
    return hashlib.sha256(json.dumps(target).encode("ascii")).hexdigest()


def remove(connection: Connection, mute_id: int, *, now: datetime) -> Mute | None:
    """Remove a mute that is in force and return it, or None if there is none."""
    found = connection.execute(
        select(*_COLUMNS).where(_C.id == mute_id, _IS_ACTIVE), {"now": now}
    ).first()
    if found is None:
        return None
    connection.execute(delete(alert_mutes).where(_C.id == mute_id))
    return Mute(*found)
