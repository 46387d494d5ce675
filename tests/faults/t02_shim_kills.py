"""T2: the same with shims killed too; a run may be lost only with its own shim."""

from tests.faults.load import BAD_ANSWERS
from tests.faults.processes import PARENT, SHIM, SUPERVISOR, WORKER, ZYGOTE
from tests.faults.report import Report
from tests.faults.t01_random_kills import submit_under_fire
from tests.faults.trial import FaultTest, Trial

WEIGHTS = {ZYGOTE: 0.3, SHIM: 0.5, SUPERVISOR: 0.1, WORKER: 0.08, PARENT: 0.02}
#: Counters of this test.
LOST_TOO_MANY = "lost without a killed shim"
RAN_ON = "lost, yet came to its end"


def run(trial: Trial) -> Report:
    """Submit jobs, kill shims among others, and count the lost runs."""
    report = trial.report(
        planned={SHIM: trial.size["shim_kills"]},
        criteria=(LOST_TOO_MANY, RAN_ON, BAD_ANSWERS),
    )
    oracle = submit_under_fire(
        trial, report, weights=WEIGHTS, kills=trial.size["kills"], may_lose=True
    )
    report.state("lost", len(oracle.lost))
    for run_id in oracle.lost[report.done[SHIM] :]:
        report.fail(LOST_TOO_MANY, run_id)
    return report


TEST = FaultTest(
    test_id="T2",
    title="random SIGKILL of everything, shims included",
    run=run,
    ci={"runs": 200, "kills": 70, "shim_kills": 25},
    long={"runs": 4_000, "kills": 2_000, "shim_kills": 900},
    seconds=90,
)
