"""T24: tasks fire every second while the supervisor is killed, also in the middle of a tick.

Afterwards the database is asked, not the service: each second has exactly one fire, each
fire one run, and each run its fire.
"""

import sqlite3
import sys
import time
from collections import Counter
from itertools import pairwise
from random import Random

from scriptrunner.settings import load_settings
from tests.faults.client import Caller
from tests.faults.processes import SUPERVISOR
from tests.faults.report import MISSING, TWICE, Report
from tests.faults.service import Service, running_service
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

KILLS, RIVALS = "supervisors killed", "rival supervisors started"
GAPS = "fires left out"
STRAY_RUNS = "runs without a fire"
#: Microseconds between two fires of a task.
STEP = 1_000_000
QUICK = "print('x')\n"


def run(trial: Trial) -> Report:
    """Kill while tasks fire, then look at what was written."""
    kills = trial.size["kills"]
    report = trial.report(
        planned={KILLS: kills, RIVALS: kills // 2}, criteria=(GAPS, STRAY_RUNS)
    )
    random = trial.random()
    options = {"WEBAPI_SLOTS": "2"}
    with running_service(trial.folder, workers=1, settings=options) as service:
        (service.root / "quick.py").write_text(QUICK)
        with Caller(service.url) as caller:
            names = [f"t{n}" for n in range(trial.size["tasks"])]
            for name in names:
                _make(caller, name)
            service.wait_supervised()
            for number in range(kills):
                time.sleep(random.uniform(0.2, 1.3))
                _kill(service, random, report, with_rival=number % 2 == 1)
            _wait_caught_up(service, names)
            for name in names:
                caller.ask("POST", f"/api/scheduler/tasks/{name}/pause")
        _check(service, names, report)
    return report


def _make(caller: Caller, name: str) -> None:
    task = {
        "task_id": name,
        "script_path": "quick.py",
        "schedule": "every 1 second",
        "misfire_policy": "run_all",
        "overlap_policy": "allow",
    }
    answer = caller.ask("POST", "/api/scheduler/tasks", json=task)
    assert answer.status_code in (201, 409), answer.text


def _kill(
    service: Service, random: Random, report: Report, *, with_rival: bool
) -> None:
    if with_rival:
        service.start_beside(
            [sys.executable, "-P", "-m", "scriptrunner.supervise"],
            stdin=load_settings(service.environment).to_json(),
        )
        report.fault(RIVALS)
        time.sleep(random.uniform(0, 0.3))
    wait_for(
        lambda: service.kill_role(SUPERVISOR), seconds=20, what="a supervisor to kill"
    )
    report.fault(KILLS)


def _wait_caught_up(service: Service, names: list[str]) -> None:
    """Wait until every task has fired since the last kill."""
    since = time.time_ns() // 1_000

    def has_fired() -> bool:
        return all(
            any(at > since for at, *_ in _fires(service, name)) for name in names
        )

    wait_for(has_fired, seconds=30, what="fires after the last kill")


def _check(service: Service, names: list[str], report: Report) -> None:
    total = 0
    for name in names:
        fires = _fires(service, name)
        total += len(fires)
        times = [at for at, _, _ in fires]
        if len(set(times)) < len(times):
            report.fail(TWICE, f"{name}: a fire was decided twice")
        for before, after in pairwise(times):
            if after - before != STEP:
                report.fail(GAPS, f"{name}: {before} to {after}")
        runs = _runs(service, name)
        for at, count in Counter(at for _, at in runs).items():
            if count > 1:
                report.fail(TWICE, f"{name} {at}: {count} runs")
        wanted = {run_id for _, state, run_id in fires if state == "started"}
        found = {run_id for run_id, _ in runs}
        for run_id in wanted - found:
            report.fail(MISSING, f"{name}: run {run_id}")
        for run_id in found - wanted:
            report.fail(STRAY_RUNS, f"{name}: run {run_id}")
    report.state("fires", total)


def _ask(service: Service, query: str, name: str) -> list[tuple]:
    connection = sqlite3.connect(service.data_dir / "runs.db", timeout=30)
    try:
        return connection.execute(query, (name,)).fetchall()
    finally:
        connection.close()


def _fires(service: Service, name: str) -> list[tuple]:
    query = (
        "SELECT fire_time, state, run_id FROM task_fires"
        " WHERE task_id = ? ORDER BY fire_time"
    )
    return _ask(service, query, name)


def _runs(service: Service, name: str) -> list[tuple]:
    return _ask(service, "SELECT id, fire_time FROM runs WHERE task_id = ?", name)


TEST = FaultTest(
    test_id="T24",
    title="tasks fire every second while supervisors are killed and rivals started",
    run=run,
    ci={"kills": 3, "tasks": 3},
    long={"kills": 500, "tasks": 10},
    seconds=120,
)
