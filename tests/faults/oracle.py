"""The oracle: compares what the service says with what the scripts themselves wrote.

The scripts' ledger, the process table and the plan of the test are the truth; the service
is only asked for what is compared with them.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.faults import report as names
from tests.faults.client import Caller
from tests.faults.jobs import Job
from tests.faults.ledger import Ledger
from tests.faults.processes import ROLES
from tests.faults.report import Report
from tests.faults.service import Service
from tests.faults.transitions import TERMINAL, find_faults

#: Seconds after the last fault in which every run must come to its end.
SETTLE_SECONDS = 30.0
#: Seconds in which the strays of a killed shim must be gone.
STRAY_SECONDS = 5.0

Record = Mapping[str, Any]


class Oracle:
    """Knows what was acknowledged, and checks all of it at the end.

    Args:
        service: The service under test.
        report: Where failures are counted.
        may_be_lost: Says whether the end in this record is excusable by the faults that
            were done; such runs are listed in ``lost``. None: nothing may be lost.
        ledger: Name of the ledger; each oracle of a service needs one of its own.
    """

    def __init__(
        self,
        service: Service,
        report: Report,
        *,
        may_be_lost: Callable[[Record], bool] | None = None,
        ledger: str = "ledger.txt",
    ) -> None:
        self.service = service
        self.report = report
        self.ledger = Ledger(Path(service.folder) / ledger)
        self.jobs: dict[str, Job] = {}
        self.lost: list[str] = []
        self._forgotten: dict[str, Job] = {}
        self._may_be_lost = may_be_lost

    def acknowledge(self, run_id: str, job: Job) -> None:
        """Note that the service has accepted a run."""
        self.jobs[run_id] = job

    def forget(self, run_id: str) -> None:
        """Do not expect this run any more: it is being deleted, or its files are damaged.

        Its script must not begin twice all the same.
        """
        self._forgotten[run_id] = self.jobs.pop(run_id)

    @property
    def forgotten(self) -> list[str]:
        """Ids of the runs that were forgotten."""
        return list(self._forgotten)

    def wait_over(
        self, caller: Caller, run_id: str, *, seconds: float = SETTLE_SECONDS
    ) -> Record:
        """Return the record of a run that is over; count it as stuck otherwise."""
        answer = _wait_one(caller, run_id, time.monotonic() + seconds)
        record: Record = answer.json()
        if answer.status_code == 200 and record["status"] not in TERMINAL:
            self.report.fail(names.STUCK, f"{run_id}: {record['phase']}")
        return record

    def settle(self, caller: Caller, run_id: str) -> None:
        """Check one run now, and do not expect it any more: it may be removed."""
        deadline = time.monotonic() + SETTLE_SECONDS
        records = self._wait_all(caller, [run_id], deadline)
        for record in records.values():
            self._check_run(caller, self.jobs[run_id], record)
        self.forget(run_id)

    # The end

    def check(self, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        """Wait for all runs, then count everything that is not as it must be."""
        with Caller(self.service.url) as caller:
            records = self.wait_terminal(caller, settle_seconds)
            for run_id, record in records.items():
                self._check_run(caller, self.jobs[run_id], record)
        self.check_starts()
        self.check_orphans()

    def wait_terminal(self, caller: Caller, seconds: float) -> dict[str, Record]:
        """Return the records of all runs, terminal or not, once no more time is left."""
        return self._wait_all(caller, list(self.jobs), time.monotonic() + seconds)

    def _wait_all(
        self, caller: Caller, run_ids: Sequence[str], deadline: float
    ) -> dict[str, Record]:
        records: dict[str, Record] = {}
        for run_id in run_ids:
            answer = _wait_one(caller, run_id, deadline)
            if answer.status_code == 200:
                records[run_id] = answer.json()
            else:
                text = f"{run_id} {self.jobs[run_id].tag}: "
                text += f"{answer.status_code} {answer.text[:200]}"
                self.report.fail(names.MISSING, text)
        return records

    def _check_run(self, caller: Caller, job: Job, record: Record) -> None:
        run_id, status = record["id"], record["status"]
        events = caller.get_json(f"/api/runs/{run_id}/events")
        for fault in find_faults(events, status):
            self.report.fail(names.ILLEGAL, f"{run_id}: {fault}")
        if status not in TERMINAL:
            self.report.fail(names.STUCK, f"{run_id} {job.tag}: {record['phase']}")
        elif self._is_excused(record):
            self.lost.append(run_id)
        else:
            self._check_end(job, record)
            self._check_attempts(job, record)
            if record["status"] != "cancelled":
                self._check_log(caller, job, record)

    def _is_excused(self, record: Record) -> bool:
        return self._may_be_lost is not None and self._may_be_lost(record)

    def _check_end(self, job: Job, record: Record) -> None:
        if job.is_ordered and record["status"] == "cancelled":
            return
        good = job.exit_code == 0
        due = (
            "completed" if good else "failed",
            "success" if good else "failed",
            job.exit_code,
            None if good else "exit_code",
        )
        keys = ("status", "run_status", "exit_code", "reason")
        found = tuple(record[key] for key in keys)
        if found != due:
            text = f"{record['id']} {job.tag}: {found} instead of {due}"
            self.report.fail(names.WRONG_CODE, text)

    def _check_attempts(self, job: Job, record: Record) -> None:
        """The record tells of as many attempts as there were."""
        made = len(record["attempts"])
        if made != job.attempts and not job.is_ordered:
            text = f"{record['id']} {job.tag}: {made} attempts, not {job.attempts}"
            self.report.fail(names.ILLEGAL, text)

    def _check_log(self, caller: Caller, job: Job, record: Record) -> None:
        answer = caller.ask("GET", f"/api/runs/{record['id']}/logs")
        due = job.log
        if answer.text != due:
            text = (
                f"{record['id']} {job.tag}: {len(answer.text)} of {len(due)} characters"
            )
            self.report.fail(names.CUT_LOG, text)
        elif answer.headers["X-Log-Complete"] != "true":
            self.report.fail(names.CUT_LOG, f"{record['id']}: not marked as complete")

    def check_starts(self) -> None:
        """Count scripts that began more than once, by tag and by attempt.

        A tag is a submission, so this also finds one submission that became two runs.
        """
        known = {**self._forgotten, **self.jobs}
        allowed = {each.tag: each.runs * each.attempts for each in known.values()}
        for tag, count in self.ledger.begins().items():
            if count > allowed.get(tag, 1):
                self.report.fail(names.TWICE, f"{tag} began {count} times")
        for run_id, attempt in self.ledger.repeated():
            self.report.fail(names.TWICE, f"{run_id} attempt {attempt}")

    def check_quiet(self) -> None:
        """End the web server: all of the service has to go, and nothing may be left."""
        self.service.let_end()
        self.service.terminate()
        with suppress(AssertionError):
            self.service.wait_gone(*ROLES)
        for process in self.service.ours():
            text = f"{process.pid} {' '.join(process.command)[:160]}"
            self.report.fail(names.ORPHANS, text)

    def check_orphans(self, *, seconds: float = STRAY_SECONDS) -> None:
        """Count script processes that live although every run is over."""
        deadline = time.monotonic() + seconds
        left = self.service.scripts()
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = self.service.scripts()
        for process in left:
            text = f"{process.pid} {' '.join(process.command)[:160]}"
            self.report.fail(names.ORPHANS, text)


def _wait_one(caller: Caller, run_id: str, deadline: float) -> httpx.Response:
    """Return the answer about a run once it is over or there is no more time.

    A worker that ends answers before the time has passed.
    """
    while True:
        wait = max(0.0, min(20.0, deadline - time.monotonic()))
        answer = caller.ask("GET", f"/api/runs/{run_id}", params={"wait": wait})
        if answer.status_code != 200 or answer.json()["status"] in TERMINAL:
            return answer
        if time.monotonic() >= deadline:
            return answer
