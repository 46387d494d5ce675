"""T14: a model of runs against the real service, step by step, by Hypothesis."""

from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.faults.client import Caller
from tests.faults.ledger import Ledger
from tests.faults.model import Model, ModelRun
from tests.faults.processes import SUPERVISOR, WORKER, ZYGOTE
from tests.faults.report import ILLEGAL, TWICE, Report
from tests.faults.service import JOB, Service, running_service
from tests.faults.transitions import find_faults
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

EXAMPLES, KILLS = "histories", "kills between steps"
DIFFERENT = "model and service differ"
SLOTS = 2
UNKNOWN = "00000000-0000-4000-8000-000000000000"
#: Seconds for the service to come to where the model is.
AGREE_SECONDS = 20.0


def run(trial: Trial) -> Report:
    """Live through many random histories on one service."""
    examples, steps = trial.size["examples"], trial.size["steps"]
    report = trial.report(planned={EXAMPLES: examples}, criteria=(DIFFERENT,))
    options = {"WEBAPI_SLOTS": str(SLOTS)}
    with running_service(trial.folder, settings=options) as service:
        service.copy_job()
        script = service.copy_job("gate.py", JOB.with_name("gate.py"))
        with Caller(service.url) as caller:
            RunsMachine.world = World(service, caller, report, script)
            machine = hypothesis.seed(trial.seed)(RunsMachine)
            try:
                run_state_machine_as_test(machine, settings=_settings(examples, steps))
            except Exception as error:  # noqa: BLE001 - Hypothesis repeats a failure, perhaps in vain
                if report.is_passed:
                    report.fail(DIFFERENT, repr(error)[:1000])
    return report


def _settings(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        # A failing history is not made shorter: each try takes seconds.
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
    )


class World:
    """The service that all histories share."""

    def __init__(
        self, service: Service, caller: Caller, report: Report, script: Path
    ) -> None:
        self.service = service
        self.caller = caller
        self.report = report
        self.script = script
        self.ledger = Ledger(service.folder / "ledger.txt")
        self.histories = 0


