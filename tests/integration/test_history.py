"""The history in a database: recording, pages, series, figures, removal."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from scriptrunner.alerts.models import DeliveryStatus, NewAlert, NewDelivery
from scriptrunner.alerts.repository import triggered
from scriptrunner.history.models import Cursor, HistoryFilter, Outcome
from scriptrunner.history.store import BATCH, HistoryStore
from scriptrunner.storage.database import Database
from scriptrunner.storage.tables import alert_deliveries, alerts
from tests.executions import BEGIN, HOUR, SCRIPT, make_finished, store, store_values

OTHER = "/srv/scripts/other.py"
ALL = HistoryFilter(with_cancelled=True)


@pytest.fixture
def history(database: Database) -> HistoryStore:
    return HistoryStore(database, has_alerts=True)


def numbers(items: list) -> list[int]:
    return [item["id"] for item in items]


def test_an_item_tells_all_that_is_known(database, history):
    store(
        database,
        [
            make_finished(
                script_args=["x", "ü"],
                correlation_id="c",
                stdout_lines=2,
                timeout_seconds=5,
                alert_count=1,
            )
        ],
    )
    (item,), following = history.list_items(ALL, limit=10)
    assert following is None
    assert item == {
        "id": 1,
        "run_id": "00000000-0000-4000-8000-000000000001",
        "correlation_id": "c",
        "script_path": SCRIPT,
        "script_args": ["x", "ü"],
        "script_sha256": "a" * 64,
        "start_time": "2026-11-01T01:00:00.000000Z",
        "end_time": "2026-11-01T01:00:01.000000Z",
        "execution_time_seconds": 1.0,
        "exit_code": 0,
        "success": True,
        "timed_out": False,
        "status": "completed",
        "run_status": "success",
        "reason": None,
        "trigger": "api",
        "attempt_number": 1,
        "timeout_seconds": 5.0,
        "stdout_lines": 2,
        "stderr_lines": None,
        "python_version": "3.11.7",
        "platform": "Linux",
        "created_at": "2026-11-01T01:00:01.000000Z",
        "metrics": {
            "success": 1,
            "timed_out": 0,
            "exit_code": 0,
            "attempt_number": 1,
            "stdout_lines": 2,
            "timeout_seconds": 5.0,
            "execution_time_seconds": 1.0,
            "cpu_avg": 50.0,
            "memory_max_mb": 20.0,
        },
    }


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ALL, [5, 4, 3, 2, 1]),
        (HistoryFilter(), [5, 3, 2, 1]),
        (HistoryFilter(outcome=Outcome.SUCCESS), [5, 1]),
        (HistoryFilter(outcome=Outcome.FAILED), [3, 2]),
        (HistoryFilter(script_path=OTHER), [2]),
        (HistoryFilter(since=BEGIN + 3 * HOUR), [5, 3]),
        (HistoryFilter(until=BEGIN + 3 * HOUR), [2, 1]),
        (HistoryFilter(script_path="/nowhere"), []),
    ],
)
def test_filters(database, history, wanted, expected):
    store(
        database,
        [
            make_finished(1),
            make_finished(2, status="failed", script_path=OTHER),
            make_finished(3, status="failed"),
            make_finished(4, status="cancelled"),
            make_finished(5),
        ],
    )
    items, _ = history.list_items(wanted, limit=10)
    assert numbers(items) == expected
    assert history.count(wanted) == len(expected)


def test_pages_follow_each_other_without_gap_or_repetition(database, history):
    store(database, [make_finished(n, at=BEGIN + (n // 3) * HOUR) for n in range(1, 9)])
    seen, before = [], None
    while True:
        items, before = history.list_items(ALL, limit=3, before=before)
        seen += numbers(items)
        if before is None:
            break
    assert seen == [8, 7, 6, 5, 4, 3, 2, 1]
    assert history.list_items(ALL, limit=1)[1] == Cursor(BEGIN + 2 * HOUR, 8)


def test_a_series_is_the_newest_values_in_the_order_of_time(database, history):
    store_values(database, [1.0, 2.0, 3.0, 4.0], "cpu_max")
    store(database, [make_finished(9)], first_id=9)  # does not know it
    points = history.list_points("cpu_max", ALL, limit=3)
    assert [point.value for point in points] == [2.0, 3.0, 4.0]
    assert [point.execution_id for point in points] == [2, 3, 4]
    assert points[0].at == BEGIN + 2 * HOUR
    columns = history.list_columns(["cpu_max", "cpu_avg", "cpu_min"], ALL, limit=2)
    assert columns == [[3.0, 4.0], [50.0, 50.0], []]


def test_whole_numbers_come_as_floats(database, history):
    store_values(database, [3, 4], "stdout_lines")
    points = history.list_points("stdout_lines", ALL, limit=9)
    assert [(each.value, type(each.value)) for each in points] == [
        (3.0, float),
        (4.0, float),
    ]


def test_the_first_run_of_a_version(database, history):
    versions = ["a", "b", "b", "a"]
    store(
        database,
        [make_finished(n, script_sha256=v * 64) for n, v in enumerate(versions, 1)],
    )
    found = history.find_first_seen(SCRIPT, "script_sha256", "b" * 64)
    assert found == (BEGIN + 2 * HOUR, "00000000-0000-4000-8000-000000000002")
    assert history.find_first_seen(OTHER, "script_sha256", "b" * 64) is None


def test_figures(database, history):
    assert history.get_stats().oldest is None
    store(
        database,
        [
            make_finished(1, alert_count=2),
            make_finished(2, script_path=OTHER, execution_time_seconds=0.5),
            make_finished(3, status="cancelled", cpu_avg=None),
        ],
    )
    stats = history.get_stats()
    assert (stats.executions, stats.metrics, stats.alerts) == (3, 7 + 7 + 6, 2)
    assert (stats.scripts, stats.execution_time_seconds) == (2, 2.5)
    assert (stats.oldest, stats.newest) == (BEGIN + HOUR, BEGIN + 3 * HOUR)
    assert stats.database_size_bytes > 10_000
    assert "/" not in stats.database_file


def test_chunks_cover_everything_once(database, history, monkeypatch):
    monkeypatch.setattr("scriptrunner.history.store.CHUNK", 2)
    store(database, [make_finished(n, at=BEGIN) for n in range(1, 6)])
    chunks = list(history.iter_chunks(ALL, ["run_id"]))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    assert [row[1] for chunk in chunks for row in chunk] == [1, 2, 3, 4, 5]


def add_alert(database, run_id, at=BEGIN):
    delivery = NewDelivery(f"d{run_id}"[:36], "log", DeliveryStatus.SKIPPED)
    alert = NewAlert(
        run_id=run_id,
        rule=0,
        name="slow",
        severity="WARNING",
        condition="cpu > 1",
        measured={},
        triggered_at=at,
        is_early=False,
        script_path=SCRIPT,
        run={},
        metrics={},
        deliveries=[delivery],
    )
    with database.write() as connection:
        triggered.add(connection, [alert], [1])


def test_removal_takes_what_hangs_on_it(database, history):
    kept, gone = make_finished(20, alert_count=1), make_finished(1, alert_count=1)
    store(database, [gone, make_finished(2), kept])
    add_alert(database, gone.run_id)
    add_alert(database, kept.run_id)
    cutoff = BEGIN + 10 * HOUR
    expected = history.count_before(cutoff)
    assert (expected.executions, expected.metrics, expected.alerts) == (2, 14, 1)
    assert history.remove_before(cutoff) == expected
    assert numbers(history.list_items(ALL, limit=9)[0]) == [3]
    with database.read() as connection:
        left = connection.execute(select(alerts.c.run_id)).scalars().all()
        deliveries = connection.execute(
            select(func.count()).select_from(alert_deliveries)
        ).scalar()
    assert (left, deliveries) == ([kept.run_id], 1)
    assert history.remove_before(cutoff).executions == 0


def alerts_in(database):
    with database.read() as connection:
        return set(connection.execute(select(alerts.c.run_id)).scalars())


def test_alerts_of_runs_without_a_history_go_by_their_age(database, history):
    told = make_finished(20, alert_count=1)
    store(database, [told])
    add_alert(database, told.run_id)
    add_alert(database, "no history, old")
    add_alert(database, "no history, new", at=BEGIN + 10 * HOUR)
    cutoff = BEGIN + 10 * HOUR
    assert history.count_before(cutoff).alerts == 1
    removed = history.remove_before(cutoff)
    assert (removed.executions, removed.alerts) == (0, 1)
    assert alerts_in(database) == {told.run_id, "no history, new"}


def test_an_early_alert_of_a_run_that_goes_on_is_kept(world):
    run_id = world.submit(alerts=[{"condition": "cpu > 1", "channels": []}])
    world.start(world.claim_one())
    add_alert(world.database, run_id)
    history = HistoryStore(world.database, has_alerts=True)
    assert history.count_before(BEGIN + HOUR).alerts == 0
    assert history.remove_before(BEGIN + HOUR).alerts == 0
    assert alerts_in(world.database) == {run_id}


def test_alerts_alone_go_in_batches(database, history, monkeypatch):
    monkeypatch.setattr("scriptrunner.history.store.BATCH", 2)
    for number in range(5):
        add_alert(database, f"run {number}")
    stop = threading.Event()
    stop.set()
    assert history.remove_before(BEGIN + HOUR, stop=stop).alerts == 0
    assert history.remove_before(BEGIN + HOUR).alerts == 5


def test_removal_goes_in_batches(database, history):
    count = BATCH + 10
    rows = [make_finished(n, at=BEGIN + timedelta(seconds=n)) for n in range(count)]
    store(database, rows)
    assert history.remove_before(BEGIN + HOUR).executions == count
    assert history.count_all() == 0


def test_places_behind_the_newest_and_sizes(database, history):
    assert history.find_start_of(0) is None
    store(database, [make_finished(n) for n in range(1, 4)])
    assert history.find_start_of(0) == BEGIN + 3 * HOUR
    assert history.find_start_of(2) == BEGIN + HOUR
    assert history.find_start_of(3) is None
    assert 300 < history.estimate_row_bytes() < 2_000


def test_scripts_with_their_newest_executions(database, history):
    assert history.list_scripts(ALL, newest=2) == []
    store(
        database,
        [
            make_finished(1),
            make_finished(2, status="failed"),
            make_finished(3),
            make_finished(4, script_path=OTHER),
            make_finished(5, script_path=OTHER, status="cancelled"),
            make_finished(6, script_path="/old.py", at=BEGIN - HOUR),
        ],
    )
    wanted = HistoryFilter(since=BEGIN)
    by_path = {
        each.newest[-1].script_path: each
        for each in history.list_scripts(wanted, newest=2)
    }
    assert set(by_path) == {SCRIPT, OTHER}
    etl = by_path[SCRIPT]
    assert (etl.executions, etl.successes) == (3, 2)
    assert [each.status for each in etl.newest] == ["failed", "completed"]
    assert (by_path[OTHER].executions, by_path[OTHER].successes) == (1, 1)
    only = history.list_scripts(HistoryFilter(script_path=OTHER), newest=5)
    assert [each.executions for each in only] == [1]
    failed = HistoryFilter(outcome=Outcome.FAILED)
    (figures,) = history.list_scripts(failed, newest=5)
    assert (figures.executions, figures.successes) == (1, 0)
