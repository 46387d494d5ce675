"""Old runs go by age, number and size; what is under way, or was just over, stays."""

import threading
from typing import Any

import pytest

from scriptrunner.alerts.models import DeliveryStatus, NewAlert, NewDelivery
from scriptrunner.alerts.repository import triggered
from scriptrunner.analytics.retention import Policy
from scriptrunner.application.jobs import make_jobs
from scriptrunner.runs import retention as retention_module
from scriptrunner.runs.deleting import Remover
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.retention import MIN_AGE, RunRetention
from scriptrunner.storage.changes import reserve
from scriptrunner.storage.tables import alert_deliveries
from scriptrunner.supervisor.ports import BackgroundJob
from tests.run_world import RunWorld

DAY = 86_400.0
LATER = MIN_AGE.total_seconds() + 1


def make_job(world: RunWorld, **policy: Any) -> RunRetention:
    return RunRetention(
        world.database,
        RunFolders.of(world.settings),
        Remover.of(world.database, world.settings, clock=world.clock),
        Policy(**policy),
        stamp=world.settings.run_rounds_path,
        clock=world.clock,
        announce=lambda: world.calls.append("announce"),
    )


def clean_up(world: RunWorld, **policy: Any) -> None:
    """Go one round."""
    make_job(world, **policy).work(threading.Event())


def run_daily(world: RunWorld, count: int, size: int = 1) -> list[str]:
    """Return runs that ended, one a day; the last one more than ``MIN_AGE`` ago."""
    ids = []
    for _ in range(count):
        ids.append(world.submit())
        world.end(world.claim_one(), out=b"x" * size)
        world.clock.advance(DAY)
    return ids


def make_alert(world: RunWorld, run_id: str) -> NewAlert:
    """Return an alert that has to go to an address that the run brought."""
    return NewAlert(
        run_id=run_id,
        rule=0,
        name="slow",
        severity="ERROR",
        condition="true",
        measured={},
        triggered_at=world.clock.utc_now(),
        is_early=False,
        script_path="ok.py",
        run={"id": run_id},
        metrics={},
        deliveries=(NewDelivery("d-1", "slack", DeliveryStatus.PENDING),),
    )


def left(world: RunWorld) -> list[str]:
    """Return the runs of the record, the oldest first; there are no other folders."""
    ids = [run.id for run in world.service.list_runs(limit=500).items][::-1]
    folders = {path.name for path in world.settings.runs_dir.iterdir()}
    assert folders <= set(ids)
    return ids


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ({}, 6),
        ({"days": 3}, 2),
        ({"days": 100}, 6),
        ({"max_runs": 4}, 4),
        ({"max_runs": 6}, 6),
        ({"max_runs": 7}, 6),
        ({"days": 5, "max_runs": 2}, 2),
        ({"days": 2, "max_runs": 5}, 1),
        ({"max_mb": 1_000}, 6),
    ],
)
def test_what_is_beyond_a_rule_goes(world: RunWorld, policy, kept) -> None:
    ids = run_daily(world, 6)
    clean_up(world, **policy)
    assert left(world) == ids[6 - kept :]


def test_outputs_count_as_the_disk_counts_them(world: RunWorld) -> None:
    ids = run_daily(world, 5, size=900 << 10)
    clean_up(world, max_mb=3)
    assert left(world) == ids[2:]


def test_the_newest_run_stays_however_large(world: RunWorld) -> None:
    ids = run_daily(world, 2, size=2 << 20)
    clean_up(world, max_mb=1)
    assert left(world) == ids[1:]


def test_a_run_counts_from_its_end_and_not_before_it_is_over(world: RunWorld) -> None:
    long = world.submit()
    launch = world.claim_one()
    waiting = world.submit()
    world.clock.advance(40 * DAY)
    clean_up(world, days=30, max_runs=1)
    assert left(world) == [long, waiting]
    world.end(launch)
    world.clock.advance(29 * DAY)
    clean_up(world, days=30)
    assert left(world) == [long, waiting]
    world.clock.advance(2 * DAY)
    clean_up(world, days=30)
    assert left(world) == [waiting]


def test_whoever_waits_for_a_run_still_finds_it(world: RunWorld) -> None:
    ids = [world.run_to_end() for _ in range(3)]
    clean_up(world, max_runs=1)
    assert left(world) == ids
    world.clock.advance(LATER)
    clean_up(world, max_runs=1)
    assert left(world) == ids[2:]


def test_a_run_with_alerts_on_their_way_stays(world: RunWorld) -> None:
    ids = run_daily(world, 3)
    with world.database.write() as connection:
        numbers = reserve(connection, 1)
        triggered.add(connection, [make_alert(world, ids[0])], numbers)
    clean_up(world, max_runs=1)
    assert left(world) == [ids[0], ids[2]]
    with world.database.write() as connection:
        connection.execute(alert_deliveries.update().values(status="sent"))
    clean_up(world, max_runs=1)
    assert left(world) == ids[2:]


def test_many_go_batch_by_batch_and_everybody_is_told(
    world: RunWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "BATCH", 2)
    ids = run_daily(world, 7, size=4_096)
    world.calls.clear()
    clean_up(world, max_runs=2, max_mb=100)
    assert left(world) == ids[5:]
    assert world.calls == ["announce"] * 3


def test_a_round_that_was_stopped_is_not_done(world: RunWorld) -> None:
    ids = run_daily(world, 3)
    job = make_job(world, max_runs=1)
    stop = threading.Event()
    stop.set()
    job.work(stop)
    assert left(world) == ids
    assert job.is_due()
    job.work(threading.Event())
    assert left(world) == ids[2:]
    assert not job.is_due()


def test_without_a_policy_nothing_is_ever_due(world: RunWorld) -> None:
    assert not make_job(world).is_due()


def test_the_background_process_has_the_job(world: RunWorld) -> None:
    settings = world.settings.with_changes(keep_days=7)
    (job,) = [each for each in make_jobs(settings, world.database) if is_ours(each)]
    assert job.is_due()


def is_ours(job: BackgroundJob) -> bool:
    return job.name == "run retention"
