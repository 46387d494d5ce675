"""T11: scripts print much more than is kept, in awkward shapes."""

import threading
from collections.abc import Mapping
from typing import Any

from scriptrunner.engine import control_file
from tests.faults.client import Caller
from tests.faults.oracle import Oracle
from tests.faults.processes import resident_mib
from tests.faults.report import CUT_LOG, WRONG_CODE, Report
from tests.faults.scripts.job import SHAPES
from tests.faults.service import JOB, Service, running_service
from tests.faults.trial import FaultTest, Trial

FLOOD = "much output"
NOT_CAPPED = "kept more or less than the cap"
MISCOUNTED = "dropped bytes miscounted"
GREW = "processes that grew by 50 MiB"
CAP_BYTES = 16 << 20
GROWTH_MIB = 50.0
SETTINGS = {"WEBAPI_MAX_OUTPUT": str(CAP_BYTES), "WEBAPI_SLOTS": "4"}
#: Seconds for all floods.
FLOOD_SECONDS = 120.0


def run(trial: Trial) -> Report:
    """Run all shapes at once, several times, and read along."""
    rounds, mebibytes = trial.size["rounds"], trial.size["mebibytes"]
    report = trial.report(
        planned={FLOOD: rounds * len(SHAPES)}, criteria=(NOT_CAPPED, MISCOUNTED, GREW)
    )
    with running_service(trial.folder, workers=1, settings=SETTINGS) as service:
        service.copy_job()
        service.copy_job("flood.py", JOB.with_name("flood.py"))
        with Caller(service.url) as caller, MemoryWatch(service, report):
            for number in range(rounds):
                flood(service, caller, report, number, mebibytes)
        Oracle(service, report).check_orphans()
    return report


def flood(
    service: Service, caller: Caller, report: Report, number: int, mebibytes: int
) -> None:
    """Run one script per shape at once and check what is kept of each."""
    oracle = Oracle(service, report, ledger=f"ledger-{number}.txt")
    ids = {}
    for shape in SHAPES:
        args = [str(oracle.ledger.path), f"{shape}-{number}", shape, str(mebibytes)]
        args[1] = args[1].replace(" ", "-")
        fields = {"script_path": str(service.root / "flood.py"), "args": args}
        ids[shape] = caller.submit(fields).json()["run_id"]
    for shape, run_id in ids.items():
        read_tail(caller, run_id)
        record = oracle.wait_over(caller, run_id, seconds=FLOOD_SECONDS)
        check_output(service, caller, report, record, shape, mebibytes << 20)
        report.fault(FLOOD)


def read_tail(caller: Caller, run_id: str) -> None:
    """Look at the last 64 KiB, as somebody who watches would."""
    caller.ask(
        "GET",
        f"/api/runs/{run_id}/logs",
        params={"stream": "stdout"},
        headers={"Range": "bytes=-65536"},
    )


def check_output(
    service: Service,
    caller: Caller,
    report: Report,
    record: Mapping[str, Any],
    shape: str,
    written: int,
) -> None:
    """The head is kept to the byte, the rest is counted to the byte."""
    run_id = record["id"]
    if (record["status"], record["exit_code"]) != ("completed", 0):
        report.fail(WRONG_CODE, f"{shape}: {record['status']} {record['error']}")
    answer = caller.ask("GET", f"/api/runs/{run_id}/logs", params={"stream": "stdout"})
    if answer.content != head_of(shape):
        report.fail(CUT_LOG, f"{shape}: {len(answer.content)} bytes, or others")
    if answer.headers["X-Output-Truncated"] != "true":
        report.fail(CUT_LOG, f"{shape}: not marked as truncated")
    size = (service.run_dir(run_id) / "a1.out").stat().st_size
    if size != CAP_BYTES:
        report.fail(NOT_CAPPED, f"{shape}: {size} bytes on disk")
    control = control_file.read(control_file.path_of(str(service.run_dir(run_id)), 1))
    assert control is not None
    assert control.end is not None
    found = control.end["out_bytes"], control.end["out_dropped"]
    if found != (written, written - CAP_BYTES):
        report.fail(MISCOUNTED, f"{shape}: {found} of {written}")


def head_of(shape: str) -> bytes:
    """Return the first bytes of a flood, as many as are kept."""
    return SHAPES[shape] * (CAP_BYTES // len(SHAPES[shape]))


class MemoryWatch:
    """Watches the memory of our own processes while it is entered."""

    def __init__(self, service: Service, report: Report) -> None:
        self._service = service
        self._report = report
        self._first: dict[int, float] = {}
        self._growth: dict[int, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch_on, name="memory-watch")

    def _watch_on(self) -> None:
        while not self._stopped.wait(0.1):
            self._look()

    def _look(self) -> None:
        for process in self._service.ours():
            now = resident_mib(process.pid)
            first = self._first.setdefault(process.pid, now)
            growth = max(self._growth.get(process.pid, 0.0), now - first)
            self._growth[process.pid] = growth

    def __enter__(self) -> None:
        self._look()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._report.state("largest growth, MiB", round(max(self._growth.values()), 1))
        for pid, growth in self._growth.items():
            if growth >= GROWTH_MIB:
                self._report.fail(GREW, f"{pid}: {growth:.0f} MiB")


TEST = FaultTest(
    test_id="T11",
    title="much more output than is kept, in awkward shapes",
    run=run,
    ci={"rounds": 1, "mebibytes": 100},
    long={"rounds": 5, "mebibytes": 1024},
    seconds=120,
)
