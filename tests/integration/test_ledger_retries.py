"""An attempt that failed, or never began, comes again: as a retry, or back in the queue."""

from datetime import timedelta

from scriptrunner.engine.outcomes import StopKind
from tests.run_world import BOOT, RunWorld


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

    def test_of_which_no_shim_has_heard_uses_up_no_number(
        self, world: RunWorld
    ) -> None:
        run_id = world.submit(retry_on_failure=True, retry_initial_delay=0.0)
        for number in (1, 2):
            world.ledger.requeue(run_id, world.claim_one().attempt, was_launched=False)
            assert world.get(run_id).item.attempts_made == number - 1
            again = world.claim_one()
            assert again.attempt == number
            assert again.environment["SCRIPT_RUNNER_ATTEMPT"] == str(number)
            world.end(again, number - 1 == 0)
        record = world.get(run_id)
        assert record.item.status == "completed"
        assert [each.n for each in record.attempts] == [1, 2]
        assert record.result is not None
        assert record.result["attempt_number"] == 2

    def test_ends_if_somebody_wants_it_stopped_before_a_shim_has_heard(
        self, world: RunWorld
    ) -> None:
        run_id = world.submit()
        launch = world.claim_one()
        world.service._desk.order(
            run_id, StopKind.KILL, principal="b", grace_seconds=None
        )
        world.ledger.requeue(run_id, launch.attempt, was_launched=False)
        item = world.get(run_id).item
        assert (item.status, item.run_status) == ("cancelled", "killed")

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
