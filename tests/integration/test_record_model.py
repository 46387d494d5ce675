"""Whatever happens in whatever order, the record of a run stays in order.

Hypothesis plays people and supervisor against the real ledger and service; nothing is
started. After each step every run is read back and compared with a few lines of model
and with the promises that hold at all times.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from scriptrunner.engine.events import END_EVENTS
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.outcomes import StopKind
from scriptrunner.runs.errors import (
    AlreadyStoppingError,
    RestartPendingError,
    RunActiveError,
    RunFinishedError,
)
from scriptrunner.runs.models import ACTIVE_STATUSES, TERMINAL_STATUSES, RunRecord
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from scriptrunner.supervisor.ports import End
from tests.run_world import RunWorld

#: Steps after the run: none most of the time; in the transaction of its end, or before.
STEPS: list[dict[str, Any]] = [
    {},
    {},
    {
        "performance_gates": [{"metric": "attempts", "max_value": 1}],
        "alerts": [{"condition": "attempts > 1"}],
        "enable_cost_tracking": True,
    },
    {
        "performance_gates": [{"metric": "attempts", "max_value": 1}],
        "junit_output": "r.xml",
        "save_baseline": "b.json",
        "load_baseline": "b.json",
        "enable_visualizer": True,
    },
]
kinds = st.sampled_from([StopKind.STOP, StopKind.KILL, StopKind.CANCEL])


@dataclass
class Known:
    """What the model knows of a run."""

    retries: bool
    #: Highest attempt number that was claimed.
    attempt: int = 0
    is_ordered: bool = False
    #: The record as it was when the run became terminal.
    final: object = None


class RecordMachine(RuleBasedStateMachine):
    launches: Bundle[Launch] = Bundle("launches")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        database = Database(f"sqlite:///{self.folder}/runs.db")
        migrate(database)
        self.world = RunWorld(self.folder, database)
        self.runs: dict[str, Known] = {}
        self.deleted: set[str] = set()
        self.change = 0

    def teardown(self) -> None:
        self.world.database.close()
        shutil.rmtree(self.folder)

    @rule(
        retries=st.booleans(),
        delay=st.sampled_from([0.0, 5.0]),
        steps=st.sampled_from(STEPS),
    )
    def submit(self, retries: bool, delay: float, steps: dict[str, Any]) -> None:
        run_id = self.world.submit(
            retry_on_failure=retries,
            retry_initial_delay=delay,
            retry_max_attempts=3,
            **steps,
        )
        self.runs[run_id] = Known(retries)

    @rule(seconds=st.sampled_from([0.1, 6.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule(target=launches, limit=st.integers(0, 3))
    def claim(self, limit: int):
        claimed = self.world.claim(limit)
        assert len(claimed) <= limit
        for launch in claimed:
            known = self.runs[launch.run_id]
            assert launch.attempt == known.attempt + 1
            assert known.final is None
            known.attempt = launch.attempt
        return multiple(*claimed)

    @rule(launch=launches)
    def start(self, launch: Launch) -> None:
        self.world.start(launch)

    @rule(launch=launches, code=st.sampled_from([0, 1, -11]))
    def end_by_itself(self, launch: Launch, code: int) -> None:
        if launch.run_id not in self.deleted:
            self.world.end(launch, code)

    @rule(launch=launches, kind=kinds)
    def end_by_order(self, launch: Launch, kind: StopKind) -> None:
        known = self.runs[launch.run_id]
        if known.is_ordered and launch.run_id not in self.deleted:
            self.world.end(launch, -15, reason=kind.value)

    @rule(launch=launches)
    def time_out(self, launch: Launch) -> None:
        if launch.run_id not in self.deleted:
            self.world.end(launch, -15, reason="timeout")

    @rule(launch=launches, reason=st.sampled_from(["lost", "host_restart"]))
    def lose(self, launch: Launch, reason: str) -> None:
        lost = End(
            run_id=launch.run_id,
            attempt=launch.attempt,
            spawn=self.world.spawn(),
            end=None,
            lost_reason=reason,
        )
        self.world.ledger.record_ends([lost])

    @rule(launch=consumes(launches), was_launched=st.booleans())
    def put_back(self, launch: Launch, *, was_launched: bool) -> None:
        before = self._phase(launch.run_id)
        self.world.ledger.requeue(
            launch.run_id, launch.attempt, was_launched=was_launched
        )
        is_waiting = self._phase(launch.run_id) in ("queued", "backoff")
        if not was_launched and is_waiting and before in ("starting", "stopping"):
            self.runs[launch.run_id].attempt -= 1  # it is given once more

    @rule(data=st.data(), kind=kinds)
    def order(self, data: st.DataObject, kind: StopKind) -> None:
        run_id = self._choose(data)
        if run_id is None:
            return
        before = self.world.get(run_id).item
        try:
            order = self.world.service._desk.order(
                run_id, kind, principal="bob", grace_seconds=None
            )
        except RunFinishedError:
            assert before.status in TERMINAL_STATUSES
            return
        except AlreadyStoppingError:
            assert before.phase == "stopping"
            return
        assert before.status in ACTIVE_STATUSES
        assert order.is_over == (before.phase in ("queued", "backoff"))
        self.runs[run_id].is_ordered = True

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        run_id = self._choose(data)
        if run_id is None:
            return
        old = self.world.get(run_id).item
        try:
            new = self.world.service.restart(run_id, principal="bob").run_id
        except RestartPendingError:
            assert old.restarted_as is not None
            return
        if old.status in ACTIVE_STATUSES:
            self.runs[run_id].is_ordered = True
        self.runs[new] = Known(self.runs[run_id].retries)
        self.runs[run_id].final = None  # it names its successor now

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        run_id = self._choose(data)
        if run_id is None:
            return
        is_active = self.world.get(run_id).item.status in ACTIVE_STATUSES
        try:
            self.world.service.delete(run_id)
        except RunActiveError:
            assert is_active
            return
        assert not is_active
        self.deleted.add(run_id)

    def _choose(self, data: st.DataObject) -> str | None:
        alive = [run_id for run_id in self.runs if run_id not in self.deleted]
        return data.draw(st.sampled_from(alive)) if alive else None

    def _phase(self, run_id: str) -> str | None:
        return None if run_id in self.deleted else self.world.get(run_id).item.phase

    @invariant()
    def time_goes_on(self) -> None:
        """No two things happen at once, so that a failing example can be replayed."""
        self.world.clock.advance(0.001)

    @invariant()
    def every_record_is_in_order(self) -> None:
        page = self.world.service.list_runs(limit=200)
        alive = set(self.runs) - self.deleted
        assert {item.id for item in page.items} == alive
        assert page.total == len(alive)
        for run_id in alive:
            self._check_run(run_id)

    def _check_run(self, run_id: str) -> None:
        known, record = self.runs[run_id], self.world.get(run_id)
        item = record.item
        assert (item.status in TERMINAL_STATUSES) == (item.phase == "final")
        assert (item.finished_at is not None) == (item.phase == "final")
        assert (record.result is not None) == (item.phase == "final")
        assert (item.next_attempt_at is not None) == (item.phase == "backoff")
        assert (item.queue_position is not None) == (item.status == "queued")
        assert len(record.attempts) == item.attempts_made <= item.attempt
        if item.phase == "stopping":
            assert known.is_ordered
        if not known.retries:
            assert item.attempts_made <= 1
        if item.status == "cancelled":
            assert known.is_ordered
        if known.final is not None:
            assert known.final == record, "a terminal run has changed"
        if item.phase == "final":
            known.final = record
            self._check_steps(record)
        self._check_events(run_id, item.attempts_made, is_over=item.phase == "final")

    def _check_steps(self, record: RunRecord) -> None:
        """Gates decide only over scripts that fared well; files are listed or missing."""
        item, result = record.item, record.result or {}
        passed = result["performance_gates_passed"]
        assert (item.reason == "gates") == (
            item.run_status == "success" and passed is False
        )
        if item.status == "completed":
            assert passed in (True, None)
        named = {result["junit_output"], result["baseline_saved"]} - {None}
        assert {each["name"] for each in record.outputs} == named
        if record.request["junit_output"] and item.run_status is not None:
            assert result["junit_output"] == "r.xml"

    def _check_events(self, run_id: str, attempts: int, *, is_over: bool) -> None:
        events = self.world.events(run_id)
        types = [event.event_type for event in events]
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert types[0] == "queued"
        assert types.count("start") == attempts
        ends = sum(event_type in END_EVENTS for event_type in types)
        assert attempts - 1 <= ends <= attempts
        if is_over:
            assert ends == attempts
            assert types[-1] == "finished"
        assert types.count("finished") == is_over

    @invariant()
    def changes_lead_to_the_same_record(self) -> None:
        """Who follows the changes knows what who reads everything knows."""
        changes = self.world.service.changes_since(self.change)
        assert not changes.more
        assert changes.change >= self.change
        numbers = [item.change for item in changes.items]
        assert numbers == sorted(set(numbers))
        assert all(number > self.change for number in numbers)
        self.change = changes.change
        gone = {run_id for _, run_id in changes.deleted}
        assert gone <= self.deleted
        for item in changes.items:
            now = self.world.get(item.id).item
            assert (now.status, now.phase) == (item.status, item.phase)


# A failing history is made shorter, which takes minutes.
TestRecord = pytest.mark.timeout(600)(RecordMachine.TestCase)
TestRecord.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=list(HealthCheck),
)
