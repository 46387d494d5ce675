"""What the ledger is told beside ends: notes, failed recoveries, what is active, orders."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scriptrunner.engine import control_file, process_tree
from scriptrunner.engine.outcomes import StopKind
from tests.run_world import BOOT, RunWorld


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