class RunsMachine(RuleBasedStateMachine):
    """One history: what callers do, what happens to processes, and what must be."""

    world: World
    runs: Bundle[str] = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(SLOTS)
        self.count = 0
        #: The history so far, for people.
        self.told: list[str] = []
        self.world.histories += 1

    # What callers do

    @rule(target=runs, exit_code=st.sampled_from([0, 3]))
    def submit(self, exit_code: int) -> str:
        self.count += 1
        tag = f"h{self.world.histories}-{self.count}"
        args = [str(self.world.ledger.path), tag, str(self.gate(tag)), str(exit_code)]
        fields = {"script_path": str(self.world.script), "args": args}
        run_id: str = self.expect(202, self.world.caller.submit(fields))["run_id"]
        self.model.add(run_id, ModelRun(tag, exit_code))
        return run_id

    @rule(run_id=runs, kind=st.sampled_from(["stop", "cancel", "kill"]))
    def order(self, run_id: str, kind: str) -> None:
        answer = self.world.caller.ask("POST", f"/api/runs/{run_id}/{kind}")
        self.expect(self.model.order(run_id, kind), answer)

    @rule(target=runs, run_id=runs)
    def restart(self, run_id: str) -> Any:
        answer = self.world.caller.post_once(f"/api/runs/{run_id}/restart")
        if run_id not in self.model.runs:
            self.expect(404, answer)
            return multiple()
        new_id: str = self.expect(202, answer)["run_id"]
        self.gate(self.model.runs[run_id].tag).unlink(missing_ok=True)
        self.model.restart(run_id, new_id)
        return new_id

    @rule(run_id=runs)
    def delete(self, run_id: str) -> None:
        answer = self.world.caller.ask("DELETE", f"/api/runs/{run_id}")
        self.expect(self.model.delete(run_id), answer)

    @rule(kind=st.sampled_from(["stop", "cancel", "kill", "restart"]))
    def order_nobody(self, kind: str) -> None:
        answer = self.world.caller.ask("POST", f"/api/runs/{UNKNOWN}/{kind}")
        self.expect(404, answer)

    # What happens

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        # Restarts of one run wait for the same file: it would end them all.
        tags = Counter(self.model.runs[each].tag for each in self.model.active())
        running = self.model.running()
        single = [each for each in running if tags[self.model.runs[each].tag] == 1]
        if single:
            run_id = data.draw(st.sampled_from(single))
            self.gate(self.model.runs[run_id].tag).touch()
            self.model.finish(run_id)
            self.told.append(f"exit of {run_id}")

    @rule(role=st.sampled_from([SUPERVISOR, ZYGOTE, WORKER]))
    def kill_process(self, role: str) -> None:
        processes = self.world.service.by_role().get(role, [])
        for process in processes[:1]:
            process.kill()
            self.told.append(f"SIGKILL of {role}")
            self.world.report.fault(KILLS)

    # What must be

    @invariant()
    def agrees(self) -> None:
        try:
            wait_for(self.is_agreed, seconds=AGREE_SECONDS, what="agreement")
        except AssertionError as error:
            self.fail(str(error))

    def fail(self, text: str) -> NoReturn:
        """Count a difference with the history that led to it."""
        self.world.report.fail(DIFFERENT, f"{text}\n      after {self.told}")
        raise AssertionError(text)

    def is_agreed(self) -> bool:
        records = {
            each["id"]: each
            for each in self.world.caller.get_json("/api/runs", params={"limit": 200})
        }
        if records.keys() != self.model.runs.keys():
            raise AssertionError(f"{sorted(records)}, not {sorted(self.model.runs)}")
        return all(
            self.is_same(run, records[run_id])
            for run_id, run in self.model.runs.items()
        )

    @staticmethod
    def is_same(run: ModelRun, record: dict[str, Any]) -> bool:
        found = (record["status"], record["run_status"], record["reason"])
        if found != (run.status, run.run_status, run.reason):
            if record["status"] in {"completed", "failed", "cancelled"}:
                raise AssertionError(f"{record['id']}: {found}, not {run}")
            return False
        if run.shown_code is not None and record["exit_code"] != run.shown_code:
            raise AssertionError(f"{record['id']}: code {record['exit_code']}: {run}")
        return run.status != "running" or record["phase"] == "running"

    # Tools

    def gate(self, tag: str) -> Path:
        """Return the file for which the script with ``tag`` waits."""
        return self.world.service.folder / f"gate-{tag}"

    def expect(self, status: int, answer: Any) -> Any:
        """Return the body of an answer, which must have this status."""
        request = answer.request
        self.told.append(f"{request.method} {request.url.path}: {answer.status_code}")
        if answer.status_code != status:
            self.fail(f"{answer.status_code} {answer.text[:200]}, not {status}")
        return answer.json()

    def teardown(self) -> None:
        """Check what each run tells of its life, end all, and leave an empty service."""
        self.world.report.fault(EXAMPLES)
        for run_id in reversed(self.model.active()):  # queued ones first
            self.world.caller.ask("POST", f"/api/runs/{run_id}/kill")
            self.model.order(run_id, "kill")
        self.agrees()
        for run_id, run in self.model.runs.items():
            events = self.world.caller.get_json(f"/api/runs/{run_id}/events")
            for fault in find_faults(events, run.status):
                self.world.report.fail(ILLEGAL, f"{run_id}: {fault}")
        for run_id, attempt in self.world.ledger.repeated():
            self.world.report.fail(TWICE, f"{run_id} attempt {attempt}")
        ids = list(self.model.runs)
        answer = self.world.caller.ask("DELETE", "/api/runs", json=ids)
        assert answer.json()["deleted"] == len(ids), answer.text


TEST = FaultTest(
    test_id="T14",
    title="a model of runs against the real service",
    run=run,
    ci={"examples": 15, "steps": 12},
    long={"examples": 200, "steps": 50},
    seconds=150,
)
