"""T1: SIGKILL of web parent, workers, supervisor and zygote while many runs go through."""

import time

from tests.faults.jobs import make_jobs
from tests.faults.killer import Killer
from tests.faults.load import BAD_ANSWERS, Submitters
from tests.faults.oracle import Oracle
from tests.faults.processes import PARENT, SUPERVISOR, WORKER, ZYGOTE
from tests.faults.report import Report
from tests.faults.service import running_service
from tests.faults.trial import FaultTest, Trial

KILLS = "SIGKILL"
#: Who is hit how often. A web parent takes a second to come back, a zygote an instant.
WEIGHTS = {ZYGOTE: 0.5, SUPERVISOR: 0.3, WORKER: 0.15, PARENT: 0.05}
#: Runs at once: jobs mostly sleep.
SETTINGS = {"WEBAPI_SLOTS": "24"}
#: Seconds the kills may take beyond the submissions.
LATE_SECONDS = 60.0
#: Batches of further runs for the kills that are left then; their size, and what each of
#: them gets in seconds.
MORE_ROUNDS, MORE_RUNS, MORE_SECONDS = 10, 50, 15.0


def run(trial: Trial) -> Report:
    """Submit jobs and kill, in step, then check everything."""
    kills = trial.size["kills"]
    report = trial.report(planned={KILLS: kills}, criteria=(BAD_ANSWERS,))
    with running_service(trial.folder, workers=2, settings=SETTINGS) as service:
        oracle = Oracle(service, report)
        killer = Killer(
            service,
            report,
            trial.random(),
            weights=WEIGHTS,
            kills=kills,
            counted=WEIGHTS.keys(),
        )
        submit_under_fire(trial, oracle, killer)
        report.fault(KILLS, len(killer.killed))
        oracle.check()
        oracle.check_quiet()
    return report


def submit_under_fire(trial: Trial, oracle: Oracle, killer: Killer) -> None:
    """Send ``trial.size["runs"]`` jobs, or a few more, through a service being killed."""
    service, random = oracle.service, trial.random()
    jobs = make_jobs(random, trial.size["runs"])
    service.keep_alive()
    started = time.monotonic()
    with killer:
        script = service.copy_job()
        Submitters(oracle, script, jobs, progress=lambda: killer.progress).run()
        killer.join(LATE_SECONDS)
        # Who is hit is left to chance: the last ones may need more runs to live on.
        for number in range(MORE_ROUNDS):
            if killer.progress < 1:
                more = make_jobs(random, MORE_RUNS, prefix=f"more-{number}")
                Submitters(oracle, script, more).run()
                killer.join(MORE_SECONDS)
    oracle.report.state("runs", len(oracle.jobs))
    oracle.report.state("seconds under fire", round(time.monotonic() - started))


TEST = FaultTest(
    test_id="T1",
    title="random SIGKILL of web parent, workers, supervisor and zygote",
    run=run,
    ci={"runs": 1000, "kills": 300},
    long={"runs": 10_000, "kills": 3_000},
    seconds=180,
)
