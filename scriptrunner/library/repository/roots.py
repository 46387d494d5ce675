"""Folder roots: add, list, change, remove."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from scriptrunner.library.models import Root, RootOptions
from scriptrunner.library.repository import scans
from scriptrunner.storage.tables import (
    folder_roots,
    script_contents,
    script_versions,
    scripts,
)
from scriptrunner.storage.upsert import insert_into


def insert(
    connection: Connection,
    *,
    path: str,
    name: str,
    options: RootOptions,
    now: datetime,
) -> int | None:
    """Add a root and return its id; None if a root has this path already."""
    values = {
        "path": path,
        "name": name,
        "recursive": options.recursive,
        "include_patterns": options.include_patterns,
        "exclude_patterns": options.exclude_patterns,
        "gitignore": options.gitignore,
        "watch": options.watch,
        "created_at": now,
    }
    statement = (
        insert_into(connection, folder_roots)
        .values(values)
        .on_conflict_do_nothing(index_elements=["path"])
        .returning(folder_roots.c.id)
    )
    number: int | None = connection.execute(statement).scalar()
    return number


def change(connection: Connection, root_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a root."""
    connection.execute(
        update(folder_roots).where(folder_roots.c.id == root_id).values(**values)
    )


def find(connection: Connection, root_id: int, *, lock: bool = False) -> Root | None:
    """Return a root without counts, or None.

    Args:
        connection: One that may write, if ``lock`` is set.
        root_id: Any number.
        lock: Whether nobody else may change it until the transaction ends.
    """
    statement = select(folder_roots).where(folder_roots.c.id == root_id)
    if lock:
        statement = statement.with_for_update()
    row = connection.execute(statement).first()
    return None if row is None else _to_root(row)


def list_all(connection: Connection) -> list[Root]:
    """Return all roots by name, with their counts and their newest scans."""
    rows = connection.execute(
        select(folder_roots).order_by(
            func.lower(folder_roots.c.name), folder_roots.c.path
        )
    ).all()
    counts = _count_scripts(connection)
    newest = scans.list_newest(connection, [row.id for row in rows])
    return [
        _to_root(
            row,
            script_count=counts.get((row.id, False), 0),
            missing_count=counts.get((row.id, True), 0),
            last_scan=newest.get(row.id),
        )
        for row in rows
    ]


def _count_scripts(connection: Connection) -> dict[tuple[int, bool], int]:
    rows = connection.execute(
        select(scripts.c.root_id, scripts.c.missing_flag, func.count())
        .where(scripts.c.missing_flag.in_([False, True]))  # for the index's sake
        .group_by(scripts.c.root_id, scripts.c.missing_flag)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def delete_scripts(connection: Connection, root_id: int, *, limit: int) -> int:
    """Remove up to ``limit`` scripts of a root; return how many there were.

    The contents they had are marked, since perhaps nobody needs them any more.
    """
    ids = connection.scalars(
        select(scripts.c.id).where(scripts.c.root_id == root_id).limit(limit)
    ).all()
    if ids:
        present = select(scripts.c.content_id).where(scripts.c.id.in_(ids))
        earlier = select(script_versions.c.content_id).where(
            script_versions.c.script_id.in_(ids)
        )
        connection.execute(
            update(script_contents)
            .where(script_contents.c.id.in_(present.union(earlier)))
            .values(is_doubtful=True)
        )
        connection.execute(delete(scripts).where(scripts.c.id.in_(ids)))
    return len(ids)


def remove(connection: Connection, root_id: int) -> None:
    """Remove a root whose scripts are gone, with its scans."""
    connection.execute(delete(folder_roots).where(folder_roots.c.id == root_id))


def list_watched(connection: Connection) -> Sequence[Root]:
    """Return the watched roots."""
    rows = connection.execute(
        select(folder_roots).where(folder_roots.c.watch).order_by(folder_roots.c.id)
    )
    return [_to_root(row) for row in rows]


def _to_root(row: Row[*tuple[Any, ...]], **more: Any) -> Root:
    options = RootOptions(
        recursive=row.recursive,
        include_patterns=row.include_patterns,
        exclude_patterns=row.exclude_patterns,
        gitignore=row.gitignore,
        watch=row.watch,
    )
    return Root(
        id=row.id,
        path=row.path,
        name=row.name,
        options=options,
        last_scan_at=row.last_scan_at,
        created_at=row.created_at,
        **more,
    )
