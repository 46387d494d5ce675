"""Tags, and which scripts have them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from scriptrunner.library.models import Tag
from scriptrunner.storage.tables import script_tags, scripts, tags
from scriptrunner.storage.upsert import insert_into


def list_all(connection: Connection) -> list[Tag]:
    """Return all tags by name without case, with the number of their scripts.

    As in lists and folder roots, a script whose file is missing does not count.
    """
    counts = (
        select(script_tags.c.tag_id, func.count().label("total"))
        .join(scripts, scripts.c.id == script_tags.c.script_id)
        .where(~scripts.c.missing_flag)
        .group_by(script_tags.c.tag_id)
        .subquery()
    )
    rows = connection.execute(
        select(tags, func.coalesce(counts.c.total, 0).label("total"))
        .outerjoin(counts, counts.c.tag_id == tags.c.id)
        .order_by(tags.c.name_folded)
    )
    return [_to_tag(row, script_count=row.total) for row in rows]


def find(connection: Connection, tag_id: int) -> Tag | None:
    """Return a tag with the number of its scripts, or None."""
    row = connection.execute(select(tags).where(tags.c.id == tag_id)).first()
    if row is None:
        return None
    count = connection.execute(
        select(func.count())
        .select_from(script_tags)
        .join(scripts, scripts.c.id == script_tags.c.script_id)
        .where(script_tags.c.tag_id == tag_id, ~scripts.c.missing_flag)
    ).scalar_one()
    return _to_tag(row, script_count=count)


def has_name(connection: Connection, name_folded: str, *, besides: int = 0) -> bool:
    """Return whether another tag has this name."""
    statement = select(tags.c.id).where(
        tags.c.name_folded == name_folded, tags.c.id != besides
    )
    return connection.execute(statement).first() is not None


def insert(
    connection: Connection, *, name: str, name_folded: str, color: str, now: datetime
) -> int | None:
    """Add a tag and return its id; None if its name was taken at the last moment."""
    values = {"name": name, "name_folded": name_folded, "color": color}
    statement = (
        insert_into(connection, tags)
        .values(**values, created_at=now)
        .on_conflict_do_nothing(index_elements=["name_folded"])
        .returning(tags.c.id)
    )
    number: int | None = connection.execute(statement).scalar()
    return number


def change(connection: Connection, tag_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a tag."""
    if values:
        connection.execute(update(tags).where(tags.c.id == tag_id).values(**values))


def remove(connection: Connection, tag_id: int) -> bool:
    """Remove a tag, also from all scripts; return whether it was there."""
    return connection.execute(delete(tags).where(tags.c.id == tag_id)).rowcount > 0


def attach(
    connection: Connection, script_ids: Sequence[int], tag_ids: Sequence[int]
) -> int:
    """Put tags on scripts; return how many were not there before."""
    rows = [{"script_id": s, "tag_id": t} for s in script_ids for t in tag_ids]
    if not rows:
        return 0
    before = _count(connection, script_ids, tag_ids)
    statement = insert_into(connection, script_tags).on_conflict_do_nothing()
    connection.execute(statement, rows)
    return _count(connection, script_ids, tag_ids) - before


def detach(
    connection: Connection, script_ids: Sequence[int], tag_ids: Sequence[int]
) -> int:
    """Take tags off scripts; return how many were there."""
    return connection.execute(
        delete(script_tags).where(
            script_tags.c.script_id.in_(script_ids), script_tags.c.tag_id.in_(tag_ids)
        )
    ).rowcount


def list_known(
    connection: Connection, script_ids: Sequence[int], tag_ids: Sequence[int]
) -> tuple[set[int], set[int]]:
    """Return those of the ids that there are."""
    return (
        set(
            connection.scalars(select(scripts.c.id).where(scripts.c.id.in_(script_ids)))
        ),
        set(connection.scalars(select(tags.c.id).where(tags.c.id.in_(tag_ids)))),
    )


def _count(
    connection: Connection, script_ids: Sequence[int], tag_ids: Sequence[int]
) -> int:
    statement = select(func.count()).where(
        script_tags.c.script_id.in_(script_ids), script_tags.c.tag_id.in_(tag_ids)
    )
    count: int = connection.execute(statement).scalar_one()
    return count


def _to_tag(row: Any, *, script_count: int) -> Tag:
    return Tag(
        id=row.id,
        name=row.name,
        color=row.color,
        created_at=row.created_at,
        script_count=script_count,
    )
