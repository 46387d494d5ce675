"""Stop, kill, cancel: who wins, what the caller hears, and what the record says.

A thread plays shim and supervisor: it sees the intent and writes slot 3 and the end.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scriptrunner.engine import intent
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.outcomes import StopKind
from scriptrunner.runs import stopping
from scriptrunner.runs.errors import (
    AlreadyStoppingError,
    RunFinishedError,
    RunNotFoundError,
    SignalNotConfirmedError,
)
from tests.run_world import RunWorld, wait_until

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def running(world: RunWorld, **options) -> Launch:
    world.submit(**options)
    launch = world.claim_one()
    world.start(launch)
    return launch


def has_order(launch: Launch, kind: str) -> bool:
    found = intent.read(launch.run_dir)
    return found is not None and found.kind == kind


class Shim:
    """Waits for an order in a thread, then does what a test says."""

    def __init__(self, launch: Launch, kind: str, action: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=self._play, args=(launch, kind, action))

    def _play(self, launch: Launch, kind: str, action: Callable[[], None]) -> None:
        wait_until(lambda: has_order(launch, kind))
        action()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()


def deliver(world: RunWorld, launch: Launch, kind: str) -> None:
    world.write_control(launch, sent={"kind": kind, "signal": 15, "delivered": True})


def end_by(world: RunWorld, launch: Launch, kind: str) -> None:
    world.end(launch, -15, reason=kind)


@pytest.mark.parametrize("kind", ["stop", "kill"])
def test_a_delivered_signal_is_confirmed(world: RunWorld, kind: str) -> None:
    launch = running(world)
    with Shim(launch, kind, lambda: deliver(world, launch, kind)):
        outcome = getattr(world.service, kind)(launch.run_id, principal="bob")
    assert (outcome.status, outcome.phase) == ("running", "stopping")
    event = world.events(launch.run_id)[-1]
    assert event.event_type == "stop_requested"
    assert event.data["kind"] == kind
    assert event.data["principal"] == "bob"
    end_by(world, launch, kind)
    item = world.get(launch.run_id).item
    assert (item.status, item.run_status) == ("cancelled", "killed")


def test_everybody_is_told_before_the_signal_is_confirmed(world: RunWorld) -> None:
    launch = running(world)
    told: list[str] = []

    def play() -> None:
        told.extend(world.calls)
        deliver(world, launch, "cancel")

    world.calls.clear()
    with Shim(launch, "cancel", play):
        world.service.cancel(launch.run_id, principal="bob", wait_seconds=0)
    assert "announce" in told


def test_the_grace_goes_to_shim_and_event(world: RunWorld) -> None:
    launch = running(world)
    with Shim(launch, "stop", lambda: deliver(world, launch, "stop")):
        world.service.stop(launch.run_id, principal="bob", grace_seconds=2.5)
    found = intent.read(launch.run_dir)
    assert found is not None
    assert (found.grace_seconds, found.principal) == (2.5, "bob")
    assert world.events(launch.run_id)[-1].data["grace"] == 2.5


def test_cancel_waits_until_the_tree_is_gone(world: RunWorld) -> None:
    launch = running(world)

    def play() -> None:
        deliver(world, launch, "cancel")
        end_by(world, launch, "cancel")

    with Shim(launch, "cancel", play):
        outcome = world.service.cancel(launch.run_id, principal="bob")
    assert (outcome.status, outcome.phase) == ("cancelled", "final")
    assert world.get(launch.run_id).item.error == "Run cancelled by user"


def test_cancel_says_if_the_tree_is_still_there(world: RunWorld) -> None:
    launch = running(world)
    with Shim(launch, "cancel", lambda: deliver(world, launch, "cancel")):
        outcome = world.service.cancel(
            launch.run_id, principal="bob", wait_seconds=0.05
        )
    assert (outcome.status, outcome.phase) == ("running", "stopping")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("stop", "stopped"), ("kill", "killed"), ("cancel", "cancelled")],
)
class TestNothingRuns:
    def test_queued_run_ends_at_once(
        self, world: RunWorld, kind: str, reason: str
    ) -> None:
        run_id = world.submit()
        outcome = getattr(world.service, kind)(run_id, principal="bob")
        assert outcome.status == "cancelled"
        record = world.get(run_id)
        assert (record.item.run_status, record.item.reason) == (None, reason)
        assert record.error_summary is None
        assert record.result is not None
        assert record.item.correlation_id is None
        assert world.event_types(run_id) == ["queued", "stop_requested", "finished"]
        assert world.claim() == []
        assert not world.run_folder(run_id).exists()

    def test_run_between_attempts_ends_at_once(
        self, world: RunWorld, kind: str, reason: str
    ) -> None:
        run_id = world.submit(retry_on_failure=True, retry_initial_delay=60.0)
        world.end(world.claim_one(), 3, out=b"real output\n")
        outcome = getattr(world.service, kind)(run_id, principal="bob")
        assert outcome.status == "cancelled"
        record = world.get(run_id)
        assert (record.item.run_status, record.item.reason) == ("killed", reason)
        assert record.item.exit_code == 3
        assert record.result is not None
        assert record.result["stdout"] == "real output\n"
        assert record.item.next_attempt_at is None
        world.clock.advance(120)
        assert world.claim() == []


@pytest.mark.parametrize("kind", ["stop", "kill", "cancel"])
class TestTooLate:
    def test_unknown_run(self, world: RunWorld, kind: str) -> None:
        with pytest.raises(RunNotFoundError):
            getattr(world.service, kind)(UNKNOWN, principal="bob")

    def test_finished_run(self, world: RunWorld, kind: str) -> None:
        run_id = world.run_to_end()
        before = world.get(run_id)
        words = "already finished" if kind == "cancel" else "not active"
        with pytest.raises(RunFinishedError, match=words):
            getattr(world.service, kind)(run_id, principal="bob")
        assert world.get(run_id) == before

    def test_script_that_ends_by_itself_first(self, world: RunWorld, kind: str) -> None:
        launch = running(world)
        with (
            Shim(launch, kind, lambda: world.end(launch, 0)),
            pytest.raises(RunFinishedError),
        ):
            getattr(world.service, kind)(launch.run_id, principal="bob")
        item = world.get(launch.run_id).item
        assert (item.status, item.run_status) == ("completed", "success")

    def test_script_that_would_have_been_retried(
        self, world: RunWorld, kind: str
    ) -> None:
        """Its own end stands for the attempt, and no further attempt starts."""
        launch = running(world, retry_on_failure=True)
        with Shim(launch, kind, lambda: world.end(launch, 1)):
            outcome = getattr(world.service, kind)(launch.run_id, principal="bob")
        assert outcome.status == "cancelled"
        record = world.get(launch.run_id)
        assert record.item.run_status == "killed"
        assert record.attempts[0].reason == "exit_code"


def test_an_attempt_that_never_started_is_stopped(world: RunWorld) -> None:
    world.submit()
    launch = world.claim_one()

    def play() -> None:
        record = {"reason": "stop", "exit_code": None, "ended_us": 1, "error": None}
        world.write_control(launch, end=record)

    with Shim(launch, "stop", play):
        world.service.stop(launch.run_id, principal="bob")
    assert world.get(launch.run_id).item.phase == "stopping"


def test_a_claim_that_is_put_back_ends(world: RunWorld) -> None:
    world.submit()
    launch = world.claim_one()
    with Shim(launch, "stop", lambda: world.ledger.requeue(launch.run_id, 1)):
        outcome = world.service.stop(launch.run_id, principal="bob")
    assert outcome.status == "cancelled"


def test_what_cannot_be_confirmed_stands(
    world: RunWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "CONFIRM_SECONDS", 0.2)
    launch = running(world)
    with pytest.raises(SignalNotConfirmedError):
        world.service.stop(launch.run_id, principal="bob")
    assert world.get(launch.run_id).item.phase == "stopping"
    assert has_order(launch, "stop")


class TestTwice:
    def stop(self, world: RunWorld, kind: str = "stop") -> Launch:
        launch = running(world)
        with Shim(launch, kind, lambda: deliver(world, launch, kind)):
            getattr(world.service, kind)(launch.run_id, principal="bob")
        return launch

    @pytest.mark.parametrize("kind", ["stop", "cancel"])
    def test_a_second_stop_is_refused(self, world: RunWorld, kind: str) -> None:
        launch = self.stop(world)
        with pytest.raises(AlreadyStoppingError):
            getattr(world.service, kind)(launch.run_id, principal="eve")
        types = world.event_types(launch.run_id)
        assert types.count("stop_requested") == 1

    def test_a_kill_escalates(self, world: RunWorld) -> None:
        launch = self.stop(world)
        with Shim(launch, "kill", lambda: deliver(world, launch, "kill")):
            world.service.kill(launch.run_id, principal="eve")
        end_by(world, launch, "kill")
        item = world.get(launch.run_id).item
        assert (item.reason, item.error) == ("killed", "Run killed by user")

    @pytest.mark.parametrize("kind", ["stop", "kill", "cancel"])
    def test_nothing_comes_after_a_kill(self, world: RunWorld, kind: str) -> None:
        launch = self.stop(world, "kill")
        with pytest.raises(AlreadyStoppingError):
            getattr(world.service, kind)(launch.run_id, principal="eve")

    def test_of_many_at_once_one_is_accepted(self, world: RunWorld) -> None:
        launch = running(world)
        answers: list[str] = []
        barrier = threading.Barrier(6)
        services = [world.make_service() for _ in range(2)]
        numbers = iter(range(6))

        def stop() -> None:
            service = services[next(numbers) % 2]
            barrier.wait()
            try:
                service.stop(launch.run_id, principal="bob")
            except AlreadyStoppingError:
                answers.append("refused")
            else:
                answers.append("accepted")

        with Shim(launch, "stop", lambda: deliver(world, launch, "stop")):
            threads = [threading.Thread(target=stop) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(answers) == ["accepted", *["refused"] * 5]


def test_claim_and_cancel_compete_for_each_run(world: RunWorld) -> None:
    """Exactly one of both wins; a cancelled run is never launched."""
    ids = [world.submit() for _ in range(20)]
    launched: set[str] = set()

    def claim_all() -> None:
        for _ in range(20):
            launched.update(each.run_id for each in world.claim(1))

    thread = threading.Thread(target=claim_all)
    thread.start()
    cancelled = set()
    for run_id in reversed(ids):
        if world.service._desk.order(
            run_id,
            StopKind.CANCEL,
            principal="bob",
            grace_seconds=None,
        ).is_over:
            cancelled.add(run_id)
    thread.join()
    assert launched.isdisjoint(cancelled)
    assert launched | cancelled == set(ids)


def test_the_folder_of_a_deleted_run_is_not_made_again(world: RunWorld) -> None:
    launch = running(world)
    read = world.service._desk.tell_shim

    def tell_after_deletion(*args, **more):
        world.end(launch, 0)
        world.service.delete(launch.run_id)
        return read(*args, **more)

    world.service._desk.tell_shim = tell_after_deletion  # type: ignore[method-assign]
    with pytest.raises(RunNotFoundError):
        world.service.stop(launch.run_id, principal="bob")
    assert not Path(launch.run_dir).exists()
