"""What the supervisor claims, in which order, and what a launch order says."""

import json
import sys
import threading
from pathlib import Path

import pytest

from tests.run_world import BOOT, RunWorld


def test_nothing_is_claimed_from_an_empty_queue(world: RunWorld) -> None:
    assert world.claim() == []


def test_first_in_first_out(world: RunWorld) -> None:
    ids = [world.submit() for _ in range(4)]
    assert [each.run_id for each in world.claim(3)] == ids[:3]
    assert [each.run_id for each in world.claim(3)] == ids[3:]


def test_priority_goes_before_age(world: RunWorld) -> None:
    low = world.submit()
    high = world.submit(priority=5)
    assert [each.run_id for each in world.claim()] == [high, low]


def test_a_claim_shows_in_the_record(world: RunWorld) -> None:
    run_id = world.submit()
    world.clock.advance(2.5)
    launch = world.claim_one()
    item = world.get(run_id).item
    assert (item.status, item.phase, item.attempt) == ("running", "starting", 1)
    assert item.correlation_id == launch.environment["SCRIPT_RUNNER_CORRELATION_ID"]
    assert world.event_types(run_id) == ["queued", "dequeued"]
    assert world.events(run_id)[1].data["queue_time_seconds"] == 2.5


def test_an_order_says_all_that_a_shim_must_know(world: RunWorld) -> None:
    script = world.write_script("deep/down/job.py")
    run_id = world.submit(
        "deep/down/job.py",
        args=("a b", "--x"),
        timeout=7,
        monitor_interval=0.5,
        stream_output=True,
    )
    launch = world.claim_one()
    assert launch.run_dir == str(world.run_folder(run_id))
    assert Path(launch.run_dir).stat().st_mode & 0o777 == 0o700
    assert launch.python == sys.executable
    assert tuple(launch.args) == ("a b", "--x")
    assert launch.script_path == str(script)
    assert launch.script_root == str(world.scripts)
    assert launch.script_relative == "deep/down/job.py"
    assert launch.script_sha256 is None
    assert launch.scripts_dir == str(world.settings.scripts_dir)
    assert launch.working_root == str(world.scripts)
    assert launch.working_relative == "deep/down"
    assert launch.timeout_seconds == 7
    assert launch.grace_seconds == world.settings.stop_grace_seconds
    assert launch.max_output_bytes == world.settings.max_output_bytes
    assert launch.monitor_interval_seconds == 0.5
    assert launch.stream_output is True
    assert launch.durable is False


def test_the_environment_is_built_with_the_real_secrets(world: RunWorld) -> None:
    run_id = world.submit(
        env_vars={"API_TOKEN": "s3cret-value", "COLOR": "red", "RUN_ID": "forged"}
    )
    environment = world.claim_one().environment
    assert environment["API_TOKEN"] == "s3cret-value"
    assert environment["COLOR"] == "red"
    assert environment["RUN_ID"] == run_id
    assert environment["WEBAPI_RUN_DIR"] == str(world.run_folder(run_id))
    assert environment["SCRIPT_RUNNER_ACTIVE"] == "1"
    assert environment["SCRIPT_RUNNER_ATTEMPT"] == "1"
    assert environment["SCRIPT_RUNNER_LOG_LEVEL"] == "INFO"
    assert Path(environment["TMPDIR"]).is_dir()


def test_a_working_folder_may_be_chosen(world: RunWorld) -> None:
    (world.scripts / "elsewhere").mkdir()
    world.submit(working_dir="elsewhere")
    launch = world.claim_one()
    assert launch.working_root == str(world.scripts)
    assert launch.working_relative == "elsewhere"


def test_a_run_that_cannot_be_launched_fails_and_hurts_nobody(world: RunWorld) -> None:
    (world.scripts / "gone").mkdir()
    broken = world.submit(working_dir="gone")
    good = world.submit()
    (world.scripts / "gone").rmdir()
    assert [each.run_id for each in world.claim()] == [good]
    record = world.get(broken)
    assert record.item.status == "failed"
    assert record.item.run_status == "failed"
    assert record.item.reason == "spawn_error"
    assert record.error_summary is not None
    assert "working_dir" in record.error_summary["message"]
    assert world.event_types(broken) == [
        "queued",
        "dequeued",
        "start",
        "failure",
        "finished",
    ]


