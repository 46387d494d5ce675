"""What becomes of attempts: success, failure, loss."""

from dataclasses import replace
from pathlib import Path

import pytest

from scriptrunner.clock import to_text
from scriptrunner.engine.outcomes import StopKind
from scriptrunner.supervisor.ports import End, Start
from tests.run_world import SHA256, RunWorld


def test_a_start_shows_in_the_record(world: RunWorld) -> None:
    run_id = world.submit(args=("x",), timeout=9)
    launch = world.claim_one()
    world.clock.advance(1.0)
    world.start(launch)
    record = world.get(run_id)
    assert (record.item.status, record.item.phase) == ("running", "running")
    assert record.item.started_at == world.clock.utc_now()
    assert record.item.script_sha256 == SHA256
    assert record.item.script_size == 15
    (attempt,) = record.attempts
    assert (attempt.n, attempt.finished_at) == (1, None)
    start = world.events(run_id)[-1]
    assert start.event_type == "start"
    assert start.data == {
        "correlation_id": record.item.correlation_id,
        "attempt_number": 1,
        "script_path": "ok.py",
        "script_args": ["x"],
        "timeout": 9,
        "working_dir": None,
        "sha256": SHA256,
    }


def test_a_start_is_recorded_once(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    world.start(launch)
    world.start(launch)
    assert world.event_types(run_id) == ["queued", "dequeued", "start"]


@pytest.mark.parametrize("is_lost", [False, True])
def test_all_that_tells_when_an_attempt_began_tells_the_same(
    world: RunWorld, is_lost: bool
) -> None:
    """The keeper counts back from the end, and so is some microseconds off."""
    run_id = world.submit()
    launch = world.claim_one()
    spawn = world.spawn()
    world.ledger.record_starts([Start(run_id=run_id, attempt=1, spawn=spawn)])
    began_at = to_text(world.clock.utc_now())
    world.clock.advance(0.250_025)
    end = replace(world.make_end(launch), spawn=spawn)
    if is_lost:
        end = replace(end, end=None, lost_reason="lost")
    world.ledger.record_ends([end])
    record = world.get(run_id)
    assert record.item.started_at is not None
    assert to_text(record.item.started_at) == began_at
    assert record.attempts[0].started_at == record.item.started_at
    assert record.result is not None
    assert record.result["metrics"]["start_time"] == began_at


@pytest.mark.parametrize("is_started", [True, False], ids=["known", "in one go"])
def test_success(world: RunWorld, is_started: bool) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    if is_started:
        world.start(launch)
    world.clock.advance(0.25)
    world.end(launch, 0, out=b"hello\n", out_lines=1)
    record = world.get(run_id)
    item = record.item
    assert (item.status, item.run_status, item.phase) == (
        "completed",
        "success",
        "final",
    )
    assert (item.reason, item.error, item.exit_code) == (None, None, 0)
    assert item.finished_at == world.clock.utc_now()
    assert item.duration_seconds == 0.25
    assert item.execution_time_seconds == 0.25
    assert item.cpu_max == 60.0  # 0.15 s of CPU in 0.25 s
    assert item.memory_max_mb == 20.0
    assert record.error_summary is None
    assert record.result is not None
    assert record.result["stdout"] == "hello\n"
    assert record.result["metrics"]["total_time_seconds"] == 0.25
    (attempt,) = record.attempts
    assert attempt.run_status == "success"
    assert (attempt.exit_code, attempt.stdout_bytes) == (0, 6)
    assert world.event_types(run_id) == [
        "queued",
        "dequeued",
        "start",
        "success",
        "finished",
    ]
    last = world.events(run_id)[-1]
    assert last.data["status"] == "completed"
    assert last.data["run_status"] == "success"
    assert [event.seq for event in world.events(run_id)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("exit_code", "changes", "expected"),
    [
        (3, {}, ("failed", "failed", "exit_code", "Exit code 3")),
        (-11, {}, ("failed", "failed", "signal", "Died of SIGSEGV (signal 11)")),
        (
            -15,
            {"reason": "timeout"},
            ("failed", "timeout", "timeout", "Timed out after 5 s"),
        ),
        (
            -15,
            {"reason": "stop"},
            ("cancelled", "killed", "stopped", "Run stopped by user"),
        ),
        (
            -15,
            {"reason": "cancel"},
            ("cancelled", "killed", "cancelled", "Run cancelled by user"),
        ),
        (
            -9,
            {"reason": "kill"},
            ("cancelled", "killed", "killed", "Run killed by user"),
        ),
        (
            -15,
            {"reason": "restart"},
            ("cancelled", "killed", "restart", "Cancelled by restart"),
        ),
    ],
)
def test_ends(world: RunWorld, exit_code: int, changes: dict, expected: tuple) -> None:
    run_id = world.submit(timeout=5)
    launch = world.claim_one()
    world.clock.advance(0.25)
    world.end(launch, exit_code, err=b"oh no\n", **changes)
    record = world.get(run_id)
    item = record.item
    assert (item.status, item.run_status, item.reason, item.error) == expected
    assert item.exit_code == exit_code
    assert record.error_summary is not None
    assert record.error_summary["exit_code"] == exit_code
    assert record.error_summary["stderr_snippet"] == "oh no\n"
    assert record.error_summary["message"] == expected[3]
    assert record.result is not None
    assert record.result["error_summary"] == record.error_summary


def test_a_script_that_could_not_be_started(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    end = {
        "reason": "spawn_error",
        "exit_code": None,
        "ended_us": world.end_record()["ended_us"],
        "error": "no such interpreter",
        "error_type": "FileNotFoundError",
    }
    world.ledger.record_ends(
        [End(run_id=run_id, attempt=launch.attempt, spawn=None, end=end)]
    )
    record = world.get(run_id)
    assert record.item.reason == "spawn_error"
    assert record.item.started_at is None
    assert record.item.duration_seconds is None
    assert record.error_summary is not None
    assert record.error_summary["error"] == "no such interpreter"
    failure = world.events(run_id)[-2]
    assert failure.event_type == "failure"
    assert failure.data["error"] == "no such interpreter"
    (attempt,) = record.attempts
    assert (attempt.n, attempt.started_at) == (1, None)


@pytest.mark.parametrize("reason", ["lost", "host_restart"])
@pytest.mark.parametrize("is_started", [True, False])
def test_a_lost_attempt_fails_and_is_not_repeated(
    world: RunWorld, reason: str, is_started: bool
) -> None:
    run_id = world.submit(retry_on_failure=True)
    launch = world.claim_one()
    if is_started:
        world.start(launch)
    world.clock.advance(3.0)
    lost = End(
        run_id=run_id,
        attempt=launch.attempt,
        spawn=world.spawn(),
        end=None,
        lost_reason=reason,
        detail="exit record damaged",
    )
    world.ledger.record_ends([lost])
    record = world.get(run_id)
    assert (record.item.status, record.item.run_status) == ("failed", "killed")
    assert record.item.reason == reason
    assert record.item.exit_code is None
    assert record.item.error is not None
    assert "exit record damaged" in record.item.error
    assert world.event_types(run_id)[-3:] == ["start", "failure", "finished"]
    assert world.claim() == []


def test_a_lost_attempt_that_was_to_be_stopped_is_cancelled(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    world.start(launch)
    world.service._desk.order(
        run_id, StopKind.KILL, principal="bob", grace_seconds=None
    )
    world.ledger.record_ends(
        [
            End(
                run_id=run_id,
                attempt=1,
                spawn=world.spawn(),
                end=None,
                lost_reason="lost",
            )
        ]
    )
    item = world.get(run_id).item
    assert (item.status, item.run_status, item.reason) == (
        "cancelled",
        "killed",
        "killed",
    )
    assert world.event_types(run_id)[-2:] == ["forced_termination", "finished"]


def test_a_damaged_spawn_record_is_no_obstacle(world: RunWorld) -> None:
    run_id = world.submit()
    world.claim_one()
    world.ledger.record_ends(
        [End(run_id=run_id, attempt=1, spawn={}, end=None, lost_reason="lost")]
    )
    assert world.get(run_id).item.reason == "lost"


def test_an_end_is_recorded_once(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    end = world.make_end(launch, 3)
    world.ledger.record_ends([end])
    before = world.get(run_id)
    world.ledger.record_ends([end])
    world.end(launch, 0)
    assert world.get(run_id) == before


def test_many_ends_at_once(world: RunWorld) -> None:
    ids = [world.submit(retry_on_failure=n == 2) for n in range(4)]
    launches = world.claim(4)
    ends = [world.make_end(launch, n) for n, launch in enumerate(launches)]
    world.ledger.record_ends(ends)
    assert [world.get(each).item.status for each in ids] == [
        "completed",
        "failed",
        "running",
        "failed",
    ]
    assert [world.get(each).item.exit_code for each in ids] == [0, 1, 2, 3]


def test_ends_of_unknown_and_deleted_runs_hurt_nobody(world: RunWorld) -> None:
    gone = world.run_to_end()
    launch_of_gone = world.make_end
    good = world.submit()
    launch = world.claim_one()
    end = launch_of_gone(launch, 0)
    world.service.delete(gone)
    stray = End(run_id=gone, attempt=1, spawn=None, end=world.end_record())
    world.ledger.record_ends([stray, end])
    assert world.get(good).item.status == "completed"


def test_secrets_are_masked_in_what_is_kept_of_the_output(world: RunWorld) -> None:
    run_id = world.submit(env_vars={"API_KEY": "swordfish"})
    launch = world.claim_one()
    world.end(launch, 1, out=b"key=swordfish\n", err=b"bad swordfish!\n")
    record = world.get(run_id)
    assert record.result is not None
    assert record.error_summary is not None
    assert record.result["stdout"] == "key=*********\n"
    assert record.error_summary["stderr_snippet"] == "bad *********!\n"


def test_warnings_and_dropped_output_are_said(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    world.end(launch, 0, out_dropped=7, warning="script_changed_while_starting")
    record = world.get(run_id)
    assert record.warnings == ["script_changed_while_starting"]
    assert world.event_types(run_id) == [
        "queued",
        "dequeued",
        "start",
        "output_truncated",
        "warning",
        "success",
        "finished",
    ]
    truncated = next(
        each for each in world.events(run_id) if each.event_type == "output_truncated"
    )
    assert truncated.data["stream"] == "stdout"
    assert truncated.data["limit"] == world.settings.max_output_bytes


def test_temporary_files_go_with_the_end(world: RunWorld) -> None:
    world.submit()
    launch = world.claim_one()
    temporary = Path(launch.environment["TMPDIR"])
    (temporary / "left").write_text("x")
    world.end(launch)
    assert not temporary.exists()
