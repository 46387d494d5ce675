"""The process that scans, as the shim sees it: started, watched, ended, read.

Standard library only. Input and output are files without a name, so nobody has to pump
and nothing is left behind whoever is killed.
"""

import json
import os
import select
import signal
import sys
import time

from scriptrunner.engine import intent

TYPE_CHECKING = False  # typing itself is not loaded: every scanned run would pay for it
if TYPE_CHECKING:
    from typing import Any

_ENTRY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child.py")
#: What the child gets of our environment: enough to find its libraries, no secrets.
_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE"),
    *("PYTHONPATH", "PYTHONUSERBASE", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"),
)
#: Signals that the shim ignores and a child expects at their defaults.
_DEFAULT_SIGNALS = (
    *(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT),
    *(signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD),
)
#: Seconds between two looks where no pidfd tells of the end.
_NO_PIDFD_SECONDS = 0.01
#: Bytes of the child's answer that are read; it limits itself to less.
_MAX_ANSWER_BYTES = 16 << 20


class ScanStoppedError(Exception):
    """Somebody ordered the end of the run while it was scanned; ``order`` says who."""

    def __init__(self, order: intent.Intent) -> None:
        super().__init__(order.kind)
        self.order = order


class Answer:
    """What a child has said (reports by kind) and ``failure``, why there is no more."""

    __slots__ = ("failure", "reports")

    def __init__(self, reports: "dict[str, Any]", failure: str | None) -> None:
        self.reports = reports
        self.failure = failure


def ask(
    run_dir: str, source: bytes, order: "dict[str, Any]", *, wake: int, deadline: float
) -> Answer:
    """Have a new process scan ``source`` and return what it says.

    Args:
        run_dir: The run's folder, for the nameless files and for orders.
        source: The script.
        order: What to scan for, see ``child``.
        wake: Becomes readable when there may be an order.
        deadline: Monotonic seconds at which the child is killed.

    Raises:
        ScanStoppedError: If the end of the run was ordered meanwhile; the child is gone.
        OSError: If there is no room for the files, or no process to be had.
    """
    files: list[int] = []
    try:
        for content in (source, json.dumps(order).encode("ascii"), b""):
            # One at a time: if the disk is full, those that are there are closed.
            files.append(_make_file(run_dir, content))  # noqa: PERF401
        pid = _spawn(*files)
        status = _wait(pid, run_dir, wake, deadline)
        reports = _read_reports(files[-1])
    finally:
        for descriptor in files:
            os.close(descriptor)
    return Answer(reports, _explain(status, order))


def _make_file(run_dir: str, content: bytes) -> int:
    """Return a descriptor of a file without a name, at its beginning."""
    path = f"{run_dir}/scan.{os.getpid()}.{time.monotonic_ns()}"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        os.unlink(path)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _spawn(source: int, order: int, answer: int) -> int:
    actions = (
        (os.POSIX_SPAWN_DUP2, source, 0),
        (os.POSIX_SPAWN_DUP2, answer, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, order, 3),
    )
    environment = {
        name: os.environ[name] for name in _ENVIRONMENT if name in os.environ
    }
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", _ENTRY],
        environment,
        file_actions=actions,
        setsigmask=(),
        setsigdef=_DEFAULT_SIGNALS,
    )


def _wait(pid: int, run_dir: str, wake: int, deadline: float) -> int | None:
    """Return the child's exit code (-n for signal n), None if it ran out of time."""
    pidfd = _open_pidfd(pid)
    poller = select.poll()
    poller.register(wake, select.POLLIN)
    if pidfd >= 0:
        poller.register(pidfd, select.POLLIN)
    try:
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            remaining = deadline - time.monotonic()
            order = intent.read(run_dir)
            if order is not None or remaining <= 0:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                if order is not None:
                    raise ScanStoppedError(order)
                return None
            wait = remaining if pidfd >= 0 else min(remaining, _NO_PIDFD_SECONDS)
            poller.poll(wait * 1000 + 1)
            _drain(wake)
    finally:
        if pidfd >= 0:
            os.close(pidfd)


def _open_pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return -1


def _drain(wake: int) -> None:
    try:
        os.read(wake, 4096)
    except BlockingIOError:
        return


def _read_reports(answer: int) -> "dict[str, Any]":
    """Return the whole lines of the answer; a child that was killed may leave a part."""
    reports = {}
    for line in os.pread(answer, _MAX_ANSWER_BYTES, 0).split(b"\n")[:-1]:
        try:
            value = json.loads(line)
            reports[value["kind"]] = value["report"]
        except (ValueError, KeyError, TypeError):
            break
    return reports


def _explain(status: int | None, order: "dict[str, Any]") -> str | None:
    """Return why a child ended without having scanned everything; None if it had."""
    if status == 0:
        return None
    if status is None:
        return f"took longer than {order['seconds']:g} s"
    if status < 0:
        return f"the scanning process was ended by signal {-status}"
    return f"the scanning process ended with exit code {status}"
