"""T3: every named fault point once: SIGKILL there; ENOSPC and EIO where it writes."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scriptrunner.fault_points import POINTS, WRITES
from tests.faults.client import LATER, Caller
from tests.faults.oracle import Oracle, Record
from tests.faults.points import ALONE, LOSING, NEEDS, ONCE, part_of
from tests.faults.processes import SHIM, SUPERVISOR, WORKER, ZYGOTE
from tests.faults.report import Report
from tests.faults.service import Service
from tests.faults.trial import FaultTest, Trial
from tests.faults.workload import Workload

LOST_TOO_MANY = "lost without a fault for it"
#: Seconds of work in which a group of faults has to be met.
MEET_SECONDS = 40.0
#: Cases side by side; most of the time each waits for a process to come back.
LANES = 3
#: Answers while the disk fails; the caller comes again with the same key.
WHILE_FAILING = LATER | {500, 507}


@dataclass(frozen=True, slots=True)
class Fault:
    """One strike: where, at which time, how."""

    point: str
    kind: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.point}:{self.nth}:{self.kind}"

    @property
    def may_lose(self) -> bool:
        """Whether a run may be lost by it."""
        return (self.kind == "kill" and self.point in LOSING) or self.kind == "eio"


@dataclass(frozen=True, slots=True)
class Case:
    """Faults that strike in one life of a service, one after the other."""

    name: str
    faults: tuple[Fault, ...]
    workers: int = 1


def run(trial: Trial) -> Report:
    """Do all cases, several side by side."""
    cases = list(make_cases(trial.size["occurrences"]))
    planned = {fault.kind: 0 for case in cases for fault in case.faults}
    for case in cases:
        for fault in case.faults:
            planned[fault.kind] += 1
    report = trial.report(planned=planned, criteria=(LOST_TOO_MANY,))
    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(lambda case: run_case(trial.folder, report, case), cases))
    report.state("points", len(POINTS))
    report.state("cases", len(cases))
    return report


def make_cases(occurrences: int) -> Iterable[Case]:
    """Yield the cases: with one occurrence grouped by who dies, else one by one.

    What takes long comes first: recovery leaves a run alone for 30 s after a bad disk.
    """
    if occurrences > 1:
        yield from _single_cases(occurrences)
        return
    yield Case("bad disk", tuple(Fault(each, "eio") for each in sorted(WRITES)))
    for part in (WORKER, SUPERVISOR, ZYGOTE, SHIM):
        points = [
            each for each in sorted(POINTS - ALONE.keys()) if part_of(each) == part
        ]
        yield Case(part, _kills(points), workers=2 if part == WORKER else 1)
    for point, held_up in ALONE.items():
        yield Case(point, (*_kills([point]), Fault(held_up, "delay")))
    yield Case("no space", tuple(Fault(each, "enospc") for each in sorted(WRITES)))


def _single_cases(occurrences: int) -> Iterable[Case]:
    for point in sorted(POINTS):
        kinds = ["kill", "delay", *(["enospc", "eio"] if point in WRITES else [])]
        most = 1 if point in ONCE else occurrences
        for kind in kinds:
            for nth in range(1, most + 1):
                fault = Fault(point, kind, nth)
                needed = _needed_by([point])
                yield Case(str(fault), (fault, *needed), workers=2)


def _kills(points: Sequence[str]) -> tuple[Fault, ...]:
    """Return a kill at each point, and what else must die for somebody to come by."""
    return (*(Fault(each, "kill") for each in points), *_needed_by(points))


def _needed_by(points: Sequence[str]) -> tuple[Fault, ...]:
    needed = {NEEDS[each] for each in points if each in NEEDS} - set(points)
    return tuple(Fault(each, "kill") for each in sorted(needed))


def run_case(folder: Path, report: Report, case: Case) -> None:
    """Work with a service until all faults of ``case`` have struck, then check."""
    place = folder / case.name.replace(" ", "-").replace(":", "-")
    strikes = place / "strikes"
    strikes.mkdir(parents=True)
    settings = {
        "WEBAPI_FAULT": ",".join(map(str, case.faults)),
        "WEBAPI_FAULT_DIR": str(strikes),
    }
    service = Service(place, workers=case.workers, settings=settings)
    with service:
        service.keep_alive()
        oracle = Oracle(service, report, may_be_lost=_is_excusable)
        meet_faults(service, oracle, case, strikes)
        oracle.check()
    for fault in case.faults:
        if (strikes / f"{fault.point}.done").exists():
            report.fault(fault.kind)
    excused = sum(fault.may_lose for fault in case.faults)
    for run_id in oracle.lost[excused:]:
        report.fail(LOST_TOO_MANY, f"{case.name}: {run_id}")


def _is_excusable(record: Record) -> bool:
    """Lost runs are counted against the faults; a bad disk may refuse a start."""
    bad_disk = "Input/output error" in (record["error"] or "")
    return record["reason"] == "lost" or (
        record["reason"] == "spawn_error" and bad_disk
    )


def meet_faults(service: Service, oracle: Oracle, case: Case, strikes: Path) -> None:
    """Go on with all kinds of requests until every fault has struck."""
    deadline = time.monotonic() + MEET_SECONDS
    with Caller(service.url, later=WHILE_FAILING) as caller:
        workload = Workload(oracle, service.copy_job(), caller)
        while time.monotonic() < deadline and missing(case, strikes):
            workload.round()
    for fault in missing(case, strikes):
        oracle.report.state(f"not met in {case.name}", fault)


def missing(case: Case, strikes: Path) -> list[str]:
    """Return the faults that have not struck yet."""
    return [
        str(fault)
        for fault in case.faults
        if not (strikes / f"{fault.point}.done").exists()
    ]


TEST = FaultTest(
    test_id="T3",
    title="every named fault point: SIGKILL; ENOSPC and EIO where it writes",
    run=run,
    ci={"occurrences": 1},
    long={"occurrences": 3},
    seconds=150,
)
