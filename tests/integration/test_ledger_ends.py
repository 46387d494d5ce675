"""What becomes of attempts: success, failure, retry, loss, return to the queue."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from scriptrunner.engine import control_file, process_tree
from scriptrunner.engine.outcomes import StopKind
from scriptrunner.supervisor.ports import End
from tests.run_world import BOOT, SHA256, RunWorld


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


class TestRetries:
    def test_waits_and_is_tried_again(self, world: RunWorld) -> None:
        run_id = world.submit(retry_on_failure=True, retry_initial_delay=2.0)
        launch = world.claim_one()
        world.clock.advance(0.5)
        world.end(launch, 1)
        record = world.get(run_id)
        due_at = world.clock.utc_now() + timedelta(seconds=2)
        assert (record.item.status, record.item.phase) == ("running", "backoff")
        assert record.item.next_attempt_at == due_at
        assert record.result is None
        assert world.ledger.next_retry_at() == due_at
        assert world.claim() == []
        world.clock.advance(2.0)
        second = world.claim_one()
        assert (second.run_id, second.attempt) == (run_id, 2)
        assert second.environment["SCRIPT_RUNNER_ATTEMPT"] == "2"
        assert (
            second.environment["SCRIPT_RUNNER_CORRELATION_ID"]
            == launch.environment["SCRIPT_RUNNER_CORRELATION_ID"]
        )
        world.clock.advance(0.5)
        world.end(second, 0)
        record = world.get(run_id)
        assert record.item.status == "completed"
        assert record.item.duration_seconds == 2.75  # 10:00:00.25 to :03.00
        assert [each.exit_code for each in record.attempts] == [1, 0]
        assert record.result is not None
        assert record.result["attempt_number"] == 2
        assert record.result["metrics"]["attempts"] == 2
        assert world.event_types(run_id) == [
            "queued",
            "dequeued",
            "start",
            "failed",
            "retry_scheduled",
            "start",
            "success",
            "finished",
        ]

    def test_says_when_and_how(self, world: RunWorld) -> None:
        run_id = world.submit(
            retry_on_failure=True, retry_strategy="linear", retry_initial_delay=1.5
        )
        world.end(world.claim_one(), 1)
        event = world.events(run_id)[-1]
        assert event.event_type == "retry_scheduled"
        assert event.data["delay_seconds"] == 1.5
        assert event.data["strategy"] == "linear"
        assert event.data["next_attempt_at"] == "2026-11-23T10:00:01.501000Z"

    def test_goes_before_the_queue(self, world: RunWorld) -> None:
        retried = world.submit(retry_on_failure=True, retry_initial_delay=1.0)
        world.end(world.claim_one(), 1)
        world.submit()
        world.clock.advance(1.0)
        assert world.claim_one().run_id == retried

    def test_gives_up_after_the_last_attempt(self, world: RunWorld) -> None:
        run_id = world.submit(
            retry_on_failure=True, retry_max_attempts=2, retry_initial_delay=0.0
        )
        world.end(world.claim_one(), 1)
        world.end(world.claim_one(), 2)
        record = world.get(run_id)
        assert record.item.status == "failed"
        assert record.item.exit_code == 2
        assert world.ledger.next_retry_at() is None

    def test_gives_up_when_time_is_over(self, world: RunWorld) -> None:
        run_id = world.submit(
            retry_on_failure=True, retry_max_time=5.0, retry_initial_delay=3.0
        )
        launch = world.claim_one()
        world.start(launch)
        world.clock.advance(2.5)
        world.end(launch, 1)
        assert world.get(run_id).item.status == "failed"

    def test_is_not_hurried_by_a_restart_of_the_service(self, world: RunWorld) -> None:
        world.submit(retry_on_failure=True, retry_initial_delay=60.0)
        world.end(world.claim_one(), 1)
        ledger = world.make_ledger()
        assert ledger.claim(5, boot_id=BOOT) == []
        world.clock.advance(60.0)
        assert len(ledger.claim(5, boot_id=BOOT)) == 1

    def test_counts_wall_time_across_boots(self, world: RunWorld) -> None:
        run_id = world.submit(
            retry_on_failure=True, retry_max_time=10.0, retry_initial_delay=1.0
        )
        world.end(world.claim_one(), 1)
        world.clock.advance(11.0)
        ledger = world.make_ledger("next-boot")
        (launch,) = ledger.claim(5, boot_id="next-boot")
        ledger.record_ends([world.make_end(launch, 1)])
        assert world.get(run_id).item.status == "failed"


class TestReturns:
    def test_goes_back_into_the_queue_and_is_no_retry(self, world: RunWorld) -> None:
        run_id = world.submit()
        first = world.claim_one()
        world.ledger.requeue(run_id, first.attempt)
        item = world.get(run_id).item
        assert (item.status, item.phase, item.attempts_made) == ("queued", "queued", 0)
        second = world.claim_one()
        assert second.attempt == 2
        world.end(second, 1)
        record = world.get(run_id)
        assert record.item.status == "failed"
        assert [each.n for each in record.attempts] == [2]

    def test_keeps_its_place(self, world: RunWorld) -> None:
        first = world.submit()
        launch = world.claim_one()
        second = world.submit()
        world.ledger.requeue(first, launch.attempt)
        assert [each.run_id for each in world.claim()] == [first, second]

    def test_waits_again_when_it_was_a_retry(self, world: RunWorld) -> None:
        run_id = world.submit(retry_on_failure=True, retry_initial_delay=0.0)
        world.end(world.claim_one(), 1)
        second = world.claim_one()
        world.ledger.requeue(run_id, second.attempt)
        assert world.get(run_id).item.phase == "backoff"
        assert world.claim_one().attempt == 3

    def test_ends_if_somebody_wants_it_stopped(self, world: RunWorld) -> None:
        run_id = world.submit()
        launch = world.claim_one()
        world.service._desk.order(
            run_id, StopKind.STOP, principal="b", grace_seconds=None
        )
        world.ledger.requeue(run_id, launch.attempt)
        item = world.get(run_id).item
        assert (item.status, item.run_status) == ("cancelled", "killed")

    def test_shows_the_attempt_before_it(self, world: RunWorld) -> None:
        run_id = world.submit(retry_on_failure=True, retry_initial_delay=0.0)
        world.end(world.claim_one(), 1, out=b"first\n")
        second = world.claim_one()
        world.service._desk.order(
            run_id, StopKind.STOP, principal="b", grace_seconds=None
        )
        world.ledger.requeue(run_id, second.attempt)
        record = world.get(run_id)
        assert record.item.status == "cancelled"
        assert record.result is not None
        assert record.result["stdout"] == "first\n"

    def test_happens_once(self, world: RunWorld) -> None:
        run_id = world.submit()
        launch = world.claim_one()
        world.start(launch)
        world.ledger.requeue(run_id, launch.attempt)
        assert world.get(run_id).item.phase == "running"
        world.ledger.requeue("00000000-0000-4000-8000-000000000000", 1)


class TestNotes:
    def test_is_added(self, world: RunWorld) -> None:
        run_id = world.submit()
        world.ledger.note(
            run_id, "warning", "WARNING", {"warning": "x", "detail": None}
        )
        event = world.events(run_id)[-1]
        assert (event.event_type, event.data["warning"]) == ("warning", "x")

    def test_is_left_out_below_the_log_level(self, world: RunWorld) -> None:
        run_id = world.submit(log_level="ERROR")
        world.ledger.note(run_id, "warning", "WARNING", {"warning": "x"})
        assert world.event_types(run_id) == ["queued"]

    def test_of_a_run_that_is_gone_is_ignored(self, world: RunWorld) -> None:
        unknown = "00000000-0000-4000-8000-000000000000"
        world.ledger.note(unknown, "warning", "WARNING", {})

    def test_is_counted_when_there_are_too_many(
        self, world: RunWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("scriptrunner.runs.notes.MAX_NOTES", 3)
        run_id = world.submit()
        for number in range(6):
            world.ledger.note(run_id, "warning", "WARNING", {"warning": str(number)})
        assert world.event_types(run_id) == [
            "queued",
            "warning",
            "warning",
            "events_dropped",
        ]
        assert world.events(run_id)[-1].data == {"count": 4}


def test_failed_recoveries_are_counted(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    count = world.ledger.record_recovery_failure
    assert [count(run_id, launch.attempt, "oops") for _ in range(3)] == [1, 2, 3]
    assert count(run_id, 99, "oops") == 0
    (active,) = world.ledger.list_active()
    assert active.recovery_failures == 3
    assert world.events(run_id)[-1].event_type == "recovery_failed"


def test_active_attempts_are_listed(world: RunWorld) -> None:
    starting, running, waiting, _ = (
        world.submit(retry_on_failure=n == 2, retry_initial_delay=60.0)
        for n in range(4)
    )
    launches = world.claim(3)
    world.start(launches[1])
    world.end(launches[2], 1)
    found = {each.run_id: each for each in world.ledger.list_active()}
    assert set(found) == {starting, running}
    assert found[starting].phase == "starting"
    assert found[running].phase == "running"
    assert found[running].boot_id == BOOT
    assert found[running].run_dir == str(world.run_folder(running))
    assert waiting not in found


def test_an_order_that_was_not_written_down_is_given_again(world: RunWorld) -> None:
    run_id = world.submit()
    launch = world.claim_one()
    world.service._desk.order(run_id, StopKind.STOP, principal="bob", grace_seconds=3.0)
    intent = Path(launch.run_dir) / "intent.stop"
    text = intent.read_text()
    intent.unlink()
    world.ledger.repeat_orders()
    assert intent.read_text() == text
    world.ledger.repeat_orders()
    assert intent.read_text() == text


def test_an_order_that_the_shim_was_not_told_of_is_told_again(world: RunWorld) -> None:
    """A worker was killed between the intent file and the signal: nobody ever came."""
    run_id = world.submit()
    launch = world.claim_one()
    world.service._desk.order(run_id, StopKind.STOP, principal="bob", grace_seconds=3.0)
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"]
    ) as shim:
        path = control_file.path_of(launch.run_dir, launch.attempt)
        descriptor = control_file.create(path)
        identity = {"pid": shim.pid, "start": process_tree.start_time(shim.pid)}
        control_file.write_slot(descriptor, control_file.IDENTITY, identity)
        os.close(descriptor)
        world.ledger.repeat_orders()
        assert shim.wait(10) == -signal.SIGTERM