def test_damaged_secrets_end_that_run_alone(world: RunWorld) -> None:
    broken = world.submit(env_vars={"API_TOKEN": "s3cret-value"})
    good = world.submit()
    secrets = world.run_folder(broken) / "secret.json"
    secrets.write_text("{")
    assert [each.run_id for each in world.claim()] == [good]
    assert world.get(broken).item.reason == "spawn_error"


def test_a_run_waits_until_the_one_before_it_is_over(world: RunWorld) -> None:
    first = world.submit()
    launch = world.claim_one()
    second = world.service.restart(first, principal="bob").run_id
    assert world.claim() == []
    assert world.get(second).item.waiting_for == first
    world.end(launch, None, reason="restart")
    (following,) = world.claim()
    assert following.run_id == second
    assert world.get(second).item.waiting_for is None


def test_each_run_is_claimed_once_however_many_ask(world: RunWorld) -> None:
    ids = {world.submit() for _ in range(30)}
    ledgers = [world.make_ledger() for _ in range(4)]
    claimed: list[str] = []

    def claim_all(number: int) -> None:
        while launches := ledgers[number].claim(3, boot_id=BOOT):
            claimed.extend(each.run_id for each in launches)

    threads = [threading.Thread(target=claim_all, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(set(claimed))
    assert set(claimed) <= ids
    remaining = world.claim(30)
    assert {*claimed, *(each.run_id for each in remaining)} == ids


def test_a_run_that_was_cancelled_meanwhile_is_not_claimed(world: RunWorld) -> None:
    run_id, other = world.submit(), world.submit()
    read = world.ledger._claimer.list_due

    def cancel_after_reading(*args):
        due = read(*args)
        world.ledger._claimer.list_due = read  # type: ignore[method-assign]
        world.service.cancel(run_id, principal="bob")
        return due

    world.ledger._claimer.list_due = cancel_after_reading  # type: ignore[method-assign]
    assert [each.run_id for each in world.claim(2)] == [other]
    assert world.get(run_id).item.status == "cancelled"
    assert world.event_types(run_id) == ["queued", "stop_requested", "finished"]


class TestDryRuns:
    def test_ends_without_a_slot(self, world: RunWorld) -> None:
        run_id = world.submit(dry_run=True, args=("x",))
        assert world.claim(0) == []
        record = world.get(run_id)
        assert record.item.status == "completed"
        assert record.item.run_status is None
        assert record.item.correlation_id is None
        assert record.error_summary is None
        assert record.attempts == []
        assert world.event_types(run_id) == ["queued", "finished"]

    def test_describes_what_would_be_done(self, world: RunWorld) -> None:
        run_id = world.submit(dry_run=True, args=("x",), env_vars={"LD_PRELOAD": "y"})
        world.claim(0)
        result = world.get(run_id).result
        assert result is not None
        assert result["dry_run"] is True
        script = str(world.scripts / "ok.py")
        assert result["command"] == [sys.executable, script, "x"]
        assert result["working_dir"] == str(world.scripts)
        assert "RUN_ID" in result["environment"]
        assert result["ignored_env"] == ["LD_PRELOAD"]

    def test_takes_no_slot_from_the_runs_behind_it(self, world: RunWorld) -> None:
        dry = [world.submit(dry_run=True) for _ in range(3)]
        real = [world.submit() for _ in range(2)]
        assert [each.run_id for each in world.claim(2)] == real
        assert {world.get(each).item.status for each in dry} == {"completed"}

    def test_leaves_no_folder(self, world: RunWorld) -> None:
        run_id = world.submit(dry_run=True)
        world.claim(0)
        assert not world.run_folder(run_id).exists()


def test_another_boot_is_refused(world: RunWorld) -> None:
    with pytest.raises(ValueError, match="one boot"):
        world.claim(boot_id="another")


def test_secrets_stay_out_of_the_database(world: RunWorld) -> None:
    run_id = world.submit(env_vars={"DB_PASSWORD": "very-secret-1", "X": "plain"})
    record = world.get(run_id)
    assert record.request["env_vars"] == {"DB_PASSWORD": "***", "X": "plain"}
    kept = json.loads((world.run_folder(run_id) / "secret.json").read_text())
    assert kept == {"env_vars": {"DB_PASSWORD": "very-secret-1"}}
    mode = (world.run_folder(run_id) / "secret.json").stat().st_mode
    assert mode & 0o777 == 0o600
