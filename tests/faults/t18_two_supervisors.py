"""T18: several supervisors start at once; the lock file is deleted under the one at work."""

import sys
import threading
import time
from random import Random

from scriptrunner.settings import load_settings
from tests.faults.jobs import make_jobs
from tests.faults.load import BAD_ANSWERS, Submitters
from tests.faults.oracle import Oracle
from tests.faults.processes import SUPERVISOR
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

STARTS, DELETIONS = "supervisors started at once", "lock files deleted"
NOT_ONE = "not exactly one at work"
#: How many are started at one instant.
RIVALS = 3
#: Seconds until exactly one must be at work.
AGREE_SECONDS = 60.0


def run(trial: Trial) -> Report:
    """Do both while jobs go through."""
    starts, deletions = trial.size["starts"], trial.size["deletions"]
    report = trial.report(
        planned={STARTS: starts, DELETIONS: deletions}, criteria=(NOT_ONE, BAD_ANSWERS)
    )
    random = trial.random()
    jobs = make_jobs(random, trial.size["runs"], milliseconds=(0, 1500), lines=(1, 50))
    done = 0

    def progress() -> float:
        return done / (starts + deletions)

    with running_service(trial.folder, workers=1) as service:
        oracle = Oracle(service, report)
        service.wait_supervised()
        submitters = Submitters(oracle, service.copy_job(), jobs, progress=progress)
        thread = threading.Thread(target=submitters.run)
        thread.start()
        try:
            for number in range(starts):
                start_rivals(service, random, kill_first=number % 2 == 1)
                check_one(service, report, STARTS)
                done += 1
            for _ in range(deletions):
                delete_lock(service, report)
                done += 1
        finally:
            done = starts + deletions
            thread.join()
        oracle.check()
    return report


def start_rivals(service: Service, random: Random, *, kill_first: bool) -> None:
    """Start several supervisors at once, every second time when there is none."""
    if kill_first:
        service.kill_role(SUPERVISOR)
    for _ in range(RIVALS):
        service.start_beside(
            [sys.executable, "-P", "-m", "scriptrunner.supervise"],
            stdin=load_settings(service.environment).to_json(),
        )
        time.sleep(random.uniform(0, 0.05))


def check_one(service: Service, report: Report, kind: str) -> None:
    """Wait until one supervisor is at work and no other is there."""
    report.fault(kind)
    try:
        wait_for(
            lambda: find_only_one(service) is not None,
            seconds=AGREE_SECONDS,
            what="one supervisor",
        )
        service.wait_supervised()
    except AssertionError as error:
        report.fail(NOT_ONE, str(error))


def find_only_one(service: Service) -> int | None:
    """Return the pid of the supervisor at work; None if there is none or a second.

    It notes its pid once it has the lock. Until then the note is that of one that was
    killed, and whoever took that one for the one at work would wait for the wrong pid.
    """
    present = {each.pid for each in service.by_role().get(SUPERVISOR, ())}
    noted = service.supervisor_note().get("pid")
    return noted if present == {noted} else None


def delete_lock(service: Service, report: Report) -> None:
    """Delete the lock file; the one at work has to make way for another."""
    before = find_only_one(service)
    lock = service.data_dir / "supervisor.lock"
    lock.unlink()
    report.fault(DELETIONS)
    try:
        wait_for(
            lambda: lock.exists() and find_only_one(service) not in (None, before),
            seconds=AGREE_SECONDS,
            what="another supervisor",
        )
    except AssertionError as error:
        report.fail(NOT_ONE, str(error))


TEST = FaultTest(
    test_id="T18",
    title="several supervisors at once; the lock file deleted under one",
    run=run,
    ci={"starts": 10, "deletions": 3, "runs": 60},
    long={"starts": 200, "deletions": 60, "runs": 1000},
    seconds=240,
)
