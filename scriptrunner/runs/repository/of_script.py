"""The runs of one script, found by its place: whoever made them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from scriptrunner.runs.models import RunListItem, Status
from scriptrunner.runs.repository.items import ITEM_COLUMNS, to_items
from scriptrunner.storage.tables import runs

#: Runs whose durations make the median.
MEDIAN_RUNS = 500


def _is_of(root: str, relative: str) -> tuple[ColumnElement[bool], ...]:
    """Return what runs of this file have; by its name first, which has an index."""
    return (
        runs.c.script_name == relative.rpartition("/")[2],
        runs.c.script_relative == relative,
        runs.c.script_root == root,
    )


def list_of_script(
    connection: Connection, root: str, relative: str, *, limit: int, offset: int
) -> Sequence[RunListItem]:
    """Return the runs of a file, newest first."""
    rows = connection.execute(
        select(*ITEM_COLUMNS)
        .where(*_is_of(root, relative))
        .order_by(runs.c.queued_at.desc(), runs.c.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    return to_items(connection, rows)


def count_of_script(connection: Connection, root: str, relative: str) -> dict[str, int]:
    """Return how many runs of a file have each status."""
    rows = connection.execute(
        select(runs.c.status, func.count())
        .where(*_is_of(root, relative))
        .group_by(runs.c.status)
    )
    return {row[0]: row[1] for row in rows}


def list_durations(connection: Connection, root: str, relative: str) -> list[float]:
    """Return the durations in seconds of the last completed runs of a file."""
    found = connection.scalars(
        select(runs.c.duration_seconds)
        .where(
            *_is_of(root, relative),
            runs.c.status == Status.COMPLETED.value,
            ~runs.c.dry_run,
            runs.c.duration_seconds.is_not(None),
        )
        .order_by(runs.c.queued_at.desc())
        .limit(MEDIAN_RUNS)
    )
    return [float(each) for each in found if each is not None]


def find_last_success(
    connection: Connection, root: str, relative: str
) -> datetime | None:
    """Return when a run of a file was completed last, or None."""
    found: datetime | None = connection.execute(
        select(func.max(runs.c.finished_at)).where(
            *_is_of(root, relative), runs.c.status == Status.COMPLETED.value
        )
    ).scalar()
    return found


def list_hashes(
    connection: Connection, root: str, relative: str
) -> Sequence[tuple[str, int, datetime, datetime, int | None]]:
    """Return hash, number of runs, first and last start, size, of what runs ran."""
    rows: Any = connection.execute(
        select(
            runs.c.script_sha256,
            func.count(),
            func.min(runs.c.queued_at),
            func.max(runs.c.queued_at),
            func.max(runs.c.script_size),
        )
        .where(*_is_of(root, relative), runs.c.script_sha256.is_not(None))
        .group_by(runs.c.script_sha256)
    )
    return [tuple(row) for row in rows]
