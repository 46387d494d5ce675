"""T2: the same with shims killed too; a run may be lost only with its own shim."""

from collections.abc import Collection

from scriptrunner.engine import control_file
from tests.faults.client import Caller
from tests.faults.jobs import Job
from tests.faults.killer import Killer
from tests.faults.load import BAD_ANSWERS
from tests.faults.oracle import Oracle, Record
from tests.faults.processes import (
    PARENT,
    SHIM,
    SUPERVISOR,
    WORKER,
    ZYGOTE,
    Process,
)
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.t01_random_kills import SETTINGS, submit_under_fire
from tests.faults.t04_restarts import start_all
from tests.faults.trial import FaultTest, Trial

WEIGHTS = {ZYGOTE: 0.3, SHIM: 0.5, SUPERVISOR: 0.1, WORKER: 0.08, PARENT: 0.02}
IN_CALM = "shim, all else alive"
#: Counters of this test.
NOT_KILLED = "lost although its shim was not hit"
LATE = "lost, and told too late"
#: Seconds in which a lost run must be told to be lost while a supervisor is at work.
TOLD_SECONDS = 5.0


def run(trial: Trial) -> Report:
    """Submit jobs, kill shims among others, and look at each lost run."""
    kills, in_calm = trial.size["kills"], trial.size["kills_in_calm"]
    report = trial.report(
        planned={SHIM: kills, IN_CALM: in_calm},
        criteria=(NOT_KILLED, LATE, BAD_ANSWERS),
    )
    with running_service(trial.folder, workers=2, settings=SETTINGS) as service:
        oracle = Oracle(service, report, may_be_lost=_is_lost)
        killer = Killer(
            service,
            report,
            trial.random(),
            weights=WEIGHTS,
            kills=kills,
            counted={SHIM},
        )
        submit_under_fire(trial, oracle, killer)
        oracle.check()
        check_lost(oracle, killer.killed)
        report.state("lost", len(oracle.lost))
        kill_in_calm(service, report, in_calm)
        oracle.check_quiet()
    return report


def _is_lost(record: Record) -> bool:
    return bool(record["reason"] == "lost")


def check_lost(oracle: Oracle, killed: Collection[tuple[int, int]]) -> None:
    """The shim of a lost run is among the killed ones (pid and start time)."""
    for run_id in oracle.lost:
        paths = oracle.service.run_dir(run_id).glob("*.ctl")
        last = max(paths, key=lambda path: int(path.stem[1:]))
        record = control_file.read(str(last))
        identity = record.identity if record is not None else None
        if identity is None or (identity["pid"], identity["start"]) not in killed:
            oracle.report.fail(NOT_KILLED, f"{run_id}: {identity}")


def kill_in_calm(service: Service, report: Report, kills: int) -> None:
    """Kill shims while nothing else dies: their runs are told to be lost at once."""
    oracle = Oracle(service, report, may_be_lost=_is_lost, ledger="calm.txt")
    service.wait_supervised()
    for number in range(kills):
        job = Job(f"calm-{number}", milliseconds=60_000)
        start_all(service, oracle, [job])
        run_id = next(each for each, its in oracle.jobs.items() if its is job)
        for shim in find_keepers(service):
            shim.kill()
        report.fault(IN_CALM)
        with Caller(service.url) as caller:
            record = oracle.wait_over(caller, run_id, seconds=TOLD_SECONDS)
        if not _is_lost(record):
            report.fail(LATE, f"{run_id}: {record['status']} {record['reason']}")
    oracle.check()


def find_keepers(service: Service) -> list[Process]:
    """Return the shims that have a script."""
    parents = {script.parent for script in service.scripts()}
    shims = service.by_role().get(SHIM, [])
    return [shim for shim in shims if shim.pid in parents]


TEST = FaultTest(
    test_id="T2",
    title="random SIGKILL of everything, shims included",
    run=run,
    ci={"runs": 200, "kills": 25, "kills_in_calm": 3},
    long={"runs": 5_000, "kills": 900, "kills_in_calm": 50},
    seconds=120,
)
