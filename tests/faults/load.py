"""Callers that submit jobs, several at once, in step with something else."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.client import Caller
from tests.faults.jobs import Job
from tests.faults.oracle import Oracle
from tests.faults.report import Report

#: Counter of answers that no caller should get.
BAD_ANSWERS = "unexpected answers"
#: How far the submissions may run ahead of ``progress``, as a part of all.
AHEAD = 0.05
#: Seconds after which a submission is sent all the same: what makes the progress may need it.
WAIT_SECONDS = 2.0


class Submitters:
    """Threads that submit ``jobs``; each 202 is told to the oracle.

    Args:
        oracle: Learns of every accepted run.
        script: The job's script below the allowed root.
        jobs: What to submit, in this order.
        threads: How many callers.
        progress: 0..1; submissions do not run far ahead of it while it moves.
    """

    def __init__(
        self,
        oracle: Oracle,
        script: Path,
        jobs: Sequence[Job],
        *,
        threads: int = 4,
        progress: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._oracle = oracle
        self._script = script
        self._jobs = list(enumerate(jobs))[::-1]
        self._total = len(jobs)
        self._progress = progress
        #: By run: seconds (monotonic) when it was asked for, and when that was answered.
        self.moments: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(threads)]

    def run(self) -> None:
        """Submit everything and return when all is answered."""
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with Caller(self._oracle.service.url) as caller:
            while (job := self._next()) is not None:
                self._submit(caller, job)

    def _next(self) -> Job | None:
        with self._lock:
            if not self._jobs:
                return None
            number, job = self._jobs.pop()
        latest = time.monotonic() + WAIT_SECONDS
        while (
            number / self._total > self._progress() + AHEAD
            and time.monotonic() < latest
        ):
            time.sleep(0.01)
        return job

    def _submit(self, caller: Caller, job: Job) -> None:
        oracle = self._oracle
        asked = time.monotonic()
        answer = caller.submit(job.request(self._script, oracle.ledger.path))
        if answer.status_code == 202:
            run_id = answer.json()["run_id"]
            self.moments[run_id] = (asked, time.monotonic())
            oracle.acknowledge(run_id, job)
        else:
            note_answer(oracle.report, answer.status_code, answer.text)


def note_answer(report: Report, status: int, text: str) -> None:
    """Count an answer that should not have come."""
    report.fail(BAD_ANSWERS, f"{status} {text[:200]}")
