"""Hot queries read an index, not the table: with 100 000 runs that is the difference.

SQLite decides by the text of a statement, so a harmless rewording can cost a factor of
a hundred. These are the plans that were measured to be good.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from scriptrunner.history.models import HistoryFilter
from scriptrunner.history.store import HistoryStore
from scriptrunner.runs.models import RunFilter
from scriptrunner.runs.repository import changes, intake, lists, queue
from scriptrunner.runs.repository import tasks as task_runs
from scriptrunner.scheduler.repository import fires, tasks
from tests.run_world import RunWorld

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def backend() -> str:
    return "sqlite"


@contextmanager
def recorded(world: RunWorld) -> Iterator[list[tuple[str, tuple]]]:
    statements: list[tuple[str, tuple]] = []

    def note(_connection, _cursor, statement, parameters, *_) -> None:
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    event.listen(world.database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(world.database.engine, "before_cursor_execute", note)


def find_plan(world: RunWorld, query) -> str:
    with world.database.read() as connection:
        with recorded(world) as statements:
            query(connection)
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for statement, parameters in statements
        ]
        return "; ".join(row[3] for plan in plans for row in plan)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            lambda c: queue.list_queued(c, limit=2),
            "SCAN runs USING INDEX ix_runs_queue",
        ),
        (
            lambda c: queue.list_dry_runs(c, limit=2),
            "SCAN runs USING INDEX ix_runs_dry",
        ),
        (lambda c: queue.list_due_retries(c, now=NOW, limit=2), "ix_runs_active"),
        (queue.find_next_retry, "ix_runs_active"),
        (queue.find_oldest, "COVERING INDEX ix_runs_status_queued_at"),
        (intake.count_queued, "INDEX ix_runs_queue"),
        (lambda c: changes.list_changed(c, after=1, limit=9), "ix_runs_change"),
        (lambda c: changes.list_deleted(c, after=1, limit=9), "ix_deleted_runs_change"),
        (
            lambda c: lists.get_stats(c, now=NOW, since=None, until=None),
            "COVERING INDEX ix_runs_status_queued_at",
        ),
    ],
)
def test_an_index_is_used(world: RunWorld, query, index: str) -> None:
    plan = find_plan(world, query)
    assert index in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda c: tasks.list_due(c, now=NOW, limit=2), "INDEX ix_tasks_due_at"),
        (tasks.find_next_due, "INDEX ix_tasks_due_at"),
        (lambda c: tasks.list_pending(c, limit=2), "INDEX ix_tasks_pending"),
        (lambda c: task_runs.list_active(c, ["t"]), "INDEX ix_runs_task_id"),
        (lambda c: fires.list_newest(c, "t", limit=2), "uq_task_fires|autoindex"),
        (
            lambda c: fires.list_ends(c, ["t"], limit=2),
            r"SEARCH task_fires USING INDEX \S*(uq_task_fires|autoindex)\S* \(task_id",
        ),
    ],
)
def test_the_ticker_reads_indexes(world: RunWorld, query, index: str) -> None:
    assert re.search(index, find_plan(world, query))


@pytest.mark.parametrize("statuses", [(), ("failed",)])
def test_a_page_is_read_in_the_order_of_an_index(
    world: RunWorld, statuses: tuple[str, ...]
) -> None:
    def page(connection) -> None:
        wanted = RunFilter(statuses=statuses)
        lists.list_page(connection, wanted, limit=50, offset=0, before=None)

    plan = find_plan(world, page)
    assert "SCAN runs USING COVERING" in plan or "SEARCH runs USING COVERING" in plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_places_in_the_queue_are_found_in_its_index(world: RunWorld) -> None:
    world.submit()
    plan = find_plan(world, lambda c: changes.list_changed(c, after=0, limit=9))
    assert plan.count("INDEX ix_runs_queue") == 2
    assert "TEMP B-TREE" not in plan


def find_history_plan(world: RunWorld, ask) -> str:
    """Return the plan of what a history is asked, without a single row in it."""
    store = HistoryStore(world.database)
    with recorded(world) as statements:
        ask(store)
    with world.database.read() as connection:
        plans = [
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            for statement, parameters in statements
        ]
        return "; ".join(row[3] for plan in plans for row in plan)


SINCE = HistoryFilter(since=NOW)
OF_SCRIPT = HistoryFilter(since=NOW, script_path="/srv/etl.py")


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (
            lambda s: s.list_points("cpu_max", OF_SCRIPT, limit=9),
            "USING INDEX ix_executions_script_key (script_key=? AND started_at>?)",
        ),
        (
            lambda s: s.list_points("cpu_max", SINCE, limit=9),
            "USING INDEX ix_executions_started_at (started_at>?)",
        ),
        (
            lambda s: s.count(SINCE),
            "COVERING INDEX ix_executions_started_at (started_at>?)",
        ),
        (
            lambda s: s.list_scripts(SINCE, newest=9),
            "COVERING INDEX ix_executions_script_key (script_key=? AND started_at>?)",
        ),
        (lambda s: s.get_stats(), "COVERING INDEX ix_executions_started_at"),
        (lambda s: s.has_script("/x"), "ix_executions_script_key (script_key=?)"),
        (lambda s: s.count_before(NOW), "ix_executions_started_at (started_at<?)"),
        (
            lambda s: list(s.iter_chunks(SINCE, ["cpu_max"])),
            "ix_executions_started_at (started_at>?)",
        ),
    ],
)
def test_the_history_is_searched_by_its_indexes(world: RunWorld, ask, index) -> None:
    plan = find_history_plan(world, ask)
    assert index in plan
    assert "SCAN executions;" not in f"{plan};"
