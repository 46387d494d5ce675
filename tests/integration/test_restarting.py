"""Restart: the stored request again, in a run that waits for the old one's end."""

from pathlib import Path

import pytest

from scriptrunner.engine import intent
from scriptrunner.engine.outcomes import StopKind
from scriptrunner.engine.paths import ScriptMissingError
from scriptrunner.runs.errors import (
    QueueFullError,
    RestartPendingError,
    RunNotFoundError,
)
from scriptrunner.runs.models import IdempotencyKey, Upload
from tests.run_world import SHA256, RunWorld


def test_a_finished_run_is_queued_again(world: RunWorld) -> None:
    old = world.run_to_end(args=("x",), timeout=7)
    accepted = world.service.restart(old, principal="bob")
    assert accepted.restarted_from == old
    record = world.get(accepted.run_id)
    assert record.status == "queued"
    assert record.request == world.get(old).request
    assert record.item.trigger == "restart"
    assert record.item.principal == "bob"
    assert record.item.restarted_from == old
    assert record.item.waiting_for is None
    assert world.get(old).item.restarted_as == accepted.run_id
    assert world.get(old).item.status == "completed"
    assert world.calls[-1] == "wake"


def test_real_secrets_go_along(world: RunWorld) -> None:
    old = world.run_to_end(env_vars={"API_KEY": "real-value", "LD_PRELOAD": "x"})
    accepted = world.service.restart(old, principal="bob")
    assert accepted.ignored_env == ("LD_PRELOAD",)
    world.service.delete(old)
    assert world.claim_one().environment["API_KEY"] == "real-value"
    assert world.get(accepted.run_id).request["env_vars"]["API_KEY"] == "***"


def test_the_priority_is_kept(world: RunWorld) -> None:
    urgent = world.run_to_end(priority=5)
    world.submit()
    again = world.service.restart(urgent, principal="bob").run_id
    assert world.claim_one().run_id == again


def test_a_queued_run_is_replaced_at_once(world: RunWorld) -> None:
    old = world.submit()
    new = world.service.restart(old, principal="bob").run_id
    item = world.get(old).item
    assert (item.status, item.run_status, item.reason) == ("cancelled", None, "restart")
    assert item.error == "Cancelled by restart"
    assert world.claim_one().run_id == new


def test_a_running_run_is_stopped_and_waited_for(world: RunWorld) -> None:
    old = world.submit()
    launch = world.claim_one()
    world.start(launch)
    new = world.service.restart(old, principal="bob").run_id
    assert world.get(old).item.phase == "stopping"
    order = intent.read(launch.run_dir)
    assert order is not None
    assert order.kind == "restart"
    assert world.get(new).item.waiting_for == old
    assert world.claim() == []
    world.end(launch, -15, reason="restart")
    item = world.get(old).item
    assert (item.status, item.error) == ("cancelled", "Cancelled by restart")
    assert world.claim_one().run_id == new


def test_a_run_that_is_stopping_already_is_only_waited_for(world: RunWorld) -> None:
    old = world.submit()
    launch = world.claim_one()
    world.start(launch)
    world.service._desk.order(old, StopKind.KILL, principal="eve", grace_seconds=None)
    new = world.service.restart(old, principal="bob").run_id
    assert world.get(new).item.waiting_for == old
    assert world.event_types(old).count("stop_requested") == 1
    world.end(launch, -9, reason="kill")
    assert world.get(old).item.reason == "killed"
    assert world.get(old).item.restarted_as == new
    assert world.claim_one().run_id == new


def test_a_second_restart_meanwhile_is_refused(world: RunWorld) -> None:
    old = world.submit()
    launch = world.claim_one()
    new = world.service.restart(old, principal="bob").run_id
    with pytest.raises(RestartPendingError):
        world.service.restart(old, principal="eve")
    assert world.service.list_runs().total == 2
    world.service.cancel(new, principal="bob")
    world.service.restart(old, principal="eve")
    world.end(launch, 0)


