"""The background process: long jobs, each in a thread, while there are any.

Started by the supervisor as ``python -P -m scriptrunner.background``. It reads the
settings from standard input and goes on reading: the end of that stream means that the
supervisor is gone, and then so is this process. It may be killed at any moment; every
job takes up where its record in the database says.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

from scriptrunner.settings import Settings
from scriptrunner.supervisor.lock import LockFile
from scriptrunner.supervisor.ports import BackgroundJob

logger = logging.getLogger("scriptrunner.background")

#: Seconds between two looks at what is due.
LOOK_SECONDS = 0.5
#: Seconds without any work after which the process ends.
IDLE_SECONDS = 5.0
#: Seconds a job rests after an error.
REST_SECONDS = 5.0
#: Seconds that jobs get to stop at a good place once the process is to end.
STOP_SECONDS = 2.0


class Worker:
    """Does one job in a thread whenever it is due."""

    def __init__(self, job: BackgroundJob, stop: threading.Event) -> None:
        self._job = job
        self._stop = stop
        self._thread: threading.Thread | None = None
        self._rest_until = 0.0

    @property
    def is_at_work(self) -> bool:
        """Whether the job's thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def look(self) -> bool:
        """Begin the job if it is due; return whether it is at work, or will be."""
        if self.is_at_work or time.monotonic() < self._rest_until:
            return True
        if not self._is_due():
            return False
        self._thread = threading.Thread(
            target=self._work, name=self._job.name, daemon=True
        )
        self._thread.start()
        return True

    def _is_due(self) -> bool:
        try:
            return self._job.is_due()
        except Exception:  # noqa: BLE001 - logged; the next look may succeed
            self._fail()
            return False

    def _work(self) -> None:
        try:
            self._job.work(self._stop)
        except Exception:  # noqa: BLE001 - one job's trouble never stops the others
            self._fail()

    def _fail(self) -> None:
        logger.exception("%s failed; trying again", self._job.name)
        self._rest_until = time.monotonic() + REST_SECONDS

    def join(self, seconds: float) -> None:
        """Wait for the job to stop, at most ``seconds``."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))


def work(jobs: Sequence[BackgroundJob], stop: threading.Event) -> None:
    """Do what is due until nothing has been for a while, or ``stop`` is set."""
    workers = [Worker(job, stop) for job in jobs]
    idle_since = time.monotonic()
    while not stop.is_set():
        at_work = [worker.look() for worker in workers]
        if any(at_work):
            idle_since = time.monotonic()
        elif time.monotonic() >= idle_since + IDLE_SECONDS:
            return
        stop.wait(LOOK_SECONDS)
    deadline = time.monotonic() + STOP_SECONDS
    for worker in workers:
        worker.join(deadline - time.monotonic())


def _stop_at_end_of_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        pass
    stop.set()


def main() -> int:
    """Be the background process of one data folder; 0 also when another one is."""
    settings = Settings.from_json(sys.stdin.buffer.readline().decode())
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s pid=%(process)d %(message)s",
    )
    lock = LockFile(settings.data_dir / "background.lock")
    if not lock.try_exclusive():
        return 0  # that of a supervisor that has just ended; it will be gone soon
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()

    from scriptrunner.application.jobs import (  # noqa: PLC0415 - after the lock
        build_background,
    )

    work(build_background(settings), stop)
    logging.shutdown()
    # A job that did not stop in time is cut off like by a kill.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
