"""Wake-ups between processes: one byte into a FIFO, and a poll for when it is lost.

``wakeup`` wakes the supervisor. ``listeners/`` has one FIFO per listening web worker, so
that a change of a run reaches open streams and waiting requests at once, whichever
process made it. A lost byte costs one poll, nothing else. FIFOs and not sockets, because
the path of a UNIX socket is limited to about 100 characters.
"""

import errno
import os
import secrets
import stat
import threading
from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


def make_fifo(path: Path) -> None:
    """Make a FIFO (0600) at ``path`` unless there is one; replace anything else."""
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        if stat.S_ISFIFO(path.lstat().st_mode):
            return
        path.unlink()
        os.mkfifo(path, 0o600)


def open_reader(path: Path) -> int:
    """Return a descriptor that becomes readable at a wake-up and never ends."""
    make_fifo(path)
    # Reading and writing at once: there is always a writer, so no end of file.
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)


def drain(descriptor: int) -> None:
    """Take all bytes that have come."""
    try:
        while os.read(descriptor, 4096):
            pass
    except BlockingIOError:
        return


def _poke(path: str) -> bool:
    """Write one byte without waiting; False if nobody reads there."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        return error.errno not in (errno.ENXIO, errno.ENOENT)
    try:
        os.write(descriptor, b"!")
    except (BlockingIOError, BrokenPipeError):
        pass  # it has plenty to wake up for already, or has just gone
    finally:
        os.close(descriptor)
    return True


def wake_supervisor(data_dir: Path) -> None:
    """Tell the supervisor that there is something to claim."""
    _poke(f"{data_dir}/wakeup")


def announce(data_dir: Path) -> None:
    """Tell every listening web worker that the record of some run has changed.

    A FIFO that nobody reads any more is removed.
    """
    # Text instead of Path objects: this is on the way of every run.
    folder = f"{data_dir}/listeners"
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        path = f"{folder}/{name}"
        if not _poke(path):
            Path(path).unlink(missing_ok=True)


def _open_listener(folder: Path) -> tuple[Path, int]:
    """Make a FIFO with a reader in ``folder``; return its path and the descriptor.

    It gets its name once it is read: whoever announced something before that may have
    found nobody there, and removes what he found by the name under which he found it.
    """
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        draft = folder / f"{name}-{secrets.token_hex(4)}"
        descriptor = -1
        try:
            descriptor = open_reader(draft)
            return draft.rename(folder / name), descriptor
        except FileNotFoundError:  # removed already
            if descriptor >= 0:
                os.close(descriptor)


class Listener:
    """One web worker's FIFO; ``close`` removes it. Threads may share it.

    ``fileno`` becomes readable at each announcement; whoever reads it calls ``drain``.
    """

    def __init__(self, data_dir: Path) -> None:
        self._lock = threading.Lock()
        self._path, self._descriptor = _open_listener(data_dir / "listeners")

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._descriptor

    def drain(self) -> None:
        """Take all announcements that have come."""
        drain(self._descriptor)

    def close(self) -> None:
        """Close and remove the FIFO; harmless when called twice."""
        with self._lock:
            if self._descriptor >= 0:
                self._path.unlink(missing_ok=True)
                os.close(self._descriptor)
                self._descriptor = -1
