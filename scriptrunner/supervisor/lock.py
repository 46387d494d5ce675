"""Lock files of the data folder: POSIX locks, which the kernel drops with their holder.

A POSIX lock is lost when its holder closes *any* descriptor of the file, and it is not
inherited through fork. So each process opens a lock file once and keeps it open.
"""

import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

from scriptrunner.engine import control_file
from scriptrunner.errors import ScriptRunnerError


class LocksNotWorkingError(ScriptRunnerError):
    """File locks do not work in the data folder; put it on a local file system."""

    code = "locks_not_working"


class LockFile:
    """One lock file, opened once; ``close`` drops its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_exclusive(self) -> bool:
        """Try to take the lock alone; return whether it is ours."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Try to take the lock together with others; return whether it is ours."""
        return self._try(fcntl.LOCK_SH)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def release(self) -> None:
        """Give the lock back and keep the file open."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def is_held_by_another(self) -> bool:
        """Return whether any other process holds the lock, shared or alone."""
        return control_file.holder(self._descriptor) is not None

    def find_holder(self) -> int | None:
        """Return the pid of another process that holds the lock, or None."""
        return control_file.holder(self._descriptor)

    def is_current(self) -> bool:
        """Return whether the path still names the file that is open here."""
        try:
            there, here = os.stat(self.path), os.fstat(self._descriptor)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)

    def write_note(self, text: str) -> None:
        """Leave a text for people in the file; nothing ever decides by it."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def close(self) -> None:
        """Close the file and drop the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


#: Run by a second process: exit 0 if the lock of argv[1] is held by somebody else.
_PROBE = (
    "import fcntl, sys\n"
    "file = open(sys.argv[1], 'r+')\n"
    "try:\n"
    "    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    "except OSError:\n"
    "    sys.exit(0)\n"
    "sys.exit(1)\n"
)


#: A process that opened the probe file twice would drop its own lock.
_proving = threading.Lock()


def check_locks_work(folder: Path) -> None:
    """Prove with a second process that locks hold in ``folder``.

    The probe file stays: another worker may be proving the same right now, and that we
    are refused because of it is proof enough.

    Raises:
        LocksNotWorkingError: If another process can take a lock that we hold.
    """
    with _proving:
        lock = LockFile(folder / "lock-probe")
        try:
            if lock.try_exclusive() and not _is_refused_elsewhere(lock.path):
                raise LocksNotWorkingError
        finally:
            lock.close()


def _is_refused_elsewhere(path: Path) -> bool:
    probe = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-I", "-S", "-c", _PROBE, str(path)],
        check=False,
        capture_output=True,
        timeout=30,
    )
    return probe.returncode == 0
