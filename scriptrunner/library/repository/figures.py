"""Figures over the library, and what people say about scripts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from scriptrunner.library.models import LibraryStats
from scriptrunner.library.repository import lists
from scriptrunner.storage.tables import (
    content_bands,
    folder_roots,
    script_contents,
    script_versions,
    scripts,
    tags,
)

#: Scripts that share a fingerprint beyond which it says nothing: a common template.
MAX_SHARING = 50


def get_stats(connection: Connection) -> LibraryStats:
    """Return the figures of the whole library."""
    rows = connection.execute(
        select(
            scripts.c.missing_flag,
            scripts.c.language,
            scripts.c.lifecycle_status,
            func.count().label("total"),
        )
        .where(scripts.c.missing_flag.in_([False, True]))  # for the index's sake
        .group_by(
            scripts.c.missing_flag, scripts.c.language, scripts.c.lifecycle_status
        )
    ).all()
    present = [row for row in rows if not row.missing_flag]
    languages: dict[str, int] = {}
    statuses: dict[str, int] = {}
    for row in present:
        languages[row.language] = languages.get(row.language, 0) + row.total
        status = row.lifecycle_status
        statuses[status] = statuses.get(status, 0) + row.total
    return LibraryStats(
        total_scripts=sum(row.total for row in present),
        missing_scripts=sum(row.total for row in rows if row.missing_flag),
        by_language=dict(sorted(languages.items())),
        by_lifecycle_status=dict(sorted(statuses.items())),
        total_tags=_count(connection, tags),
        total_roots=_count(connection, folder_roots),
        duplicate_groups=lists.count_alike(connection),
    )


def _count(connection: Connection, table: Any) -> int:
    count: int = connection.execute(
        select(func.count()).select_from(table)
    ).scalar_one()
    return count


def change_meta(
    connection: Connection, script_id: int, values: Mapping[str, Any], *, now: datetime
) -> bool:
    """Set what people say about a script; return whether it is there."""
    statement = update(scripts).where(scripts.c.id == script_id)
    found = connection.execute(statement.values(**values, updated_at=now))
    return found.rowcount > 0


def list_versions(
    connection: Connection, script_id: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return sha256, size, first and last time of a script's contents.

    The present one comes first and has no last time; then the latest before it.
    """
    present = select(
        scripts.c.sha256,
        scripts.c.size,
        scripts.c.content_since.label("first_seen_at"),
        scripts.c.content_id,
    ).where(scripts.c.id == script_id)
    earlier = (
        select(
            script_contents.c.sha256,
            script_contents.c.size,
            script_versions.c.first_seen_at,
            script_versions.c.last_seen_at,
        )
        .join_from(
            script_versions,
            script_contents,
            script_versions.c.content_id == script_contents.c.id,
        )
        .where(script_versions.c.script_id == script_id)
        .order_by(script_versions.c.last_seen_at.desc())
    )
    return [*connection.execute(present).all(), *connection.execute(earlier).all()]


def list_near(connection: Connection, *, limit: int) -> list[list[int]]:
    """Return groups of content ids that share a fingerprint, at most ``limit`` rows."""
    shared = (
        select(content_bands.c.band, content_bands.c.value)
        .group_by(content_bands.c.band, content_bands.c.value)
        .having(func.count().between(2, MAX_SHARING))
        .subquery()
    )
    rows = connection.execute(
        select(content_bands.c.band, content_bands.c.value, content_bands.c.content_id)
        .join_from(
            content_bands,
            shared,
            (content_bands.c.band == shared.c.band)
            & (content_bands.c.value == shared.c.value),
        )
        .order_by(
            content_bands.c.band, content_bands.c.value, content_bands.c.content_id
        )
        .limit(limit)
    )
    found: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        found.setdefault((row.band, row.value), []).append(row.content_id)
    return list(found.values())
