"""T23: the pure state machine under a virtual clock; see ``tests/unit/engine``."""

from tests.faults.report import Report
from tests.faults.trial import FaultTest, Trial
from tests.unit.engine.simulation import Simulation

STEPS = "steps"
BROKEN = "broken invariants"


def run(trial: Trial) -> Report:
    """Simulate; a broken invariant ends it and can be replayed by its seed."""
    steps = trial.size["steps"]
    report = trial.report(planned={STEPS: steps}, criteria=(BROKEN,))
    simulation = Simulation(trial.seed)
    for number in range(steps):
        try:
            simulation.step()
        except AssertionError as error:
            report.fail(BROKEN, f"step {number}: {error!r}")
            break
        report.fault(STEPS)
    report.state("runs that ended", sum(simulation.finished.values()))
    return report


TEST = FaultTest(
    test_id="T23",
    title="simulation of the pure state machine",
    run=run,
    ci={"steps": 10_000},
    long={"steps": 1_000_000},
    seconds=60,
)
