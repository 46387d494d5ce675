"""What is tidied up, and above all what is not."""

import os
import threading

import pytest

from scriptrunner.engine import script_file
from scriptrunner.runs.housekeeping import Housekeeper
from scriptrunner.runs.models import IdempotencyKey
from scriptrunner.runs.repository import deletion
from tests.run_world import SHA256, RunWorld

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


class TestScripts:
    def keep(self, world: RunWorld, name: str = SHA256, *, age: float = 2 * HOUR):
        world.settings.scripts_dir.mkdir(exist_ok=True)
        path = world.settings.scripts_dir / name
        path.write_text("print()")
        then = world.clock.utc_now().timestamp() - age
        os.utime(path, (then, then))
        return path

    def test_bytes_that_no_run_has_run_go(self, world: RunWorld) -> None:
        self.keep(world)
        self.keep(world, "cd" * 32)
        self.keep(world, "ef" * 32, age=60)
        self.keep(world, ".x.tmp")
        self.keep(world, "README")
        world.run_to_end()
        tidy(world)
        left = {each.name for each in world.settings.scripts_dir.iterdir()}
        assert left == {SHA256, "ef" * 32, "README"}

    def test_what_a_deletion_had_to_leave_goes_later(self, world: RunWorld) -> None:
        path, done = self.keep(world), world.run_to_end()
        world.submit()
        starting = world.claim_one()
        world.service.delete(done)
        tidy(world)
        assert path.exists()  # it may be what is starting
        world.ledger.requeue(starting.run_id, starting.attempt)
        tidy(world)
        assert not path.exists()

    def test_a_run_that_is_claimed_meanwhile_keeps_its_bytes(
        self, world: RunWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = self.keep(world)
        world.submit()
        list_unused, is_kept = deletion.list_unused_scripts, threading.Event()

        def claim_and_keep() -> None:
            world.claim_one()
            script_file.keep(b"print()", SHA256, str(path.parent))
            is_kept.set()

        claimer = threading.Thread(target=claim_and_keep)

        def claim_behind_its_back(connection, digests):
            unused = list_unused(connection, digests)
            if calls.pop():  # the second time, in the transaction
                claimer.start()
                is_kept.wait(0.3)  # it must not get that far
            return unused

        calls = [True, False]
        monkeypatch.setattr(deletion, "list_unused_scripts", claim_behind_its_back)
        tidy(world)
        claimer.join()
        assert path.exists()
