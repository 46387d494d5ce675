"""Starting a script: a session of its own, three descriptors, and nothing else of ours.

Standard library only. ``posix_spawn`` shares the caller's memory with the child until it
has become the script (vfork), which costs a tenth of a ``fork`` that copies page tables.
Every descriptor the caller owns is close-on-exec, so the script gets 0, 1 and 2 only.
"""

import os
import resource
import signal
import time

#: Signals that Python or the shim changed and a script expects at their defaults.
_DEFAULT_SIGNALS = (
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGTERM,
    signal.SIGCHLD,
)


class SpawnError(Exception):
    """The script could not be started; ``error_type`` names the exception."""

    def __init__(self, message: str, error_type: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class Script:
    """A started script: its pid, its pidfd (or -1), and when it was started (ns)."""

    __slots__ = ("pid", "pidfd", "started_ns")

    def __init__(self, pid: int, pidfd: int, started_ns: int) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.started_ns = started_ns


def disable_core_dumps() -> None:
    """Let neither this process nor any script it starts leave a core file."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def start(
    argv: list[str],
    environment: dict[str, str],
    *,
    folder: int,
    stdout: int,
    stderr: int,
) -> Script:
    """Start ``argv`` in a session of its own and return it once exec has succeeded.

    Args:
        argv: Interpreter and arguments; ``argv[0]`` is an absolute path.
        environment: The whole environment of the script.
        folder: Descriptor of its working folder.
        stdout: Descriptor for its output.
        stderr: Descriptor for its errors.

    Raises:
        SpawnError: If the folder cannot be entered or exec fails.
    """
    actions = (
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_DUP2, stderr, 2),
    )
    try:
        # The child starts where we are: posix_spawn has no folder of its own.
        os.fchdir(folder)
        started_ns = time.monotonic_ns()
        pid = os.posix_spawn(
            argv[0],
            argv,
            environment,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULT_SIGNALS,
        )
    except (OSError, ValueError) as error:
        text = (
            os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
        )
        raise SpawnError(
            f"cannot start {argv[0]}: {text}", type(error).__name__
        ) from error
    finally:
        os.chdir("/")
    return Script(pid, _open_pidfd(pid), started_ns)


def _open_pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return -1
