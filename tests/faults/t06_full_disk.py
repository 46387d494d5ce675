"""T6: the data disk is full, and has room again."""

import contextlib
import sqlite3
import threading
import time
from functools import partial
from pathlib import Path

from scriptrunner.engine import control_file
from scriptrunner.fault_points import WRITES
from tests.faults.client import Caller
from tests.faults.jobs import Job
from tests.faults.load import BAD_ANSWERS, Submitters, note_answer
from tests.faults.oracle import Oracle
from tests.faults.processes import SHIM
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.small_disk import MIB, fill, small_disk
from tests.faults.t03_points import LOST_TOO_MANY as LOST
from tests.faults.t03_points import Case, Fault, run_case
from tests.faults.t04_restarts import start_all
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

FULL = "disk full"
NOT_REFUSED = "accepted although full"
NO_RECORD = "exit record missing"
DAMAGED = "database damaged"
RESTARTED = "processes that had to be restarted"
NOT_ANSWERED = "not answered while full"
CRITERIA = (
    NOT_REFUSED,
    NO_RECORD,
    DAMAGED,
    RESTARTED,
    NOT_ANSWERED,
    BAD_ANSWERS,
    LOST,
)
DISK_BYTES = 16 * MIB
#: What a run leaves behind, files and rows; without room for all of them the disk would
#: rightly stay full.
RUN_BYTES = 32 << 10
SETTINGS = {
    "WEBAPI_DISK_MARGIN": str(4 * MIB),
    "WEBAPI_BALLAST": str(2 * MIB),
    "WEBAPI_SLOTS": "8",
}
RUN_MILLISECONDS = 2500
#: Seconds for which the disk stays full after the scripts' ends.
FULL_SECONDS = 4.0
#: Seconds between two looks whether somebody has freed something.
REFILL_SECONDS = 0.05


def run(trial: Trial) -> Report:
    """Fill the disk under running scripts, ``cycles`` times."""
    report = trial.report(planned={FULL: trial.size["cycles"]}, criteria=CRITERIA)
    runs = trial.size["cycles"] * trial.size["runs"]
    size_bytes = DISK_BYTES + runs * RUN_BYTES
    with small_disk(trial.folder / "disk", size_bytes) as disk:
        if disk is None:
            report.state("disk", "no right to mount: ENOSPC by fault points")
            faults = tuple(Fault(each, "enospc") for each in sorted(WRITES))
            run_case(trial.folder, report, Case("no space", faults))
            report.fault(FULL, report.done["enospc"] // len(faults))
            return report
        report.state("disk", "tmpfs of our own" if disk.prefix else "tmpfs")
        with running_service(
            trial.folder,
            workers=1,
            settings=SETTINGS,
            data_dir=disk.path,
            prefix=disk.prefix,
        ) as service:
            service.data_dir = disk.view(service.pid)
            for number in range(trial.size["cycles"]):
                cycle(service, report, trial.size["runs"], number)
    return report


def cycle(service: Service, report: Report, runs: int, number: int) -> None:
    """Scripts begin, the disk fills, scripts end, the disk has room, all is recorded.

    More runs than slots: some would be claimed while the disk is full.
    """
    oracle = Oracle(service, report, ledger=f"ledger-{number}.txt")
    slots = int(SETTINGS["WEBAPI_SLOTS"])
    jobs = [
        Job(
            f"full-{number}-{n}",
            exit_code=n % 4,
            milliseconds=RUN_MILLISECONDS,
            lines=0,
        )
        for n in range(runs)
    ]
    start_all(service, oracle, jobs[:slots])
    Submitters(oracle, service.copy_job(), jobs[slots:]).run()
    before = service_pids(service)
    with Filler(service.data_dir / "filler"):
        report.fault(FULL)
        refuse(service, report)
        wait_for(
            lambda: len(oracle.ledger.ends()) >= slots, seconds=30, what="their ends"
        )
        check_records(service, oracle, report)
        answer_while_full(service, oracle, report)
        time.sleep(FULL_SECONDS)
    after = Oracle(service, report, ledger=f"after-{number}.txt")
    start_all(service, after, [Job(f"room-{number}")])
    oracle.check(settle_seconds=30 + runs * RUN_MILLISECONDS / 1000 / slots)
    after.check()
    if service_pids(service) != before:
        report.fail(RESTARTED, f"{before} became {service_pids(service)}")
    check_database(service.data_dir / "runs.db", report)


class Filler:
    """Keeps the disk full for as long as it is entered, whoever frees what."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._fill_on, name="filler")

    def _fill_on(self) -> None:
        while not self._stopped.wait(REFILL_SECONDS):
            fill(self._path)

    def __enter__(self) -> None:
        fill(self._path)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._path.unlink()


def refuse(service: Service, report: Report) -> None:
    """No new run is accepted while the disk is full."""
    job = Job("refused").request(service.copy_job(), Path("/nowhere"))
    with Caller(service.url, later=frozenset()) as caller:
        answer = caller.once("POST", "/api/run", json=job)
    if answer.status_code != 507 or answer.json()["code"] != "disk_full":
        report.fail(NOT_REFUSED, f"{answer.status_code} {answer.text[:200]}")


def check_records(service: Service, oracle: Oracle, report: Report) -> None:
    """Every script that ended has its exit record, whether the row knows or not."""
    ended = {note.run_id for note in oracle.ledger.read() if note.mark == "end"}
    for run_id in ended & set(oracle.jobs):
        path = control_file.path_of(str(service.run_dir(run_id)), 1)
        with contextlib.suppress(AssertionError):
            wait_for(partial(_has_end, path), seconds=5)
        if not _has_end(path):
            report.fail(NO_RECORD, run_id)


def _has_end(path: str) -> bool:
    record = control_file.read(path)
    return record is not None and record.end is not None


def answer_while_full(service: Service, oracle: Oracle, report: Report) -> None:
    """Everything but new runs works."""
    run_id = next(iter(oracle.jobs))
    paths = ("/api/health", "/api/runs", "/api/system/status", "/api/stats")
    with Caller(service.url, later=frozenset()) as caller:
        for path in (*paths, f"/api/runs/{run_id}", f"/api/runs/{run_id}/logs"):
            started = time.monotonic()
            answer = caller.once("GET", path)
            if answer.status_code != 200:
                report.fail(NOT_ANSWERED, f"{path}: {answer.status_code}")
            if time.monotonic() - started > 10:
                report.fail(NOT_ANSWERED, f"{path}: slow")
        status = caller.once("GET", "/api/system/status").json()
    if status["disk"]["accepting_runs"]:
        note_answer(report, 200, "the status says that runs are accepted")


def service_pids(service: Service) -> list[int]:
    """Return the processes of the service that are there to stay."""
    roles = service.by_role()
    return sorted(
        each.pid for each in service.ours() if each not in roles.get(SHIM, ())
    )


def check_database(path: Path, report: Report) -> None:
    """Count a database whose own check finds fault."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchall()
    if answer != [("ok",)]:
        report.fail(DAMAGED, str(answer)[:300])


TEST = FaultTest(
    test_id="T6",
    title="the data disk is full, and has room again",
    run=run,
    ci={"cycles": 1, "runs": 15},
    long={"cycles": 20, "runs": 100},
    seconds=90,
)
