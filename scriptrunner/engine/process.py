"""Starting a script: fork, a session of its own, closed descriptors, exec.

Standard library only. The caller must be single-threaded: the shim is, by design.
"""

import os
import resource
import signal
import struct

from scriptrunner.engine import kernel

#: What the child reports before exec: time of the exec (monotonic ns), errno, step.
_REPORT = struct.Struct("<qi16s")
#: Signals that Python ignores and a script expects at their defaults.
_RESET_SIGNALS = (
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGTERM,
    signal.SIGCHLD,
)


class SpawnError(Exception):
    """The script could not be started; ``error_type`` names the exception or step."""

    def __init__(self, message: str, error_type: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class Script:
    """A started script: its pid, its pidfd (or -1), and when exec was called (ns)."""

    __slots__ = ("pid", "pidfd", "started_ns")

    def __init__(self, pid: int, pidfd: int, started_ns: int) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.started_ns = started_ns


def start(
    argv: list[str], environment: dict[str, str], *, folder: int, stdout: int, stderr: int
) -> Script:
    """Start ``argv`` in a session of its own and return it once exec has succeeded.

    Args:
        argv: Interpreter and arguments; ``argv[0]`` is an absolute path.
        environment: The whole environment of the script.
        folder: Descriptor of its working folder.
        stdout: Descriptor for its output.
        stderr: Descriptor for its errors.

    Raises:
        SpawnError: If fork, chdir or exec fails.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    keeper = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        raise SpawnError(f"cannot fork: {error.strerror}", "OSError") from error
    if pid == 0:
        _become_script(argv, environment, (folder, stdout, stderr, writer), keeper)
    os.close(writer)
    return Script(pid, _open_pidfd(pid), _await_exec(reader, pid))


def _open_pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return -1


def _await_exec(reader: int, pid: int) -> int:
    """Return the time of the exec; a failed one is reaped and raised."""
    report = b""
    while chunk := os.read(reader, 256):
        report += chunk
    os.close(reader)
    if len(report) <= _REPORT.size:
        # Only the time: exec closed the pipe. Nothing at all: killed before exec.
        return int(_REPORT.unpack(report)[0]) if report else _now_ns()
    os.waitpid(pid, 0)
    _, number, step = _REPORT.unpack(report[_REPORT.size : 2 * _REPORT.size])
    name = step.rstrip(b"\0").decode()
    raise SpawnError(f"{name}: {os.strerror(number)}", "OSError")


def _now_ns() -> int:
    import time  # noqa: PLC0415 - nearly never needed

    return time.monotonic_ns()


def _become_script(
    argv: list[str],
    environment: dict[str, str],
    descriptors: tuple[int, int, int, int],
    keeper: int,
) -> None:
    """Turn the forked child into the script; never returns."""
    import time  # noqa: PLC0415 - loaded long before; the name is only used here

    step = b"setsid"
    report = descriptors[3]
    try:
        os.setsid()
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(127)
        for number in _RESET_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        step = b"chdir"
        os.fchdir(descriptors[0])
        step = b"descriptors"
        report = _arrange_descriptors(descriptors)
        step = b"exec"
        os.write(report, _REPORT.pack(time.monotonic_ns(), 0, b""))
        os.execve(argv[0], argv, environment)
    except OSError as error:
        _report_failure(report, error.errno or 0, step)
    except ValueError:
        _report_failure(report, 22, step)
    finally:
        os._exit(127)


def _report_failure(report: int, number: int, step: bytes) -> None:
    if step != b"exec":
        os.write(report, _REPORT.pack(0, 0, b""))
    os.write(report, _REPORT.pack(0, number, step))


def _arrange_descriptors(descriptors: tuple[int, int, int, int]) -> int:
    """Make 0, 1, 2 what the script gets and 3 the report; close everything else."""
    # First out of the way: a source may itself lie below 4.
    _, stdout, stderr, report = (os.dup(each) if each < 4 else each for each in descriptors)
    stdout, stderr, report = (_lift(each) for each in (stdout, stderr, report))
    nothing = _lift(os.open(os.devnull, os.O_RDONLY))
    os.dup2(nothing, 0)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(report, 3, inheritable=False)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    return 3


def _lift(descriptor: int) -> int:
    """Return a duplicate of ``descriptor`` that is 4 or higher."""
    while descriptor < 4:
        descriptor = os.dup(descriptor)
    return descriptor
