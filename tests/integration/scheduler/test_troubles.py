"""The service is down, the queue or the disk is full, a script has moved: no fire is lost."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from scriptrunner.errors import StorageFullError
from scriptrunner.storage.database import DatabaseGoneError
from tests.task_world import TaskWorld


def test_the_service_was_down(world: TaskWorld) -> None:
    world.add("once", schedule="hourly")
    world.add("skip", schedule="hourly", misfire_policy="skip")
    world.add(
        "all", schedule="hourly", misfire_policy="run_all", overlap_policy="allow"
    )
    world.tick(3 * 3600 + 1800)
    counts = {name: world.task(name).run_count for name in ("once", "skip", "all")}
    assert counts == {"once": 1, "skip": 0, "all": 3}
    assert world.decisions("once") == ["skipped", "skipped", "started"]
    assert world.decisions("skip") == ["skipped"] * 3


def test_a_clock_that_jumps_back_fires_nothing_twice(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes", overlap_policy="allow")
    world.tick(600)
    world.clock.advance(-3600)
    for _ in range(12):
        world.tick(600)
    times = [run.fire_time for run in world.runs_of()]
    assert len(times) == len(set(times)) == 7
    assert max(times) == world.now


def test_of_two_supervisors_only_one_fires(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes", overlap_policy="allow")
    other = world.make_ticker()
    other.tick()
    for _ in range(5):
        world.clock.advance(600)
        # Both have read what is due; whoever has the turn to write second does nothing.
        step = world.tasks.firer
        with world.database.read() as connection:
            due = other_due(connection, world)
        steps = [step._preparer.prepare_due(each, now=world.now) for each in due]
        world.tick()
        other.poke()
        while other.seconds_left() == 0.0:
            other.tick()
        outcome = step._commit(steps)
        assert outcome.started == []
        assert outcome.void == ["t"]
    assert world.task().run_count == 5


def other_due(connection, world: TaskWorld):
    from scriptrunner.scheduler.repository import tasks  # noqa: PLC0415

    return tasks.list_due(connection, now=world.now, limit=10)


def test_a_script_that_has_moved_gives_a_failed_run_that_says_why(
    world: TaskWorld,
) -> None:
    script = world.write_script("gone.py")
    world.add(script="gone.py", schedule="every 10 minutes")
    script.unlink()
    world.tick(600)
    assert world.claim() == []
    (run,) = world.runs_of()
    assert (run.status, run.reason) == ("failed", "script_changed")
    assert "must point to an existing file" in str(run.error)
    assert world.task().last_status == "failed"
    assert "the run fails: " in world.fires()[0].reason
    world.write_script("gone.py")
    world.tick(600)
    world.finish()
    assert world.task().last_status == "success"


def test_a_full_queue_delays_fires_and_loses_none(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(schedule="every 10 minutes")
    monkeypatch.setattr(world.ticker._firer._runs, "find_room", lambda _: 0)
    world.clock.advance(600)
    world.ticker.tick()
    assert world.runs_of() == []
    assert 0 < world.ticker.seconds_left() <= 1
    monkeypatch.undo()
    world.tick(1)
    assert len(world.runs_of()) == 1


def test_the_ticker_costs_a_look_a_second_when_nothing_is_due(world: TaskWorld) -> None:
    world.add(schedule="hourly")
    world.tick()
    assert world.ticker.seconds_left() == pytest.approx(1.0)
    assert world.ticker.tick() is False
    world.clock.advance(3599.5)
    world.ticker.tick()
    assert world.ticker.seconds_left() == pytest.approx(0.5)


def test_tasks_survive_a_restart(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    world.ticker = world.make_ticker()
    world.tick(600)
    assert len(world.runs_of()) == 1


def test_a_task_that_cannot_be_understood_holds_up_no_other(world: TaskWorld) -> None:
    world.add("broken", schedule="daily at 11:00", events=("go",))
    world.add("sound", schedule="daily at 11:00", events=("go",))
    with world.database.write() as connection:
        damage = "UPDATE tasks SET timezone = 'Mars/X', run_options = '{\"x\": 1}'"
        connection.exec_driver_sql(f"{damage} WHERE id = 'broken'")
    world.tick(3600)
    assert world.task("sound").run_count == 1
    assert world.decisions("broken") == ["skipped"]
    assert "cannot be understood" in world.fires("broken")[0].reason
    assert world.task("broken").next_fire_at is None
    # Also at the very moment of another fire.
    answer = world.tasks.events.fire("go", principal="ann")
    assert "its run cannot be made" in dict(answer.skipped)["broken"]
    assert "is still active" in dict(answer.skipped)["sound"]


def test_options_that_are_not_taken_any_more_skip_the_fire(world: TaskWorld) -> None:
    world.add(schedule="hourly")
    with world.database.write() as connection:
        connection.exec_driver_sql("UPDATE tasks SET run_options = '{\"x\": 1}'")
    world.tick(3600)
    (fire,) = world.fires()
    assert (fire.state, fire.reason) == (
        "skipped",
        "its run cannot be made: x is not an option of a run",
    )
    assert world.state() == "scheduled"


def test_a_full_disk_delays_fires_and_loses_none(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(schedule="every 10 minutes")

    def refuse() -> None:
        raise StorageFullError

    monkeypatch.setattr(world.ticker._firer._runs, "check_disk", refuse)
    world.clock.advance(600)
    assert world.ticker.tick() is False
    assert 0 < world.ticker.seconds_left() <= 1
    monkeypatch.undo()
    world.tick(1)
    assert len(world.runs_of()) == 1


def commit_unheard(world: TaskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose the answer to the next commit, and the database with it."""

    def lose(action: Any) -> Any:
        with world.database.write() as connection:
            action(connection)
        raise DatabaseGoneError

    monkeypatch.setattr(world.database, "retrying", lose)


@pytest.mark.parametrize("way", ["event", "time"])
def test_files_of_a_run_stay_when_its_commit_was_not_answered(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """They were removed, and the run, which was queued, started without its secret."""
    world.add(
        schedule="every 1 minutes",
        events=("go",),
        run_options={"env_vars": {"API_TOKEN": "real"}},
    )
    world.clock.advance(60)
    ways: dict[str, Callable[[], object]] = {
        "event": partial(world.tasks.events.fire, "go", principal="ann"),
        "time": partial(world.tasks.firer.fire_due, limit=10),
    }
    with monkeypatch.context() as lost:
        commit_unheard(world, lost)
        with pytest.raises(DatabaseGoneError):
            ways[way]()
    (launch,) = world.claim()
    assert launch.environment["API_TOKEN"] == "real"
