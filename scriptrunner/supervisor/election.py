"""How web workers see to it that exactly one supervisor runs for a data folder.

Each web worker holds a shared lock on ``web.lock``, which tells the supervisor that it is
wanted, and looks about once a second whether anybody holds ``supervisor.lock``. If nobody
does, it starts a supervisor, detached; that process takes the lock itself, or ends if
another one was quicker.
"""

import logging
import os
import signal
import threading
import time
from pathlib import Path

from scriptrunner.engine import process_tree
from scriptrunner.settings import Settings
from scriptrunner.supervisor import note, service_process
from scriptrunner.supervisor.lock import LockFile, check_locks_work

logger = logging.getLogger(__name__)

#: Seconds between two looks at the supervisor's lock.
LOOK_SECONDS = 1.0
#: Seconds a supervisor that was started gets to take its lock before the next is started.
START_SECONDS = 5.0
#: The one election of this process per data folder: its locks belong to the process, and
#: a second one would drop them by closing its own files.
_elections: dict[Path, "Election"] = {}
_registering = threading.Lock()


def election_for(settings: Settings) -> "Election":
    """Return this process's part in the election for a data folder."""
    with _registering:
        return _elections.setdefault(settings.data_dir, Election(settings))


class Election:
    """One web worker's part; ``start`` and ``stop`` may be called more than once.

    Get it by ``election_for``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._presence: LockFile | None = None
        self._probe: LockFile | None = None
        #: The supervisor we started, until it has ended and been reaped.
        self._child: int | None = None
        self._child_until = 0.0
        self._has_compared = False

    def start(self) -> None:
        """Hold the presence lock and watch over the supervisor in a thread."""
        with self._lock:
            if self._thread is not None:
                return
            folder = self._settings.data_dir
            check_locks_work(folder)
            self._presence = LockFile(folder / "web.lock")
            self._presence.try_shared()
            self._probe = LockFile(folder / "supervisor.lock")
            self._ended.clear()
            self._has_compared = False
            self._thread = threading.Thread(
                target=self._watch, name="supervisor-election", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Stop watching; a supervisor that nobody wants any more ends by itself."""
        with self._lock:
            if self._thread is None:
                return
            self._ended.set()
            self._thread.join()
            self._thread = None
            for lock in (self._presence, self._probe):
                if lock is not None:
                    lock.close()

    def _watch(self) -> None:
        wait = 0.0
        while not self._ended.wait(wait):
            wait = LOOK_SECONDS
            try:
                self._look()
            except OSError:
                logger.exception("cannot look after the supervisor; trying again")

    def _look(self) -> None:
        self._reap()
        if self._probe is None or not self._settings.data_dir.exists():
            return
        if not self._probe.is_current():
            self._probe.close()
            self._probe = LockFile(self._settings.data_dir / "supervisor.lock")
        holder = self._probe.find_holder()
        if holder is not None:
            self._compare(holder)
            return
        now = time.monotonic()
        if self._child is None or now >= self._child_until:
            self._child = start_supervisor(self._settings)
            self._child_until = now + START_SECONDS

    def _compare(self, holder: int) -> None:
        """Have a supervisor of other settings or other code make way for ours.

        Each worker asks once after its start: two services that share a data folder by
        mistake must not end each other's supervisors for ever.
        """
        if self._has_compared:
            return
        found = note.read(self._settings.data_dir)
        if found.get("pid") != holder:
            return  # it has just begun: its note is still to come
        self._has_compared = True
        start = process_tree.start_time(holder)
        if found.get("made_of") != note.made_of(self._settings) and start is not None:
            logger.info("supervisor %d has other settings or code: ending it", holder)
            process_tree.send_signal(holder, start, signal.SIGTERM)

    def _reap(self) -> None:
        if self._child is None:
            return
        try:
            ended, _ = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:
            ended = self._child
        if ended:
            self._child = None


def start_supervisor(settings: Settings) -> int:
    """Start a supervisor in a session of its own; it ends at once if there is one.

    Returns:
        Its pid, which the caller reaps.
    """
    pid, its_input = service_process.start("scriptrunner.supervise", settings)
    its_input.close()
    return pid
