"""T12: many readers of live logs; some freeze, some drop off and come back."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from random import Random

import httpx

from tests.faults.client import Caller
from tests.faults.jobs import Job
from tests.faults.load import Submitters
from tests.faults.oracle import Oracle
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.sse import LogReader
from tests.faults.trial import FaultTest, Trial, derive
from tests.server import wait_for

DROPPED, FROZEN = "dropped connections", "frozen readers"
BROKEN = "bytes missing, twice or out of order"
NO_END = "streams without an end"
LEFT_OPEN = "streams left open"
RUNS = 5
SETTINGS = {"WEBAPI_SLOTS": "5"}
#: Seconds for a reader to come to the end.
READ_SECONDS = 60.0


def run(trial: Trial) -> Report:
    """Start jobs, let all kinds of readers follow them, and count open streams."""
    size = trial.size
    report = trial.report(
        planned={DROPPED: size["dropping"], FROZEN: size["frozen"]},
        criteria=(BROKEN, NO_END, LEFT_OPEN),
    )
    random = trial.random()
    jobs = [
        Job(f"stream-{number}", milliseconds=4000, lines=size["lines"])
        for number in range(RUNS)
    ]
    with (
        running_service(trial.folder, settings=SETTINGS) as service,
        ExitStack() as hold,
    ):
        oracle = Oracle(service, report)
        Submitters(oracle, service.copy_job(), jobs).run()
        ids = list(oracle.jobs)
        for number in range(size["frozen"]):
            hold.enter_context(frozen_reader(service, ids[number % RUNS]))
            report.fault(FROZEN)
        readers = make_readers(service, oracle, random, size)
        follow_all(readers)
        oracle.check()
        hold.close()
        check_closed(service, report)
    return report


def make_readers(
    service: Service, oracle: Oracle, random: Random, size: Mapping[str, int]
) -> list[Callable[[], None]]:
    """Return the work of each reader: steady ones, and ones that drop off."""
    ids = list(oracle.jobs)
    work: list[Callable[[], None]] = [
        partial(read_steadily, service, oracle, ids[number % RUNS])
        for number in range(size["readers"])
    ]
    for number in range(size["dropping"]):
        run_id = ids[number % RUNS]
        work.append(partial(read_with_drops, service, oracle, run_id, derive(random)))
    return work


def follow_all(work: Sequence[Callable[[], None]]) -> None:
    """Do all of it at once."""
    threads = [threading.Thread(target=each, daemon=True) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(READ_SECONDS)


def read_steadily(service: Service, oracle: Oracle, run_id: str) -> None:
    """Read one log over one connection."""
    reader = LogReader(service.url, run_id)
    with contextlib.suppress(httpx.TransportError):
        reader.read()
    judge(oracle, reader, run_id)


def read_with_drops(
    service: Service, oracle: Oracle, run_id: str, random: Random
) -> None:
    """Read one log, leave in the middle, and go on where it was left."""
    reader = LogReader(service.url, run_id)
    reader.read(most=random.randint(1, 4))
    oracle.report.fault(DROPPED)
    with contextlib.suppress(httpx.TransportError):
        while not reader.is_over:
            reader.read(most=random.randint(2, 40))
    judge(oracle, reader, run_id)


def judge(oracle: Oracle, reader: LogReader, run_id: str) -> None:
    """Count what is wrong with what a reader has got."""
    job, report = oracle.jobs[run_id], oracle.report
    if not reader.is_over:
        report.fail(NO_END, run_id)
    for fault in reader.faults:
        report.fail(BROKEN, f"{run_id}: {fault}")
    if reader.texts != {"stdout": job.stdout, "stderr": job.stderr}:
        lengths = {stream: len(text) for stream, text in reader.texts.items()}
        report.fail(BROKEN, f"{run_id}: {lengths}, not {len(job.stdout)}")


@contextlib.contextmanager
def frozen_reader(service: Service, run_id: str) -> Iterator[None]:
    """Ask for a stream and never take anything from it."""
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(
            f"GET /api/runs/{run_id}/logs/stream HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{service.port}\r\n\r\n".encode()
        )
        yield


def check_closed(service: Service, report: Report) -> None:
    """The service must notice that everybody has left."""
    with Caller(service.url) as caller:

        def count() -> int:
            status = caller.get_json("/api/system/status")
            open_streams: int = status["streams"]["open"]
            return open_streams

        with contextlib.suppress(AssertionError):
            wait_for(lambda: count() == 0, seconds=10)
        for _ in range(count()):
            report.fail(LEFT_OPEN, "after everybody has left")


TEST = FaultTest(
    test_id="T12",
    title="readers of live logs; frozen ones, and ones that drop off",
    run=run,
    ci={"readers": 30, "frozen": 5, "dropping": 10, "lines": 20_000},
    long={"readers": 35, "frozen": 5, "dropping": 10, "lines": 200_000},
    seconds=120,
)
