"""T20: hours of small runs, a task each minute, old runs removed, now and then a kill.

In the first half of the time parts are killed; in the second all is calm, and no process
may grow. The data folder may not grow beyond what is to be kept at any time.
"""

import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median

from tests.faults.client import Caller
from tests.faults.jobs import make_jobs
from tests.faults.load import BAD_ANSWERS, note_answer
from tests.faults.oracle import Oracle
from tests.faults.processes import PARENT, SUPERVISOR, WORKER, ZYGOTE, resident_mib
from tests.faults.report import TWICE, Report
from tests.faults.service import Service, running_service
from tests.faults.trial import FaultTest, Trial

KILLED = "processes killed"
GAPS = "minutes left out"
GREW, LEAKED = "processes that grew", "processes with more descriptors"
FOLDERS, ZOMBIES = "folders beyond what is kept", "zombies"
VICTIMS = (PARENT, WORKER, SUPERVISOR, ZYGOTE)
#: Runs kept; and the seconds in which a run is kept all the same, with those until the
#: next round, and some for the round itself.
KEPT, KEPT_SECONDS = 500, 600 + 600 + 120
#: Seconds between two looks, and after a submission until a run is looked at.
LOOK_SECONDS, CHECK_SECONDS = 5.0, 30.0
#: What a process may have more of at the end of the calm than at its beginning.
MORE_MIB, MORE_DESCRIPTORS = 8.0, 4
SETTINGS = {"WEBAPI_KEEP_RUNS": str(KEPT), "WEBAPI_SLOTS": "4"}
TASK = {
    "task_id": "minutely",
    "script_path": "quick.py",
    "cron_expr": "* * * * *",
    "misfire_policy": "run_all",
    "overlap_policy": "allow",
}
#: Microseconds between two fires of it.
MINUTE = 60_000_000


def run(trial: Trial) -> Report:
    """Submit at a steady pace for ``minutes``, and watch."""
    seconds = 60.0 * trial.size["minutes"]
    kills = int(seconds / 2 / trial.size["seconds_between_kills"])
    report = trial.report(
        planned={KILLED: kills},
        criteria=(BAD_ANSWERS, GAPS, GREW, LEAKED, FOLDERS, ZOMBIES),
    )
    with running_service(trial.folder, workers=2, settings=SETTINGS) as service:
        oracle = Oracle(service, report)
        make_task(service)
        service.keep_alive()
        with steady_load(oracle, trial.random(), trial.size["runs_per_second"]):
            kill_now_and_then(service, report, trial.random(), seconds / 2, kills)
            watch_calm(service, report, seconds / 2, trial.size["runs_per_second"])
        oracle.check()
        check_fires(service, report)
        oracle.check_quiet()
    report.state("runs", len(oracle.forgotten) + len(oracle.jobs))
    return report


def make_task(service: Service) -> None:
    """Have a script run by the minute."""
    (service.root / "quick.py").write_text("print('x')\n")
    with Caller(service.url) as caller:
        answer = caller.ask("POST", "/api/scheduler/tasks", json=TASK)
        assert answer.status_code == 201, answer.text


