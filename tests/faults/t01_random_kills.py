"""T1: SIGKILL of web parent, workers, supervisor and zygote while many runs go through."""

from collections.abc import Mapping

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
WEIGHTS = {ZYGOTE: 0.6, SUPERVISOR: 0.2, WORKER: 0.16, PARENT: 0.04}
#: Runs at once: jobs mostly sleep.
SETTINGS = {"WEBAPI_SLOTS": "24"}
#: Seconds the kills may take beyond the submissions.
LATE_SECONDS = 60.0


def run(trial: Trial) -> Report:
    """Submit jobs and kill, in step, then check everything."""
    report = trial.report(planned={}, criteria=(BAD_ANSWERS,))
    submit_under_fire(trial, report, weights=WEIGHTS, kills=trial.size["kills"])
    return report


def submit_under_fire(
    trial: Trial,
    report: Report,
    *,
    weights: Mapping[str, float],
    kills: int,
    may_lose: bool = False,
) -> Oracle:
    """Run ``trial.size["runs"]`` jobs through a service while a killer is at work.

    Returns:
        The oracle, after its check.
    """
    random = trial.random()
    jobs = make_jobs(random, trial.size["runs"])
    with running_service(trial.folder, workers=2, settings=SETTINGS) as service:
        oracle = Oracle(
            service,
            report,
            may_be_lost=lambda record: may_lose and record["reason"] == "lost",
        )
        service.keep_alive()
        with Killer(service, report, random, weights=weights, kills=kills) as killer:
            script = service.copy_job()
            Submitters(oracle, script, jobs, progress=lambda: killer.progress).run()
            killer.join(LATE_SECONDS)
        report.state("runs", len(oracle.jobs))
        report.state("kills", sum(report.done.values()))
        report.planned[KILLS] = kills
        report.fault(KILLS, sum(report.done.values()))
        oracle.check()
    return oracle


TEST = FaultTest(
    test_id="T1",
    title="random SIGKILL of web parent, workers, supervisor and zygote",
    run=run,
    ci={"runs": 1000, "kills": 300},
    long={"runs": 10_000, "kills": 3_000},
    seconds=180,
)
