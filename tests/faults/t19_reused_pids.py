"""T19: pids of dead shims and scripts belong to others when their runs are to be ended.

Strangers take the very pids that the record knows, and none of them may get a signal:
while the supervisor does not look, and across a restart of everything.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

from scriptrunner.engine import control_file
from tests.faults.client import Caller
from tests.faults.jobs import Job
from tests.faults.oracle import Oracle, Record
from tests.faults.processes import SUPERVISOR
from tests.faults.report import Report
from tests.faults.service import Service, running_service
from tests.faults.t02_shim_kills import find_keepers
from tests.faults.t04_restarts import start_all
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

UNSEEN, RESTARTED = "pids reused unseen", "pids reused across a restart"
SIGNALLED = "strangers that got a signal"
#: Root may say which pid comes next.
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
#: Tries to get a pid before somebody else does.
TRIES = 20
#: Waits for a signal, and ends by any.
_STRANGER = (
    "import signal\n"
    "every = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, every)\n"
    "print('here', flush=True)\n"
    "signal.sigwait(every)\n"
)


class PidTakenError(Exception):
    """Somebody else on this machine has got the pid."""


def run(trial: Trial) -> Report:
    """Reuse pids in both ways, again and again."""
    unseen, restarts = trial.size["unseen"], trial.size["restarts"]
    if not os.access(LAST_PID, os.W_OK):
        report = trial.report(planned={})
        report.state("left out", "only root may choose pids")
        return report
    report = trial.report(
        planned={UNSEEN: unseen, RESTARTED: restarts}, criteria=(SIGNALLED,)
    )
    random = trial.random()
    with running_service(trial.folder, workers=1) as service:
        oracle = Oracle(service, report, may_be_lost=_is_lost)
        for number in until_done(report, UNSEEN, unseen):
            with contextlib.suppress(PidTakenError):
                reuse_unseen(service, oracle, random, number)
        for number in until_done(report, RESTARTED, restarts):
            with contextlib.suppress(PidTakenError):
                reuse_across_restart(service, oracle, random, number)
            if not service.is_running():
                service.start()
        oracle.check()
    return report


def until_done(report: Report, kind: str, planned: int) -> Iterator[int]:
    """Yield numbers until so many faults are done; pids may be taken by others."""
    for number in range(2 * planned):
        if report.done[kind] < planned:
            yield number


def _is_lost(record: Record) -> bool:
    return bool(record["reason"] == "lost")


def reuse_unseen(service: Service, oracle: Oracle, random: Random, number: int) -> None:
    """Shim and script die while the supervisor is stopped; then the run is ended."""
    service.wait_supervised()
    run_id, pids = start_one(service, oracle, f"unseen-{number}")
    service.kill_role(SUPERVISOR, signal.SIGSTOP)
    try:
        for shim in find_keepers(service):
            shim.kill()
        wait_for(lambda: not any(map(is_taken, pids)), what="the end of both")
        with strangers(oracle.report, pids):
            order = threading.Thread(target=end_run, args=(service, run_id, random))
            order.start()
            service.kill_role(SUPERVISOR, signal.SIGCONT)
            order.join()
            settle(oracle, run_id)
    finally:
        service.kill_role(SUPERVISOR, signal.SIGCONT)
    oracle.report.fault(UNSEEN)


def reuse_across_restart(
    service: Service, oracle: Oracle, random: Random, number: int
) -> None:
    """Everything dies at once; the next service finds strangers behind its pids."""
    run_id, pids = start_one(service, oracle, f"restarted-{number}")
    service.kill_all()
    wait_for(lambda: not any(map(is_taken, pids)), what="the end of both")
    with strangers(oracle.report, pids):
        service.start()
        end_run(service, run_id, random)
        settle(oracle, run_id)
    oracle.report.fault(RESTARTED)


def start_one(service: Service, oracle: Oracle, tag: str) -> tuple[str, list[int]]:
    """Return the id of a run whose script waits, and the pids of script and shim.

    The control file tells of both.
    """
    job = Job(tag, milliseconds=60_000, is_ordered=True)
    start_all(service, oracle, [job])
    run_id = next(each for each, its in oracle.jobs.items() if its is job)
    path = control_file.path_of(str(service.run_dir(run_id)), 1)
    wait_for(lambda: is_known(path), what="the pid of the script in its control file")
    (script,) = service.scripts()
    return run_id, [script.pid, script.parent]


def is_known(path: str) -> bool:
    """Return whether a control file tells the pid of its script."""
    record = control_file.read(path)
    return (
        record is not None and isinstance(record.spawn, dict) and "pid" in record.spawn
    )


def is_taken(pid: int) -> bool:
    """Return whether a process, or a thread, or a zombie has this pid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def strangers(report: Report, pids: list[int]) -> Iterator[None]:
    """Have others live under ``pids``, and count those that were not left alone."""
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(stranger(pid)) for pid in pids]
        yield
        for other in others:
            if other.poll() is not None:
                report.fail(SIGNALLED, f"{other.pid} ended by {other.returncode}")
            elif is_stopped(other.pid):
                report.fail(SIGNALLED, f"{other.pid} was stopped")


@contextlib.contextmanager
def stranger(pid: int) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process with this very pid that waits for signals."""
    command = [sys.executable, "-S", "-c", _STRANGER]
    for _ in range(TRIES):
        LAST_PID.write_text(str(pid - 1))
        # It leads a session, as scripts do: recovery looks for sessions, too.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, start_new_session=True
        )
        try:
            if process.pid == pid:
                assert process.stdout is not None
                process.stdout.readline()
                yield process
                return
        finally:
            process.kill()
            process.communicate()
    raise PidTakenError(pid)


def is_stopped(pid: int) -> bool:
    """Return whether a process has been stopped by a signal."""
    stat = Path(f"/proc/{pid}/stat").read_bytes()
    return stat.rpartition(b")")[2].split()[0] in (b"T", b"t")


def end_run(service: Service, run_id: str, random: Random) -> None:
    """Order the end of a run in some way; that it is over already is an answer too."""
    way = random.choice(["stop", "kill", "cancel"])
    with Caller(service.url) as caller:
        answer = caller.ask("POST", f"/api/runs/{run_id}/{way}")
        assert answer.status_code < 500, answer.text


def settle(oracle: Oracle, run_id: str) -> None:
    """Wait until the run is over."""
    with Caller(oracle.service.url) as caller:
        oracle.wait_over(caller, run_id)


TEST = FaultTest(
    test_id="T19",
    title="strangers live under the pids of dead shims and scripts",
    run=run,
    ci={"unseen": 4, "restarts": 1},
    long={"unseen": 1000, "restarts": 100},
    seconds=60,
)
