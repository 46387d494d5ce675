"""Deleting runs: row first, then the folder, and nothing brings one back."""

import pytest

from scriptrunner.runs.errors import RunActiveError, RunNotFoundError
from tests.run_world import SHA256, RunWorld

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def keep_script(world: RunWorld):
    """Keep bytes under the hash that all runs of these tests claim to have run."""
    world.settings.scripts_dir.mkdir(exist_ok=True)
    path = world.settings.scripts_dir / SHA256
    path.write_text("print()")
    return path


def test_a_finished_run_goes_with_all_its_files(world: RunWorld) -> None:
    run_id = world.submit(env_vars={"API_KEY": "secret-value"})
    world.end(world.claim_one(), out=b"x")
    assert world.run_folder(run_id).exists()
    world.service.delete(run_id)
    assert not world.run_folder(run_id).exists()
    assert list(world.settings.runs_dir.iterdir()) == []
    with pytest.raises(RunNotFoundError):
        world.get(run_id)
    with pytest.raises(RunNotFoundError):
        world.service.list_events(run_id)


def test_an_active_run_stays(world: RunWorld) -> None:
    queued, running = world.submit(), None
    (launch,) = world.claim(1)
    running = launch.run_id
    queued = world.submit()
    for run_id in (queued, running):
        with pytest.raises(RunActiveError):
            world.service.delete(run_id)
        assert world.get(run_id).id == run_id


@pytest.mark.parametrize("run_id", [UNKNOWN, "", "../x", UNKNOWN.upper() + "A"])
def test_an_unknown_id_touches_nothing(world: RunWorld, run_id: str) -> None:
    with pytest.raises(RunNotFoundError):
        world.service.delete(run_id)


def test_a_late_end_brings_nothing_back(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    end = world.make_end(launch)
    world.ledger.record_ends([end])
    world.service.delete(run_id)
    world.ledger.record_ends([end])
    world.ledger.requeue(run_id, 1)
    world.ledger.note(run_id, "warning", "WARNING", {})
    assert world.service.list_runs().total == 0
    assert not world.run_folder(run_id).exists()


def test_many_at_once_with_reasons(world: RunWorld) -> None:
    done = [world.run_to_end() for _ in range(3)]
    active = world.submit()
    ids = [done[0], active, UNKNOWN, done[0], "nonsense", done[1]]
    deleted, skipped = world.service.delete_many(ids)
    assert deleted == 2
    assert skipped == [
        {"id": active, "reason": "active"},
        {"id": UNKNOWN, "reason": "not_found"},
        {"id": done[0], "reason": "duplicate"},
        {"id": "nonsense", "reason": "not_found"},
    ]
    assert {each.id for each in world.service.list_runs().items} == {done[2], active}


def test_none_is_fine(world: RunWorld) -> None:
    assert world.service.delete_many([]) == (0, [])


def test_a_thousand_go_in_several_transactions(world: RunWorld) -> None:
    ids = [world.submit() for _ in range(150)]
    for run_id in ids:
        world.service.cancel(run_id, principal="a")
    deleted, skipped = world.service.delete_many(ids)
    assert (deleted, skipped) == (150, [])
    assert world.service.list_runs().total == 0


class TestScripts:
    def test_go_with_the_last_run_that_ran_them(self, world: RunWorld) -> None:
        path = keep_script(world)
        first, second = world.run_to_end(), world.run_to_end()
        world.service.delete(first)
        assert path.exists()
        world.service.delete(second)
        assert not path.exists()

    def test_stay_while_a_run_may_be_reading_them(self, world: RunWorld) -> None:
        path = keep_script(world)
        done = world.run_to_end()
        world.submit()
        world.claim(1)
        world.service.delete(done)
        assert path.exists()
