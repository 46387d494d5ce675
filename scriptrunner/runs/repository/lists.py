"""Lists of runs: filters, pages, counts, figures."""

import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from scriptrunner.clock import from_microseconds, to_microseconds
from scriptrunner.runs.models import (
    ACTIVE_STATUSES,
    RunFilter,
    RunPage,
    RunSort,
    RunStatus,
    Stats,
    Status,
)
from scriptrunner.runs.repository.items import ITEM_COLUMNS, to_items
from scriptrunner.storage.tables import (
    UtcTime,
    run_details,
    runs,
    script_tags,
    scripts,
    tags,
)

#: Characters of a run id.
_ID_LENGTH = 36
#: Newest successes whose durations are looked at.
TIMED_RUNS = 1_000


def list_page(
    connection: Connection,
    wanted: RunFilter,
    *,
    limit: int,
    offset: int,
    before: tuple[datetime, str] | None,
    sort: RunSort = RunSort.QUEUED,
    descending: bool = True,
) -> RunPage:
    """Return a page of the runs that match, and how many match in all.

    Args:
        connection: A reading connection.
        wanted: The filter.
        limit: Most items, >= 1.
        offset: Items to skip, >= 0.
        before: Only runs older than this ``(queued_at, id)``; for the usual order only.
        sort: What to sort by.
        descending: Whether the largest, or the newest, come first.
    """
    conditions = _conditions(wanted)
    total = connection.execute(
        select(func.count()).select_from(runs).where(*conditions)
    ).scalar_one()
    if before is not None:
        key = tuple_(runs.c.queued_at, runs.c.id)
        queued_at, run_id = before
        place = tuple_(literal(queued_at, UtcTime), literal(run_id, String))
        conditions = [*conditions, key < place]
    rows = connection.execute(
        select(*ITEM_COLUMNS)
        .where(*conditions)
        .order_by(*_order(sort, descending=descending))
        .limit(limit + 1)
        .offset(offset)
    ).all()
    items = to_items(connection, rows[:limit])
    more = len(rows) > limit and sort is RunSort.QUEUED and descending
    cursor = to_cursor(items[-1].queued_at, items[-1].id) if more else None
    return RunPage(items=items, total=total, next_before=cursor)


def _order(sort: RunSort, *, descending: bool) -> list[ColumnElement[Any]]:
    """Return the order of a list; runs without a value come last either way."""
    newest: list[ColumnElement[Any]] = [runs.c.queued_at.desc(), runs.c.id.desc()]
    if sort is RunSort.QUEUED:
        return newest if descending else [runs.c.queued_at, runs.c.id]
    column = _SORT_COLUMNS[sort]
    if sort is not RunSort.DURATION:
        return [column.desc() if descending else column, *newest]
    return [column.is_(None), column.desc() if descending else column, *newest]


