"""T4: the service is restarted under running scripts, by SIGTERM and by SIGKILL."""

import signal
from collections.abc import Sequence

from tests.faults.jobs import Job, make_jobs
from tests.faults.load import BAD_ANSWERS, Submitters
from tests.faults.oracle import Oracle
from tests.faults.processes import PARENT, ROLES, SHIM, SUPERVISOR, WORKER, ZYGOTE
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

SIGTERM, SIGKILL = "SIGTERM of the service", "SIGKILL of all but shims"
#: The service sees no difference between a restart within the linger time and a longer one
#: but that the supervisor has gone meanwhile; here it has.
SETTINGS = {"WEBAPI_SLOTS": "64", "WEBAPI_LINGER": "0.5"}


def run(trial: Trial) -> Report:
    """Restart the service under scripts, by turns in both ways."""
    rounds = trial.size["restarts"]
    report = trial.report(
        planned={SIGTERM: rounds, SIGKILL: rounds}, criteria=(BAD_ANSWERS,)
    )
    random = trial.random()
    longest = trial.size["seconds"] * 1000
    with running_service(trial.folder, settings=SETTINGS) as service:
        oracle = Oracle(service, report)
        for number in range(rounds):
            for kind, restart in ((SIGTERM, restart_gently), (SIGKILL, restart_hard)):
                jobs = make_jobs(
                    random,
                    trial.size["scripts"] // 2,
                    milliseconds=(3000, longest),
                    prefix=f"{kind.split()[0]}-{number}",
                )
                start_all(service, oracle, jobs)
                if service.scripts():  # else nothing was restarted under a script
                    report.fault(kind)
                restart(service)
        oracle.check(settle_seconds=30 + trial.size["seconds"])
        oracle.check_quiet()
    return report


def start_all(service: Service, oracle: Oracle, jobs: Sequence[Job]) -> None:
    """Submit jobs and wait until every script runs."""
    Submitters(oracle, service.copy_job(), jobs).run()
    tags = {job.tag for job in jobs}
    wait_for(
        lambda: tags <= set(oracle.ledger.begins()),
        seconds=30,
        what="the start of all scripts",
    )


def restart_gently(service: Service) -> None:
    """SIGTERM web server and supervisor, as a person would, and start again."""
    service.terminate()
    service.kill_role(SUPERVISOR, signal.SIGTERM)
    service.wait_gone(WORKER, SUPERVISOR)
    service.start()
    service.wait_supervised()


def restart_hard(service: Service) -> None:
    """SIGKILL web server, supervisor and zygote at one instant, and start again."""
    roles = service.by_role()
    for role in ROLES:
        if role != SHIM:
            for process in roles.get(role, ()):
                process.kill()
    service.wait_gone(PARENT, WORKER, SUPERVISOR, ZYGOTE)
    service.start()
    service.wait_supervised()


TEST = FaultTest(
    test_id="T4",
    title="the service is restarted under running scripts",
    run=run,
    ci={"scripts": 30, "seconds": 8, "restarts": 1},
    long={"scripts": 200, "seconds": 60, "restarts": 10},
    seconds=90,
)