@contextmanager
def steady_load(oracle: Oracle, random: Random, per_second: int) -> Iterator[None]:
    """Submit so many jobs a second, and check each a while later, until the end."""
    stopped = threading.Event()
    threads = [
        threading.Thread(target=_submit_on, args=(oracle, random, per_second, stopped)),
        threading.Thread(target=_check_on, args=(oracle, per_second, stopped)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _submit_on(
    oracle: Oracle, random: Random, per_second: int, stopped: threading.Event
) -> None:
    script = oracle.service.copy_job()
    number = 0
    with Caller(oracle.service.url) as caller:
        while not stopped.wait(1 / per_second):
            number += 1
            (job,) = make_jobs(random, 1, prefix=f"job-{number}")
            answer = caller.submit(job.request(script, oracle.ledger.path))
            if answer.status_code == 202:
                oracle.acknowledge(answer.json()["run_id"], job)
            else:
                note_answer(oracle.report, answer.status_code, answer.text)


def _check_on(oracle: Oracle, per_second: int, stopped: threading.Event) -> None:
    """Check runs while they are still kept, and expect them no more."""
    young = int(CHECK_SECONDS * per_second)
    with Caller(oracle.service.url) as caller:
        while not stopped.wait(0.2):
            for run_id in list(oracle.jobs)[:-young]:
                oracle.settle(caller, run_id)


def kill_now_and_then(
    service: Service, report: Report, random: Random, seconds: float, kills: int
) -> None:
    """Kill a part of the service ``kills`` times in these seconds."""
    for _ in range(kills):
        time.sleep(seconds / kills)
        there = [role for role in VICTIMS if service.by_role().get(role)]
        if there:
            victim = random.choice(service.by_role()[random.choice(there)])
            report.fault(KILLED, int(victim.kill()))


@dataclass(frozen=True, slots=True)
class Look:
    """What a process holds."""

    mebibytes: float
    descriptors: int


def watch_calm(
    service: Service, report: Report, seconds: float, per_second: int
) -> None:
    """Watch processes and folders; shims come and go and are left out."""
    looks: dict[tuple[str, int, int], list[Look]] = defaultdict(list)
    most_folders = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for role, processes in service.by_role().items():
            if role in VICTIMS:
                for each in processes:
                    found = Look(resident_mib(each.pid), count_descriptors(each.pid))
                    looks[role, each.pid, each.start].append(found)
        most_folders = max(most_folders, count_folders(service))
        time.sleep(LOOK_SECONDS)
    if most_folders > KEPT + KEPT_SECONDS * per_second:
        report.fail(FOLDERS, f"{most_folders} run folders")
    report.state("run folders at most", most_folders)
    for zombie in list_zombies(service):
        report.fail(ZOMBIES, zombie)
    judge(report, looks)


def judge(report: Report, looks: dict[tuple[str, int, int], list[Look]]) -> None:
    """Compare the second fifth of each process's looks with the last one."""
    growth: dict[str, float] = defaultdict(float)
    for (role, pid, _), found in looks.items():
        fifth = len(found) // 5
        if not fifth:
            continue
        early, late = found[fifth : 2 * fifth], found[-fifth:]
        more_mib = median(each.mebibytes for each in late) - median(
            each.mebibytes for each in early
        )
        more = median(each.descriptors for each in late) - median(
            each.descriptors for each in early
        )
        growth[role] = max(growth[role], more_mib)
        if more_mib > MORE_MIB:
            report.fail(GREW, f"{role} {pid}: {more_mib:.1f} MiB")
        if more > MORE_DESCRIPTORS:
            report.fail(LEAKED, f"{role} {pid}: {more}")
    for role, more_mib in growth.items():
        report.state(f"growth of a {role}, MiB", round(more_mib, 1))


def count_descriptors(pid: int) -> int:
    """Return the open descriptors of a process; 0 if it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def count_folders(service: Service) -> int:
    """Return how many folders of runs there are."""
    return sum(1 for _ in (service.data_dir / "runs").iterdir())


def list_zombies(service: Service) -> list[str]:
    """Return dead children of our processes that stay unreaped for a second."""

    def look() -> set[int]:
        ours = {each.pid for each in service.ours()}
        found = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] == b"Z" and int(fields[1]) in ours:
                found.add(int(stat.parent.name))
        return found

    before = look()
    time.sleep(1)
    return [str(pid) for pid in before & look()]


def check_fires(service: Service, report: Report) -> None:
    """Each minute has its fire, once."""
    with sqlite3.connect(service.data_dir / "runs.db", timeout=30) as connection:
        query = "SELECT fire_time FROM task_fires WHERE task_id = ? ORDER BY fire_time"
        times = [at for (at,) in connection.execute(query, (TASK["task_id"],))]
    connection.close()
    if len(set(times)) < len(times):
        report.fail(TWICE, "a minute was decided twice")
    for before, after in pairwise(times):
        if after - before != MINUTE:
            report.fail(GAPS, f"{before} to {after}")
    report.state("fires", len(times))


TEST = FaultTest(
    test_id="T20",
    title="hours of small runs while old ones are removed and parts are killed",
    run=run,
    ci={"minutes": 30, "runs_per_second": 2, "seconds_between_kills": 30},
    long={"minutes": 1440},
    seconds=2400,
)