_SORT_COLUMNS = {
    RunSort.DURATION: runs.c.duration_seconds,
    RunSort.SCRIPT: func.lower(runs.c.script_name),
    RunSort.STATUS: runs.c.status,
}


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(runs.c.status.in_(sorted(set(wanted.statuses))))
    if wanted.script:
        part = wanted.script.casefold()
        conditions.append(runs.c.script_folded.contains(part, autoescape=True))
    if wanted.trigger is not None:
        conditions.append(runs.c.trigger == wanted.trigger)
    if wanted.task_id is not None:
        conditions.append(runs.c.task_id == wanted.task_id)
    if wanted.principal is not None:
        conditions.append(runs.c.principal == wanted.principal)
    if wanted.script_path is not None:
        conditions += _is_script(wanted.script_path)
    if wanted.tag is not None:
        conditions.append(_has_tag(wanted.tag.casefold()))
    if wanted.since is not None:
        conditions.append(runs.c.queued_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(runs.c.queued_at < wanted.until)
    if wanted.text:
        conditions.append(_mentions(wanted.text.casefold()))
    return conditions


#: Absolute path of what ran; null for uploads.
_FILE = runs.c.script_root + "/" + runs.c.script_relative


def _is_script(path: str) -> list[ColumnElement[bool]]:
    """Whether a script is meant by its path as it was given, or by its absolute one."""
    # The name is in an index, which paths of any length cannot be.
    name = path.rpartition("/")[2].removeprefix("upload:")
    is_path = or_(runs.c.script_path == path, literal(path, String) == _FILE)
    return [runs.c.script_name == name, is_path]


def _has_tag(name: str) -> ColumnElement[bool]:
    """Whether what ran is a script that has a tag in the library now."""
    paths = (
        select(scripts.c.path)
        .join_from(tags, script_tags, script_tags.c.tag_id == tags.c.id)
        .join(scripts, scripts.c.id == script_tags.c.script_id)
        .where(tags.c.name_folded == name)
    )
    return _FILE.in_(paths)


def _mentions(part: str) -> ColumnElement[bool]:
    in_request = exists().where(
        run_details.c.run_id == runs.c.id,
        run_details.c.search_text.contains(part, autoescape=True),
    )
    return or_(
        runs.c.id.contains(part, autoescape=True),
        runs.c.correlation_id.contains(part, autoescape=True),
        func.lower(runs.c.error).contains(part, autoescape=True),
        in_request,
    )


def to_cursor(queued_at: datetime, run_id: str) -> str:
    """Return the text that stands for a place in the list, also when the run is gone."""
    return f"{to_microseconds(queued_at)}.{run_id}"


def find_place(connection: Connection, before: str) -> tuple[datetime, str] | None:
    """Return the ``(queued_at, id)`` that a run id or cursor means, or None."""
    number, dot, run_id = before.partition(".")
    if dot:
        if not (number.isascii() and number.isdigit() and len(number) <= 17):
            return None
        if len(run_id) != _ID_LENGTH:
            return None
        return from_microseconds(int(number)), run_id
    statement = select(runs.c.queued_at).where(runs.c.id == before)
    queued_at = connection.execute(statement).scalar()
    return None if queued_at is None else (queued_at, before)


def get_stats(
    connection: Connection,
    *,
    now: datetime,
    since: datetime | None,
    until: datetime | None,
) -> Stats:
    """Return the figures of the runs queued within the bounds.

    Args:
        connection: A reading connection.
        now: End of the last 24 hours.
        since: Earliest queueing time, or None.
        until: Queueing times before this only, or None.
    """
    bounds = _conditions(RunFilter(since=since, until=until))
    endings = [
        func.count().filter(runs.c.run_status == each).label(each) for each in RunStatus
    ]
    statement = select(runs.c.status, func.count().label("total"), *endings)
    rows = connection.execute(statement.where(*bounds).group_by(runs.c.status)).all()
    totals = {row.status: row.total for row in rows}
    recents = _count_recent(connection, now - timedelta(hours=24), bounds)
    by_run_status = {
        each.value: count
        for each in RunStatus
        if (count := sum(row._mapping[each] for row in rows))
    }
    return Stats(
        total_runs=sum(totals.values()),
        by_status=totals,
        by_run_status=by_run_status,
        runs_24h=sum(recents.values()),
        success_rate=_success_rate(totals),
        success_rate_24h=_success_rate(recents),
        active=sum(totals.get(each, 0) for each in ACTIVE_STATUSES),
        p95_duration_seconds=_find_p95(connection, bounds),
    )


def _find_p95(
    connection: Connection, bounds: list[ColumnElement[bool]]
) -> float | None:
    """Return the 95th percentile (nearest rank) of how long the newest successes took."""
    # In the order of the index on status and time, so that old runs are never read.
    statement = (
        select(runs.c.duration_seconds)
        .where(runs.c.status == Status.COMPLETED.value, ~runs.c.dry_run, *bounds)
        .order_by(runs.c.queued_at.desc())
        .limit(TIMED_RUNS)
    )
    durations = connection.execute(statement).scalars()
    found = sorted(each for each in durations if each is not None)
    return found[math.ceil(0.95 * len(found)) - 1] if found else None


def _count_recent(
    connection: Connection, since: datetime, bounds: list[ColumnElement[bool]]
) -> dict[str, int]:
    """Return how many runs of each status were queued from ``since`` on."""
    # With all statuses named, the index on status and time is used for each of them.
    every = runs.c.status.in_([each.value for each in Status])
    rows = connection.execute(
        select(runs.c.status, func.count())
        .where(every, runs.c.queued_at >= since, *bounds)
        .group_by(runs.c.status)
    )
    return {row[0]: row[1] for row in rows}


def _success_rate(counts: dict[str, int]) -> float | None:
    completed, failed = counts.get("completed", 0), counts.get("failed", 0)
    if not completed + failed:
        return None
    return round(100 * completed / (completed + failed), 2)
