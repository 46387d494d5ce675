"""What is tidied up, and above all what is not."""

import os

import pytest

from scriptrunner.runs.housekeeping import Housekeeper
from scriptrunner.runs.models import IdempotencyKey
from tests.run_world import RunWorld

OLD_ID = "11111111-1111-4111-8111-111111111111"
YOUNG_ID = "22222222-2222-4222-8222-222222222222"
HOUR = 3_600.0


def tidy(world: RunWorld, keep_changes: int = 5_000) -> Housekeeper:
    """Go one round."""
    keeper = Housekeeper(
        world.database, world.settings, keep_changes=keep_changes, clock=world.clock
    )
    for _ in range(5):
        keeper.tick()
    return keeper


def make_folder(world: RunWorld, name: str, *, age: float, file: str = "upload.py"):
    folder = world.settings.runs_dir / name
    folder.mkdir(parents=True)
    (folder / file).write_text("x")
    then = world.clock.utc_now().timestamp() - age
    os.utime(folder, (then, then))
    return folder


def test_an_empty_data_folder_is_fine(world: RunWorld) -> None:
    tidy(world)


def test_folders_that_were_being_deleted_go(world: RunWorld) -> None:
    folder = make_folder(world, f".deleted-{OLD_ID}", age=0, file="a1.ctl")
    tidy(world)
    assert not folder.exists()


def test_the_folder_of_a_deleted_run_goes(
    world: RunWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.run_to_end()
    monkeypatch.setattr(world.service._remover._folders, "remove", lambda _: None)
    world.service.delete(run_id)
    assert world.run_folder(run_id).exists()
    tidy(world)
    assert not world.run_folder(run_id).exists()


def test_an_upload_that_was_never_committed_goes(world: RunWorld) -> None:
    old = make_folder(world, OLD_ID, age=2 * HOUR)
    young = make_folder(world, YOUNG_ID, age=60)
    tidy(world)
    assert not old.exists()
    assert young.exists()


def test_nothing_that_ran_is_touched_only_because_no_row_names_it(
    world: RunWorld,
) -> None:
    """Somebody may have named the wrong database."""
    folder = make_folder(world, OLD_ID, age=1000 * HOUR, file="a1.ctl")
    stranger = make_folder(world, "notes", age=1000 * HOUR)
    tidy(world)
    assert folder.exists()
    assert stranger.exists()


def test_folders_of_runs_stay(world: RunWorld) -> None:
    done = world.run_to_end()
    queued = world.submit(env_vars={"API_KEY": "secret-value"})
    world.clock.advance(10 * HOUR)
    tidy(world)
    assert world.run_folder(queued).exists()
    assert world.run_folder(done).exists()


def test_old_deletions_are_forgotten(world: RunWorld) -> None:
    world.service.delete(world.run_to_end())
    tidy(world)
    assert len(world.service.changes_since(0).deleted) == 1
    world.clock.advance(8 * 24 * HOUR)
    tidy(world)
    assert len(world.service.changes_since(0).deleted) == 1
    tidy(world, keep_changes=0)
    assert world.service.changes_since(0).deleted == []


def test_old_keys_are_forgotten(world: RunWorld) -> None:
    key = IdempotencyKey(route="r", key="k", body_sha256="a" * 64)
    world.service.submit(world.submission(idempotency=key))
    tidy(world)
    assert world.service.submit(world.submission(idempotency=key)).replayed
    world.clock.advance(25 * HOUR)
    tidy(world)
    with world.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM idempotency_keys")
        assert rows.scalar() == 0


def test_rounds_are_an_hour_apart(world: RunWorld) -> None:
    keeper = tidy(world)
    folder = make_folder(world, f".deleted-{OLD_ID}", age=0)
    for _ in range(3):
        keeper.tick()
    assert folder.exists()
    world.clock.advance(HOUR)
    for _ in range(3):
        keeper.tick()
    assert not folder.exists()
