"""Run a command and end everything that descends from it, daemons included.

``python -m tests.guardian COMMAND…`` prints the pid of the command on its first line and
becomes the parent of every orphan below it (a subreaper). SIGTERM to the guardian, or
the death of whoever started it, ends the whole family with SIGKILL. The command itself
may end before: its orphans stay with the guardian. Standard library only, for speed.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
#: Seconds between two looks whether the starter lives. Not PR_SET_PDEATHSIG: that tells of
#: the death of the thread that started this process, and threads of tests come and go.
LOOK_SECONDS = 0.5


def main() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    starter = os.getppid()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        run_command()
    sys.stdout.write(f"{child}\n")
    sys.stdout.flush()
    while os.getppid() == starter:
        received = signal.sigtimedwait({signal.SIGTERM, signal.SIGCHLD}, LOOK_SECONDS)
        reap()
        if received is not None and received.si_signo == signal.SIGTERM:
            break
    end_family()


def run_command() -> None:
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.dup2(2, 1)
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command is the point
    finally:
        os._exit(127)


def reap() -> None:
    """Collect every child that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def end_family() -> None:
    """Kill children until none is left; the orphans of each become children here."""
    while True:
        for pid in list_children():
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def list_children() -> list[int]:
    own = os.getpid()
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and find_parent(entry) == own
    ]


def find_parent(entry: Path) -> int | None:
    try:
        text = (entry / "stat").read_text(errors="replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
