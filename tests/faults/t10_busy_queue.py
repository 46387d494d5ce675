"""T10: callers queue, list and filter while the queue drains; first in, first out."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from heapq import heappop, heappush
from operator import itemgetter
from random import Random

from tests.faults.client import Caller
from tests.faults.jobs import make_jobs
from tests.faults.load import BAD_ANSWERS, Submitters, note_answer
from tests.faults.oracle import Oracle
from tests.faults.report import Report
from tests.faults.service import running_service
from tests.faults.trial import FaultTest, Trial, derive

SLOW = "answers that took too long"
OUT_OF_ORDER = "claimed out of order"
QUESTIONS = "questions while draining"
#: Seconds that no answer may take, however slow the machine is; speed is measured by
#: the benchmarks.
LONGEST_SECONDS = 10.0
FILTERS: tuple[dict[str, object], ...] = (
    {},
    {"status": "queued"},
    {"status": ["failed", "completed"], "limit": 200},
    {"q": "job-1"},
    {"script": "JOB.py", "limit": 20, "offset": 100},
    {"trigger": "api", "limit": 1},
)


def run(trial: Trial) -> Report:
    """Submit by several callers; each also asks for lists all the time."""
    runs, callers = trial.size["runs"], trial.size["callers"]
    report = trial.report(
        planned={QUESTIONS: runs // 10}, criteria=(SLOW, OUT_OF_ORDER, BAD_ANSWERS)
    )
    random = trial.random()
    jobs = make_jobs(random, runs, milliseconds=(0, 0), lines=(1, 3))
    with running_service(trial.folder) as service:
        oracle = Oracle(service, report)
        script = service.copy_job()
        drained = threading.Event()
        askers = [
            threading.Thread(
                target=ask_on,
                args=(service.url, report, derive(random), drained.is_set),
            )
            for _ in range(callers)
        ]
        for asker in askers:
            asker.start()
        try:
            submitters = Submitters(oracle, script, jobs, threads=callers)
            submitters.run()
            with Caller(service.url) as caller:
                oracle.wait_terminal(caller, seconds=120)
        finally:
            drained.set()
            for asker in askers:
                asker.join()
        oracle.check()
        check_order(service.url, report, submitters.moments)
    return report


def ask_on(
    url: str, report: Report, random: Random, is_over: Callable[[], bool]
) -> None:
    """Ask for filtered lists until ``is_over``; all must be answered, and in time."""
    with Caller(url) as caller:
        while not is_over():
            started = time.monotonic()
            answer = caller.ask("GET", "/api/runs", params=random.choice(FILTERS))
            seconds = time.monotonic() - started
            report.fault(QUESTIONS)
            if answer.status_code != 200:
                note_answer(report, answer.status_code, answer.text)
            if seconds > LONGEST_SECONDS:
                report.fail(SLOW, f"{answer.url}: {seconds:.1f} s")


def check_order(
    url: str, report: Report, moments: Mapping[str, tuple[float, float]]
) -> None:
    """Whose run was accepted before another was asked for is claimed before it."""
    with Caller(url) as caller:
        claims = {run_id: _claimed_at(caller, run_id) for run_id in moments}
    latest_claim = 0.0
    accepted: list[tuple[float, float]] = []
    for run_id, (asked, answered) in sorted(moments.items(), key=itemgetter(1)):
        while accepted and accepted[0][0] < asked:
            latest_claim = max(latest_claim, heappop(accepted)[1])
        if claims[run_id] < latest_claim:
            report.fail(OUT_OF_ORDER, f"{run_id}: {latest_claim - claims[run_id]} s")
        heappush(accepted, (answered, claims[run_id]))


def _claimed_at(caller: Caller, run_id: str) -> float:
    """Return when a run was first claimed."""
    events = caller.get_json(f"/api/runs/{run_id}/events")
    times = [each["timestamp"] for each in events if each["event_type"] == "dequeued"]
    return min(datetime.fromisoformat(each).timestamp() for each in times)


TEST = FaultTest(
    test_id="T10",
    title="callers queue, list and filter while the queue drains",
    run=run,
    ci={"runs": 300, "callers": 4},
    long={"runs": 10_000, "callers": 20},
    seconds=120,
)
