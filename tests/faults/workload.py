"""A bit of everything that callers do: submit, upload, stop, kill, restart, delete."""

from pathlib import Path
from typing import Any

from tests.faults.client import PATIENCE_SECONDS, Caller
from tests.faults.jobs import Job
from tests.faults.oracle import Oracle
from tests.faults.report import ILLEGAL

#: Answers to an order whose first try may have got through unheard.
ORDER_ANSWERS = frozenset({200, 202, 409})
#: How long a job runs that somebody is going to end, in milliseconds: longer than the
#: oracle waits, so that an order that is not carried out is found as a stuck run.
LONG = 120_000


class Workload:
    """Rounds of mixed requests; whatever is accepted becomes known to the oracle.

    Args:
        oracle: Learns what must be there in the end.
        script: ``job.py`` below the allowed root.
        caller: Repeats what was not answered.
    """

    def __init__(self, oracle: Oracle, script: Path, caller: Caller) -> None:
        self._oracle = oracle
        self._script = script
        self._caller = caller
        self._count = 0

    def round(self) -> None:
        """Do everything once."""
        plain = [self.submit(exit_code=code, milliseconds=60) for code in (0, 3)]
        self.submit(options={"env_vars": {"API_TOKEN": "not-for-the-database"}})
        self.submit(options={"junit_output": "r.xml", "save_baseline": "b.json"})
        self.upload()
        stopped, killed, replaced = (self._submit_long() for _ in range(3))
        self.order(stopped, "stop")
        self.order(killed, "kill")
        self.restart(replaced)
        self.delete(plain[0])

    def submit(self, **fields: Any) -> str:
        """Submit a short job and return its id."""
        return self._send(self._make_job(**fields), upload=False)

    def upload(self, **fields: Any) -> str:
        """Upload the script instead of naming it."""
        return self._send(self._make_job(**fields), upload=True)

    def _submit_long(self) -> str:
        job = self._make_job(milliseconds=LONG, is_ordered=True)
        return self._send(job, upload=False)

    def _make_job(self, **fields: Any) -> Job:
        self._count += 1
        return Job(tag=f"mixed-{self._count}", **fields)

    def _send(self, job: Job, *, upload: bool) -> str:
        request = job.request(self._script, self._oracle.ledger.path)
        if upload:
            answer = self._caller.upload(request, self._script)
        else:
            answer = self._caller.submit(request)
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        self._oracle.acknowledge(run_id, job)
        return run_id

    def order(self, run_id: str, kind: str) -> None:
        """Stop or kill a run; repeated, the order is refused, and stands."""
        grace = {} if kind == "kill" else {"grace": 0.5}
        answer = self._caller.ask("POST", f"/api/runs/{run_id}/{kind}", params=grace)
        self._expect(answer.status_code, ORDER_ANSWERS, f"{kind}: {answer.text}")

    def restart(self, run_id: str) -> None:
        """Restart a run under way, and end the new one: it would take as long."""
        path = f"/api/runs/{run_id}/restart"
        answer = self._caller.post_once(path)
        self._expect(answer.status_code, {202}, f"restart: {answer.text}")
        new: str = answer.json()["run_id"]
        self._oracle.acknowledge(new, self._oracle.jobs[run_id].again())
        self.order(new, "stop")

    def delete(self, run_id: str) -> None:
        """Delete a run once it is over; the oracle must not miss it then."""
        self._oracle.forget(run_id)
        self._oracle.wait_over(self._caller, run_id, seconds=PATIENCE_SECONDS)
        answer = self._caller.ask("DELETE", f"/api/runs/{run_id}")
        self._expect(answer.status_code, {200, 404}, f"delete: {answer.text}")

    def _expect(
        self, status: int, expected: frozenset[int] | set[int], text: str
    ) -> None:
        if status not in expected:
            self._oracle.report.fail(ILLEGAL, f"{status} {text[:200]}")