def test_a_finished_run_can_be_restarted_again_and_again(world: RunWorld) -> None:
    old = world.run_to_end()
    ids = {world.service.restart(old, principal="bob").run_id for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "run_id", ["00000000-0000-4000-8000-000000000000", "", "nonsense"]
)
def test_an_unknown_run(world: RunWorld, run_id: str) -> None:
    with pytest.raises(RunNotFoundError):
        world.service.restart(run_id, principal="bob")


def test_a_script_that_is_gone(world: RunWorld) -> None:
    old = world.submit()
    launch = world.claim_one()
    (world.scripts / "ok.py").unlink()
    with pytest.raises(ScriptMissingError):
        world.service.restart(old, principal="bob")
    assert world.get(old).item.phase == "starting"
    assert intent.read(launch.run_dir) is None


def test_a_full_queue_leaves_the_old_run_alone(world: RunWorld) -> None:
    old = world.submit()
    launch = world.claim_one()
    service = world.make_service(queue_limit=0)
    with pytest.raises(QueueFullError):
        service.restart(old, principal="bob")
    assert world.get(old).item.phase == "starting"
    assert intent.read(launch.run_dir) is None


def test_a_repeated_request_is_one_restart(world: RunWorld) -> None:
    old = world.run_to_end()
    key = IdempotencyKey(route="restart_run", key="k", body_sha256="a" * 64)
    first = world.service.restart(old, principal="bob", idempotency=key)
    second = world.service.restart(old, principal="bob", idempotency=key)
    assert (second.run_id, second.replayed) == (first.run_id, True)
    assert world.service.list_runs().total == 2


class TestSnapshots:
    def test_an_upload_runs_its_own_bytes_again(self, world: RunWorld) -> None:
        upload = Upload(file_name="a.py", content=b"print(7)\n")
        old = world.service.submit(world.submission(None, upload=upload)).run_id
        world.end(world.claim_one())
        new = world.service.restart(old, principal="bob").run_id
        world.service.delete(old)
        launch = world.claim_one()
        assert launch.run_id == new
        assert Path(launch.script_path).read_bytes() == b"print(7)\n"
        assert world.get(new).request["script_path"] == "upload:a.py"

    def test_the_kept_bytes_of_a_file_run_again(self, world: RunWorld) -> None:
        world.settings.scripts_dir.mkdir()
        (world.settings.scripts_dir / SHA256).write_bytes(b"print('old')\n")
        world.write_script("sub/job.py", "print('new')\n")
        old = world.run_to_end("sub/job.py")
        new = world.service.restart(old, principal="bob", use_snapshot=True).run_id
        launch = world.claim_one()
        assert Path(launch.script_path).read_bytes() == b"print('old')\n"
        assert launch.script_sha256 == SHA256
        assert launch.working_root == str(world.scripts)
        assert launch.working_relative == "sub"
        record = world.get(new)
        assert record.item.script_kind == "snapshot"
        assert record.item.script_name == "job.py"
        assert world.service.get_script_bytes(new) == (b"print('old')\n", SHA256)

    def test_a_snapshot_can_be_restarted_as_such(self, world: RunWorld) -> None:
        world.settings.scripts_dir.mkdir()
        (world.settings.scripts_dir / SHA256).write_bytes(b"print('old')\n")
        old = world.run_to_end()
        second = world.service.restart(old, principal="b", use_snapshot=True).run_id
        world.end(world.claim_one())
        world.service.restart(second, principal="b", use_snapshot=True)
        assert Path(world.claim_one().script_path).read_bytes() == b"print('old')\n"

    def test_bytes_that_were_not_kept(self, world: RunWorld) -> None:
        old = world.run_to_end()
        with pytest.raises(ScriptMissingError, match="not kept"):
            world.service.restart(old, principal="bob", use_snapshot=True)
