"""T9: after a power cut the tails of WAL, control and output files are cut or garbage."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from scriptrunner.engine import control_file
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from tests.faults.client import Caller
from tests.faults.jobs import Job, make_jobs
from tests.faults.load import Submitters
from tests.faults.oracle import Oracle, Record
from tests.faults.report import CUT_LOG, STUCK, Report
from tests.faults.service import Service, running_service
from tests.faults.t04_restarts import start_all
from tests.faults.t05_host_restart import pretend_other_boot
from tests.faults.transitions import TERMINAL
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

WAL, CONTROL, OUTPUT = "WAL damaged", "control file damaged", "output damaged"
GONE = "folder of a run removed"
NOT_OPENED = "database not opened"
NO_PREFIX = "state that never was"
CRITERIA = (NOT_OPENED, NO_PREFIX)
SETTINGS = {"WEBAPI_SLOTS": "6"}
#: What the disk is expected to have kept of a control file: that the spawn record was
#: begun. Without it, and without durability, a script may be started again.
SPARED_BYTES = control_file.SLOT_BYTES + len(control_file.MAGIC)
#: Runs of which files are damaged, in each life of the service.
DAMAGED_RUNS = 6


@dataclass(frozen=True, slots=True)
class History:
    """What the record said at one moment: runs in order, and the events of each."""

    events: Mapping[str, Sequence[tuple[int, str, int]]]

    def faults_of(self, order: Sequence[str], whole: "History") -> list[str]:
        """Return why this cannot have been an earlier moment of ``whole``."""
        faults = []
        if list(order[: len(self.events)]) != list(self.events):
            faults.append(f"{len(self.events)} runs, but not the first ones")
        for run_id, events in self.events.items():
            if events != whole.events.get(run_id, [])[: len(events)]:
                faults.append(f"{run_id}: other events than there were")
        return faults


def run(trial: Trial) -> Report:
    """Damage copies of one database, then whole data folders under a new service."""
    random = trial.random()
    trials, lives = trial.size["trials"], trial.size["lives"]
    planned = {
        WAL: trials,
        CONTROL: lives * DAMAGED_RUNS,
        OUTPUT: lives * DAMAGED_RUNS,
        GONE: lives,
    }
    report = trial.report(planned=planned, criteria=CRITERIA)
    for number in range(lives):
        live_on(trial.folder / f"life-{number}", report, random, trials // lives)
    return report


def live_on(folder: Path, report: Report, random: Random, trials: int) -> None:
    """One service: work, power cut, damage, and a new service on what is left."""
    jobs = make_jobs(random, 14, milliseconds=(0, 900), lines=(1, 300))
    running = Job("running", milliseconds=60_000)
    with running_service(folder, workers=1, settings=SETTINGS) as service:
        oracle = Oracle(service, report, may_be_lost=_is_damage)
        # One caller: then the order of the answers is that of the commits.
        Submitters(oracle, service.copy_job(), jobs, threads=1).run()
        with Caller(service.url) as caller:
            oracle.wait_over(caller, list(oracle.jobs)[len(jobs) // 2])
        start_all(service, oracle, [running])
        wait_recorded(service, list(oracle.jobs)[-1])
        service.kill_all()
        damage_copies(service, oracle, report, random, trials)
        remove_folder(service, oracle, report)
        damage_folder(service, oracle, report, random)
        service.start()
        check_life(service, oracle, report)


def _is_damage(record: Record) -> bool:
    return record["reason"] in {"lost", "host_restart"}


# The database


def damage_copies(
    service: Service, oracle: Oracle, report: Report, random: Random, trials: int
) -> None:
    """Cut or garble the WAL of copies; each must open as an earlier moment."""
    order = list(oracle.jobs)
    whole = read_history(_copy_database(service, service.folder / "whole"))
    for number in range(trials):
        place = _copy_database(service, service.folder / f"copy-{number}")
        wal = place.with_name(place.name + "-wal")
        how = damage(wal, random, first=0)
        report.fault(WAL)
        try:
            found = read_history(place)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
            report.fail(NOT_OPENED, f"{how}: {error!r}")
            continue
        for fault in found.faults_of(order, whole):
            report.fail(NO_PREFIX, f"{how}: {fault}")
        shutil.rmtree(place.parent)


def _copy_database(service: Service, folder: Path) -> Path:
    folder.mkdir()
    for name in ("runs.db", "runs.db-wal"):
        shutil.copy(service.data_dir / name, folder / name)
    return folder / "runs.db"


def read_history(path: Path) -> History:
    """Open a database as the service does and return what it tells.

    Raises:
        AssertionError: If SQLite finds it damaged.
    """
    database = Database(f"sqlite:///{path}")
    try:
        migrate(database)
        with database.read() as connection:
            check = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            assert check == "ok", check
            ids = connection.exec_driver_sql("SELECT id FROM runs ORDER BY queued_at")
            events: dict[str, list[tuple[int, str, int]]] = {row[0]: [] for row in ids}
            rows = connection.exec_driver_sql(
                "SELECT run_id, seq, event_type, timestamp FROM run_events"
                " ORDER BY run_id, seq"
            )
            for run_id, *event in rows:
                events[run_id].append((event[0], event[1], event[2]))
        return History(events)
    finally:
        database.close()


def damage(path: Path, random: Random, *, first: int) -> str:
    """Cut a file, or overwrite some of it, behind ``first``; return what was done."""
    size = path.stat().st_size
    offset = random.randint(min(first, size), size)
    if random.random() < 0.5:
        with path.open("r+b") as file:
            file.truncate(offset)
        return f"cut at {offset} of {size}"
    length = min(size - offset, random.randint(1, 8192))
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(random.randbytes(length))
    return f"{length} garbled bytes at {offset} of {size}"


# The data folder


def damage_folder(
    service: Service, oracle: Oracle, report: Report, random: Random
) -> None:
    """Damage files of some runs, and pretend another boot for some of them."""
    begun = [
        run_id for run_id in oracle.jobs if list(service.run_dir(run_id).glob("*.ctl"))
    ]
    chosen = random.sample(begun, min(DAMAGED_RUNS, len(begun)))
    for run_id in chosen:
        for path in service.run_dir(run_id).glob("*.ctl"):
            damage(path, random, first=SPARED_BYTES)
        report.fault(CONTROL)
        for path in service.run_dir(run_id).glob("*.out"):
            damage(path, random, first=0)
        report.fault(OUTPUT)
    pretend_other_boot(service, chosen[::2])
    for run_id in chosen:
        oracle.forget(run_id)


def wait_recorded(service: Service, run_id: str) -> None:
    """Wait until the record says that a run is running."""
    path = f"/api/runs/{run_id}"
    wait_for(
        lambda: service.client.get(path).json()["phase"] == "running",
        seconds=20,
        what="a recorded start",
    )


def remove_folder(service: Service, oracle: Oracle, report: Report) -> None:
    """Remove all that is known of a running script but its row: it must not run again."""
    run_id = list(oracle.jobs)[-1]
    shutil.rmtree(service.run_dir(run_id))
    oracle.forget(run_id)
    report.fault(GONE)


def check_life(service: Service, oracle: Oracle, report: Report) -> None:
    """Undamaged runs are as they must be; damaged ones are over and can be read."""
    oracle.check()
    with Caller(service.url) as caller:
        for run_id in oracle.forgotten:
            record = oracle.wait_over(caller, run_id)
            if record["status"] in TERMINAL:
                check_readable(caller, report, run_id)


def check_readable(caller: Caller, report: Report, run_id: str) -> None:
    """Log and stream of a damaged run come to an end."""
    answer = caller.ask("GET", f"/api/runs/{run_id}/logs")
    if answer.status_code != 200:
        report.fail(CUT_LOG, f"{run_id}: log answers {answer.status_code}")
    stream = caller.ask("GET", f"/api/runs/{run_id}/logs/stream")
    if "event: end" not in stream.text:
        report.fail(STUCK, f"{run_id}: stream without an end")


TEST = FaultTest(
    test_id="T9",
    title="cut or garbled tails of WAL, control and output files",
    run=run,
    ci={"trials": 40, "lives": 2},
    long={"trials": 500, "lives": 25},
    seconds=90,
)
