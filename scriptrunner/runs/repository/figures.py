"""Figures of the Runner page: days, and scripts whose newest runs failed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, func, select, type_coerce

from scriptrunner.clock import to_microseconds
from scriptrunner.runs.models import Status
from scriptrunner.storage.tables import (
    run_results,
    runs,
    script_tags,
    scripts,
    tags,
)

DAY_MICROSECONDS = 86_400 * 1_000_000
#: Newest runs that are looked at for scripts that fail again and again.
LOOK_BACK_RUNS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The runs queued on one day, UTC."""

    date: date
    total: int
    completed: int
    failed: int
    cancelled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A script whose newest runs failed, all of them."""

    #: As it was given for the newest run.
    script_path: str
    #: Its newest run.
    run_id: str
    finished_at: datetime | None
    reason: str | None
    error: str | None
    #: How many of its newest runs failed, one after the other.
    failures: int
    #: Whether no success is known among the runs looked at.
    never_succeeded: bool
    #: The end of what the newest run wrote to stderr.
    stderr_snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag of the library."""

    name: str
    #: Such as ``#a1b2c3``.
    color: str


def list_days(connection: Connection, *, now: datetime, days: int) -> list[Day]:
    """Return the last ``days`` (>= 1) days in UTC, today included, oldest first."""
    first = now.astimezone(UTC).date() - timedelta(days=days - 1)
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    start = to_microseconds(begin)
    # Named one by one, so that the index on status and time is used.
    found: dict[tuple[int, str], int] = {}
    for status in Status:
        queued_at = type_coerce(runs.c.queued_at, BigInteger)
        day = ((queued_at - start) // DAY_MICROSECONDS).label("day")
        rows = connection.execute(
            select(day, func.count())
            .where(runs.c.status == status.value, runs.c.queued_at >= begin)
            .group_by("day")
        )
        found.update({(int(row[0]), status.value): row[1] for row in rows})
    return [
        Day(
            date=first + timedelta(days=number),
            total=sum(found.get((number, each.value), 0) for each in Status),
            completed=found.get((number, Status.COMPLETED.value), 0),
            failed=found.get((number, Status.FAILED.value), 0),
            cancelled=found.get((number, Status.CANCELLED.value), 0),
        )
        for number in range(days)
    ]


def list_troubles(
    connection: Connection, *, since: datetime, limit: int
) -> list[Trouble]:
    """Return the scripts whose newest runs failed, the most persistent first.

    Args:
        connection: A reading connection.
        since: Runs queued before are not looked at, nor more than ``LOOK_BACK_RUNS``;
            dry runs never, which start nothing.
        limit: Most scripts, >= 1.
    """
    rows = connection.execute(
        select(
            runs.c.id,
            runs.c.script_path,
            runs.c.script_root,
            runs.c.script_relative,
            runs.c.status,
            runs.c.finished_at,
            runs.c.reason,
            runs.c.error,
        )
        # Without the status the newest are read along an index, and no more than those.
        .where(runs.c.queued_at >= since, ~runs.c.dry_run)
        .order_by(runs.c.queued_at.desc(), runs.c.id.desc())
        .limit(LOOK_BACK_RUNS)
    ).all()
    newest: dict[str, Row[*tuple[Any, ...]]] = {}
    failures: dict[str, int] = {}
    succeeded: set[str] = set()
    for row in rows:
        if row.status not in (Status.COMPLETED, Status.FAILED):
            continue
        script = _script_of(row)
        newest.setdefault(script, row)
        if row.status == Status.COMPLETED:
            succeeded.add(script)
        elif script not in succeeded:
            failures[script] = failures.get(script, 0) + 1
    worst = sorted(failures, key=lambda script: -failures[script])[:limit]
    snippets = _find_snippets(connection, [newest[script].id for script in worst])
    return [
        Trouble(
            script_path=newest[script].script_path,
            run_id=newest[script].id,
            finished_at=newest[script].finished_at,
            reason=newest[script].reason,
            error=newest[script].error,
            failures=failures[script],
            never_succeeded=script not in succeeded,
            stderr_snippet=snippets.get(newest[script].id, ""),
        )
        for script in worst
    ]


def _script_of(row: Row[*tuple[Any, ...]]) -> str:
    """Return what tells scripts apart: a file may be given by more than one path."""
    if row.script_root is None or row.script_relative is None:
        path: str = row.script_path
        return path
    return f"{row.script_root.rstrip('/')}/{row.script_relative}"


def _find_snippets(connection: Connection, ids: list[str]) -> dict[str, str]:
    """Return the end of stderr of some runs."""
    rows = connection.execute(
        select(run_results.c.run_id, run_results.c.error_summary).where(
            run_results.c.run_id.in_(ids)
        )
    )
    return {row[0]: (row[1] or {}).get("stderr_snippet") or "" for row in rows}


def find_tags(connection: Connection, paths: list[str]) -> dict[str, list[Tag]]:
    """Return the tags that scripts have in the library now, by absolute path."""
    rows = connection.execute(
        select(scripts.c.path, tags.c.name, tags.c.color)
        .join_from(scripts, script_tags, script_tags.c.script_id == scripts.c.id)
        .join(tags, tags.c.id == script_tags.c.tag_id)
        .where(scripts.c.name.in_({_name_of(each) for each in paths}))
        .where(scripts.c.path.in_(paths))
        .order_by(tags.c.name_folded)
    )
    found: dict[str, list[Tag]] = {}
    for path, name, color in rows:
        tag = Tag(name=name, color=color)
        # A script may lie below two roots.
        if tag not in found.setdefault(path, []):
            found[path].append(tag)
    return found


def _name_of(path: str) -> str:
    """Return the last part of a path: names are in an index, paths are not."""
    return path.rpartition("/")[2]
