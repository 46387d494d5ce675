"""The loop with a ledger that fails at awkward moments."""

import json
import os
import select
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from scriptrunner.engine import control_file, process_tree
from scriptrunner.engine.launch import Launch
from scriptrunner.errors import UnavailableError
from scriptrunner.settings import Settings
from scriptrunner.supervise import Tick
from scriptrunner.supervisor import note, wakeup
from scriptrunner.supervisor.loop import Supervisor
from scriptrunner.supervisor.ports import ActiveAttempt


class ForgetfulLedger:
    """Claims one run, durably, and fails before it can say so."""

    def __init__(self, folder: Path) -> None:
        self.claimed = ActiveAttempt(
            run_id=str(uuid4()),
            attempt=1,
            phase="starting",
            boot_id=process_tree.boot_id(),
            run_dir=str(folder / "run"),
            recovery_failures=0,
        )
        self.is_claimed = False
        self.requeued: list[tuple[str, int]] = []

    def turn_over(self, *_: object, **__: object) -> list[Launch]:
        if not self.is_claimed:
            self.is_claimed = True
            raise UnavailableError("the connection broke after the commit")
        return []

    def list_active(self) -> list[ActiveAttempt]:
        return [self.claimed] if self.is_claimed and not self.requeued else []

    def requeue(self, run_id: str, attempt: int, *, was_launched: bool = True) -> None:
        assert was_launched, "nobody knows whether a shim has heard of it"
        self.requeued.append((run_id, attempt))

    def next_retry_at(self) -> datetime | None:
        return None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was not expected")


class IdleLedger(ForgetfulLedger):
    """Has nothing to claim."""

    def turn_over(self, *_: object, **__: object) -> list[Launch]:
        return []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database_url="sqlite://",
        data_dir=tmp_path,
        allowed_roots=(tmp_path,),
        ballast_bytes=4096,
    )


def test_a_claim_whose_answer_was_lost_is_put_back_at_once(settings: Settings) -> None:
    """It stayed claimed until the next round of recovery, half a minute later."""
    ledger = ForgetfulLedger(settings.data_dir)
    deadline = time.monotonic() + 5

    def is_wanted() -> bool:
        return not ledger.requeued and time.monotonic() < deadline

    Supervisor(settings, ledger, is_wanted=is_wanted).run()
    assert ledger.requeued == [(ledger.claimed.run_id, 1)]


class HastyLedger(ForgetfulLedger):
    """Lets a run be claimed for which there is no slot; may refuse to take it back."""

    def __init__(self, launch: Launch, *, refuses: bool) -> None:
        super().__init__(Path(launch.run_dir).parent)
        self.launch = launch
        self.refuses = refuses
        self.returned: list[tuple[str, int, bool]] = []

    def turn_over(self, *_: object, **__: object) -> list[Launch]:
        launches = [] if self.is_claimed else [self.launch]
        self.is_claimed = True
        return launches

    def list_active(self) -> list[ActiveAttempt]:
        return []

    def requeue(self, run_id: str, attempt: int, *, was_launched: bool = True) -> None:
        self.returned.append((run_id, attempt, was_launched))
        if self.refuses and not was_launched:
            raise UnavailableError("the connection broke, perhaps after the commit")


def make_launch(run_dir: Path) -> Launch:
    return Launch(
        run_id=str(uuid4()),
        attempt=1,
        run_dir=str(run_dir),
        python=sys.executable,
        args=(),
        environment={},
        script_path=f"{run_dir}/none.py",
        script_root=str(run_dir),
        script_relative="none.py",
        script_sha256=None,
        scripts_dir=None,
        working_root=str(run_dir),
        working_relative="",
        timeout_seconds=None,
        grace_seconds=1.0,
        max_output_bytes=4096,
        monitor_interval_seconds=0.1,
    )


@pytest.mark.parametrize("refuses", [False, True])
def test_a_claim_of_which_no_shim_has_heard_keeps_its_number(
    settings: Settings, tmp_path: Path, refuses: bool
) -> None:
    """It was used up, so that a run which never failed had a second attempt."""
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    launch = make_launch(run_dir)
    ledger = HastyLedger(launch, refuses=refuses)
    supervisor = Supervisor(
        replace(settings, slots=0), ledger, is_wanted=lambda: not ledger.is_claimed
    )
    supervisor.run()
    returned = [(launch.run_id, 1, False)]
    # If nobody knows what became of it, a tombstone keeps the number from coming again.
    assert ledger.returned == [*returned, (launch.run_id, 1, True)][: 1 + refuses]
    assert Path(control_file.path_of(launch.run_dir, 1)).exists() == refuses


def test_who_wakes_the_supervisor_has_the_others_told(settings: Settings) -> None:
    """A run that has to wait is on every page at once, not only when a slot is free."""
    with closing(wakeup.Listener(settings.data_dir)) as listener:
        heard: list[wakeup.Listener] = []
        deadline = time.monotonic() + 5

        def is_wanted() -> bool:
            heard.extend(select.select([listener], [], [], 0)[0])
            return not heard and time.monotonic() < deadline

        supervisor = Supervisor(
            settings, IdleLedger(settings.data_dir), is_wanted=is_wanted
        )
        supervisor.turn()  # the first look of recovery is told, too
        listener.drain()
        wakeup.wake_supervisor(settings.data_dir)
        supervisor.run()
        assert heard == [listener]


def test_an_ending_supervisor_leaves_the_note_of_the_next_one(
    settings: Settings,
) -> None:
    """It removed that note, and the service counted as one without a supervisor."""
    tick = Tick(settings)
    next_one = {"pid": 1, "restarts": 0}
    note.path_of(settings.data_dir).write_text(json.dumps(next_one))
    tick.end()
    assert note.read(settings.data_dir) == next_one


def test_a_supervisor_whose_note_is_gone_writes_it_again(settings: Settings) -> None:
    tick = Tick(settings)
    note.path_of(settings.data_dir).unlink()
    tick.beat()
    assert note.read(settings.data_dir)["pid"] == os.getpid()
    tick.end()
    assert note.read(settings.data_dir) == {}
