"""T7: another process holds the database's write lock, for moments and beyond the limit."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.faults.client import Caller
from tests.faults.jobs import Job, make_jobs
from tests.faults.oracle import Oracle
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.trial import FaultTest, Trial

MOMENT, BEYOND = "lock held for a moment", "lock held beyond the limit"
ERRORS = "5xx but 503"
TOO_EARLY = "503 although the limit was not reached"
NOT_REFUSED = "never 503 beyond the limit"
LIMIT_SECONDS = 3.0
SETTINGS = {"WEBAPI_DATABASE_WAIT": str(LIMIT_SECONDS), "WEBAPI_SLOTS": "16"}
#: Takes the write lock of the database argv[1], says so, and lets go at end of input.
_HOLD = (
    "import sqlite3, sys\n"
    "connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n"
    "connection.execute('BEGIN IMMEDIATE')\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
    "connection.execute('ROLLBACK')\n"
)


def run(trial: Trial) -> Report:
    """Submit by several callers while somebody else holds the lock now and then."""
    holds, long_holds = trial.size["holds"], trial.size["long_holds"]
    report = trial.report(
        planned={MOMENT: holds, BEYOND: long_holds},
        criteria=(ERRORS, TOO_EARLY, NOT_REFUSED),
    )
    random = trial.random()
    with running_service(trial.folder, settings=SETTINGS) as service:
        oracle = Oracle(service, report)
        with Writers(service, oracle, trial) as writers:
            hold_now_and_then(service, report, random, holds, writers)
            hold_beyond_the_limit(service, report, long_holds, writers)
        oracle.check()
    report.state("runs", len(oracle.jobs))
    return report


class Writers:
    """Callers that submit until all holds are over, ``size["runs"]`` at the least.

    Each status is judged.
    """

    def __init__(self, service: Service, oracle: Oracle, trial: Trial) -> None:
        self._service = service
        self._oracle = oracle
        self._script = service.copy_job()
        self._least = trial.size["runs"]
        self._random = trial.random()
        self._made = 0
        self._lock = threading.Lock()
        count = trial.size["writers"]
        self._threads = [threading.Thread(target=self._write) for _ in range(count)]
        #: Whether the lock is held for longer than a request may wait.
        self.is_beyond = threading.Event()
        #: Set when all holds are over: what is left is submitted without pauses.
        self.may_finish = threading.Event()
        self.refusals = 0

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_finish.set()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        with Caller(self._service.url, on_answer=self._judge) as caller:
            while (job := self._next()) is not None:
                answer = caller.submit(job.request(self._script, self._ledger))
                if answer.status_code == 202:
                    self._oracle.acknowledge(answer.json()["run_id"], job)
                else:
                    self._oracle.report.fail(ERRORS, answer.text[:200])
                self.may_finish.wait(0.2)

    def _next(self) -> Job | None:
        with self._lock:
            if self._made >= self._least and self.may_finish.is_set():
                return None
            self._made += 1
            prefix = f"job-{self._made}"
            return make_jobs(
                self._random, 1, milliseconds=(0, 100), lines=(1, 20), prefix=prefix
            )[0]

    @property
    def _ledger(self) -> Path:
        return self._oracle.ledger.path

    def _judge(self, status: int, text: str) -> None:
        report = self._oracle.report
        if status == 503 and self.is_beyond.is_set():
            self.refusals += 1
        elif status == 503:
            report.fail(TOO_EARLY, text)
        elif status >= 500:
            report.fail(ERRORS, f"{status} {text}")


@contextmanager
def held_lock(database: Path) -> Iterator[None]:
    """Hold the write lock of ``database`` by another process."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.stdin.close()


def hold_now_and_then(
    service: Service, report: Report, random: Random, holds: int, writers: Writers
) -> None:
    """Hold the lock for less than a request may wait, with gaps."""
    for _ in range(holds):
        with held_lock(service.data_dir / "runs.db"):
            time.sleep(random.uniform(0.2, 1.5))
        report.fault(MOMENT)
        writers.may_finish.wait(random.uniform(0.05, 0.2))


def hold_beyond_the_limit(
    service: Service, report: Report, holds: int, writers: Writers
) -> None:
    """Hold the lock until a writer was refused."""
    for _ in range(holds):
        refused = writers.refusals
        with held_lock(service.data_dir / "runs.db"):
            writers.is_beyond.set()
            deadline = time.monotonic() + 4 * LIMIT_SECONDS
            while writers.refusals == refused and time.monotonic() < deadline:
                time.sleep(0.05)
        report.fault(BEYOND)
        if writers.refusals == refused:
            report.fail(NOT_REFUSED, "no writer was refused")
        # A request that began while the lock was held may still be refused.
        time.sleep(LIMIT_SECONDS / 2)
        writers.is_beyond.clear()


TEST = FaultTest(
    test_id="T7",
    title="another process holds the write lock of the database",
    run=run,
    ci={"runs": 150, "writers": 4, "holds": 10, "long_holds": 1},
    long={"runs": 500, "writers": 8, "holds": 200, "long_holds": 5},
    seconds=90,
)
