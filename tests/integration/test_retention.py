"""Automatic retention: by age, number and size; once an hour; stopped at any moment."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.analytics.retention import Policy, RetentionJob, find_cutoffs, preview
from scriptrunner.application.jobs import build_background
from scriptrunner.history.store import HistoryStore
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database
from tests.clocks import FakeClock
from tests.executions import make_finished, store

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def history(database: Database) -> HistoryStore:
    store(database, [make_finished(n, at=NOW - n * DAY) for n in range(1, 11)])
    return HistoryStore(database, has_alerts=True)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (Policy(), 10),
        (Policy(days=4), 4),
        (Policy(max_runs=3), 3),
        (Policy(max_runs=10), 10),
        (Policy(max_runs=11), 10),
        (Policy(max_mb=1), 10),
        (Policy(days=9, max_runs=3), 3),
        (Policy(days=2, max_runs=5), 2),
    ],
)
def test_a_policy_does_what_its_preview_said(history, tmp_path, policy, kept):
    said = preview(history, policy, now=NOW)
    assert (said["total_executions"], said["would_keep"]) == (10, kept)
    assert said["would_delete"]["executions"] == 10 - kept
    assert said["would_delete"]["metrics"] == 7 * (10 - kept)
    job = RetentionJob(history, policy, stamp=tmp_path / "stamp", clock=FakeClock(NOW))
    job.work(threading.Event())
    assert history.count_all() == kept


def test_a_size_is_a_number_of_executions(history, monkeypatch):
    monkeypatch.setattr(history, "estimate_row_bytes", lambda: (1 << 20) / 4)
    cutoffs = find_cutoffs(history, Policy(max_mb=1), now=NOW)
    assert cutoffs == {"size": NOW - 4 * DAY}


def test_a_round_is_due_once_an_hour(history, tmp_path):
    clock, stamp = FakeClock(NOW), tmp_path / "stamp"

    def make_job() -> RetentionJob:
        return RetentionJob(history, Policy(days=4), stamp=stamp, clock=clock)

    supervisor, background = make_job(), make_job()
    assert supervisor.is_due()
    assert background.is_due()
    background.work(threading.Event())
    assert not supervisor.is_due()
    assert not background.is_due()
    hour_ago = time.time() - 3_601
    os.utime(stamp, (hour_ago, hour_ago))
    assert not supervisor.is_due()  # it has looked a moment ago
    clock.advance(31)
    assert supervisor.is_due()


def test_without_a_policy_nothing_is_ever_due(history, tmp_path):
    job = RetentionJob(history, Policy(), stamp=tmp_path / "s", clock=FakeClock(NOW))
    assert not job.is_due()


def test_a_round_that_was_stopped_is_not_done(history, tmp_path):
    stop = threading.Event()
    stop.set()
    stamp = tmp_path / "stamp"
    job = RetentionJob(history, Policy(days=4), stamp=stamp, clock=FakeClock(NOW))
    job.work(stop)
    assert not stamp.exists()
    assert job.is_due()


def test_the_background_process_has_the_job(tmp_path):
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/runs.db",
        data_dir=tmp_path,
        allowed_roots=(tmp_path,),
        history_days=7,
    )
    (job,) = [
        job for job in build_background(settings) if job.name == "history retention"
    ]
    assert job.is_due()
