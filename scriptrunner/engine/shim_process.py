"""A shim started by exec, for callers that must not be forked: they may have threads.

Forking the caller would also show its own memory as the script's: the kernel counts the
peak of a process from before its exec.
"""

import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from scriptrunner.engine import local_shim
from scriptrunner.engine.launch import Launch

#: Seconds between two looks where no pidfd tells of the end.
NO_PIDFD_SECONDS = 0.01


class ShimProcess:
    """One shim and the way to wait for its end. Belongs to one thread."""

    def __init__(self, launch: Launch) -> None:
        """Start the shim of ``launch`` in a session of its own.

        Raises:
            OSError: If the interpreter cannot be started.
        """
        entry = Path(local_shim.__file__).resolve()
        # Our own interpreter and our own file, no shell.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", entry, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._pidfd = _open_pidfd(self._process.pid)
        self._hand_over(launch)

    def _hand_over(self, launch: Launch) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise AssertionError("the pipe was asked for")
        try:
            stdin.write(launch.to_json().encode("ascii"))
            stdin.close()
        except BrokenPipeError:
            pass  # it is gone already, and its control file will say so

    def watch(self, tick: Callable[[], float | None]) -> int:
        """Wait for the shim's end and return its exit code (-n for signal n).

        Args:
            tick: Called again and again; it returns the seconds until its next call, or
                None if it need not be called any more.
        """
        while not self._is_over(tick()):
            pass
        return self.wait()

    def _is_over(self, seconds: float | None) -> bool:
        """Wait at most ``seconds``, None for ever, and return whether the shim is over."""
        if self._pidfd < 0:
            wait = (
                NO_PIDFD_SECONDS if seconds is None else min(seconds, NO_PIDFD_SECONDS)
            )
            select.select([], [], [], wait)
            return self._process.poll() is not None
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(None if seconds is None else seconds * 1000))

    def wait(self) -> int:
        """Wait for the end, give everything back, and return the exit code."""
        code = self._process.wait()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        return code


def _open_pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return -1
