"""The supervisor's process: settings from standard input, services, the loop.

Started by a web worker as ``python -P -m scriptrunner.supervise``. It runs detached, in
the data folder, with its own log, and ends when nobody has wanted it for a while.
"""

import gc
import json
import logging
import os
import signal
import sys
import time

from scriptrunner.clock import SystemClock, to_text
from scriptrunner.engine import interpreter, whole_file
from scriptrunner.engine.kernel import list_missing_features, return_free_memory
from scriptrunner.settings import Settings
from scriptrunner.supervisor import note
from scriptrunner.supervisor.lock import LockFile
from scriptrunner.supervisor.loop import Supervisor

logger = logging.getLogger("scriptrunner.supervisor")

#: Seconds between two looks at who wants us.
LOOK_SECONDS = 0.5
#: Bytes of ``supervisor.log`` beyond which it is put aside as ``supervisor.log.1``.
LOG_BYTES = 16 << 20


class Attendance:
    """Says whether the supervisor is still wanted and still the one.

    It is not when no web worker has held ``web.lock`` for ``linger_seconds``, when the
    data folder is gone, or when its own lock file was removed or replaced.
    """

    def __init__(self, settings: Settings, lock: LockFile) -> None:
        self._settings = settings
        self._lock = lock
        self._web = LockFile(settings.data_dir / "web.lock")
        self._seen_at = time.monotonic()
        self._looked_at = 0.0

    def is_wanted(self) -> bool:
        """Return whether to go on."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return True
        self._looked_at = now
        if not self._lock.is_current():
            logger.warning("the lock file or the data folder is gone: ending")
            return False
        if not self._web.is_current():
            self._web.close()
            self._web = LockFile(self._settings.data_dir / "web.lock")
        if self._web.is_held_by_another():
            self._seen_at = now
        return now - self._seen_at < self._settings.linger_seconds


class Tick:
    """The supervisor's sign of life: ``supervisor.json``, touched about once a second."""

    def __init__(self, settings: Settings) -> None:
        self._path = note.path_of(settings.data_dir)
        self._settings = settings
        self._write()

    def _write(self) -> None:
        settings = self._settings
        before = note.read(settings.data_dir)
        content = {
            "pid": os.getpid(),
            "made_of": note.made_of(settings),
            "since": to_text(SystemClock().utc_now()),
            "restarts": int(before.get("restarts", -1)) + 1,
            "interpreter": interpreter.describe(settings.python),
            "degraded": list_missing_features(),
        }
        whole_file.write(str(self._path), json.dumps(content).encode("ascii"))

    def end(self) -> None:
        """Say that this supervisor ended on purpose: the next one is no restart.

        The note may be that of the next one already, which then stays.
        """
        if note.read(self._settings.data_dir).get("pid") == os.getpid():
            self._path.unlink(missing_ok=True)

    def beat(self) -> None:
        """Say that we live; also keep the log from growing for ever."""
        try:
            os.utime(self._path)
        except FileNotFoundError:
            self._write()
        log = self._path.with_name("supervisor.log")
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            os.close(descriptor)


def main() -> int:
    """Be the supervisor of one data folder; 0 also when another one is at work."""
    settings = Settings.from_json(sys.stdin.readline())
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s pid=%(process)d %(message)s",
    )
    lock = LockFile(settings.data_dir / "supervisor.lock")
    if not lock.try_exclusive():
        return 0
    lock.write_note(f"pid {os.getpid()} since {to_text(SystemClock().utc_now())}\n")
    run(settings, lock)
    return 0


def run(settings: Settings, lock: LockFile) -> None:
    """Build the services and work until nobody wants us."""
    from scriptrunner.application.supervision import (  # noqa: PLC0415 - after the lock
        build_supervision,
    )

    attendance = Attendance(settings, lock)
    parts = build_supervision(settings)
    tick = Tick(settings)
    supervisor = Supervisor(
        settings,
        parts.ledger,
        is_wanted=attendance.is_wanted,
        duties=(tick.beat, *parts.duties),
        timer=parts.ticker,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logger.info("supervising %s", settings.data_dir)
    gc.collect()
    gc.freeze()
    return_free_memory()
    supervisor.run()
    parts.background.close()
    tick.end()
    logger.info("ending; running scripts go on")


if __name__ == "__main__":
    sys.exit(main())
