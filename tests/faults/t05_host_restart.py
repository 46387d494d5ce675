"""T5: the machine or the container was restarted: what ran is over and never run again."""

import os
import sqlite3
from collections.abc import Sequence

from scriptrunner.engine import control_file
from tests.faults.client import Caller
from tests.faults.jobs import Job, make_jobs
from tests.faults.oracle import Oracle, Record
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.t04_restarts import start_all
from tests.faults.trial import FaultTest, Trial

OTHER_BOOT, OTHER_INIT = "other boot id", "other start time of PID 1"
WRONG_END = "not ended as host_restart"
SETTINGS = {"WEBAPI_SLOTS": "64"}


def run(trial: Trial) -> Report:
    """Kill everything, pretend another boot, start again."""
    count = trial.size["runs"]
    report = trial.report(
        planned={OTHER_BOOT: count - count // 2, OTHER_INIT: count // 2},
        criteria=(WRONG_END,),
    )
    jobs = make_jobs(trial.random(), count, milliseconds=(60_000, 60_000))
    with running_service(trial.folder, workers=1, settings=SETTINGS) as service:
        oracle = Oracle(service, report, may_be_lost=_is_host_restart)
        start_all(service, oracle, jobs)
        service.kill_all()
        ids = list(oracle.jobs)
        pretend_other_boot(service, ids[::2])
        report.fault(OTHER_BOOT, len(ids[::2]))
        for run_id in ids[1::2]:
            pretend_other_init(service, run_id)
            report.fault(OTHER_INIT)
        service.start()
        _submit_after(service, oracle, Job(tag="after"))
        oracle.check()
        check_ends(service, report, ids)
    return report


def _is_host_restart(record: Record) -> bool:
    return bool(record["reason"] == "host_restart")


def pretend_other_boot(service: Service, run_ids: Sequence[str]) -> None:
    """Say in the rows that the runs were claimed before the machine was started."""
    with sqlite3.connect(service.data_dir / "runs.db") as connection:
        connection.executemany(
            "UPDATE runs SET boot_id = 'an-earlier-boot' WHERE id = ?",
            [(run_id,) for run_id in run_ids],
        )
    connection.close()


def pretend_other_init(service: Service, run_id: str) -> None:
    """Say in the control file that its shim lived under another PID 1."""
    path = control_file.path_of(str(service.run_dir(run_id)), 1)
    record = control_file.read(path)
    assert record is not None
    assert record.identity is not None
    identity = {**record.identity, "init_start": record.identity["init_start"] + 1}
    descriptor = os.open(path, os.O_RDWR)
    try:
        control_file.write_slot(descriptor, control_file.IDENTITY, identity)
    finally:
        os.close(descriptor)


def _submit_after(service: Service, oracle: Oracle, job: Job) -> None:
    """A new run goes through as if nothing had been."""
    with Caller(service.url) as caller:
        request = job.request(service.copy_job(), oracle.ledger.path)
        oracle.acknowledge(caller.submit(request).json()["run_id"], job)


def check_ends(service: Service, report: Report, run_ids: Sequence[str]) -> None:
    """Each is failed, killed, host_restart, with its one attempt."""
    with Caller(service.url) as caller:
        for run_id in run_ids:
            record = caller.get_json(f"/api/runs/{run_id}")
            found = tuple(record[key] for key in ("status", "run_status", "reason"))
            if found != ("failed", "killed", "host_restart"):
                report.fail(WRONG_END, f"{run_id}: {found}")
            elif len(record["attempts"]) != 1:
                report.fail(WRONG_END, f"{run_id}: {len(record['attempts'])} attempts")


TEST = FaultTest(
    test_id="T5",
    title="another boot of the machine, another start of the container",
    run=run,
    ci={"runs": 5},
    long={"runs": 50},
    seconds=60,
)
