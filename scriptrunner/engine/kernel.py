"""What the kernel offers beyond Python's ``os``: prctl, hole punching, rusage of a zombie.

Standard library only, imported by zygote and shim. Where a feature is missing the
functions say so by their result and never raise for it.
"""

import ctypes
import errno
import os
import sys

#: Errors of a disk without room, or without any for this user.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
IS_LINUX = sys.platform == "linux"
_PR_SET_CHILD_SUBREAPER = 36
_FALLOC_FL_KEEP_SIZE = 1
_FALLOC_FL_PUNCH_HOLE = 2
#: Number of the system call waitid(2), which unlike the C function gives the rusage.
_SYS_WAITID = {"x86_64": 247, "aarch64": 95, "riscv64": 95}.get(os.uname().machine)
_P_PID = 1

_libc = ctypes.CDLL(None, use_errno=True)


class _TimeVal(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("microseconds", ctypes.c_long))


class Rusage(ctypes.Structure):
    """``struct rusage`` of getrusage(2); ``maxrss`` in KiB."""

    _fields_ = (
        ("utime", _TimeVal),
        ("stime", _TimeVal),
        *(
            (name, ctypes.c_long)
            for name in (
                "maxrss",
                "ixrss",
                "idrss",
                "isrss",
                "minflt",
                "majflt",
                "nswap",
                "inblock",
                "oublock",
                "msgsnd",
                "msgrcv",
                "nsignals",
                "nvcsw",
                "nivcsw",
            )
        ),
    )


def become_subreaper() -> bool:
    """Become the new parent of all orphaned descendants; return whether that worked."""
    return bool(IS_LINUX and _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def punch_hole(descriptor: int, offset: int, length: int) -> bool:
    """Give the blocks of a byte range back without changing the file's size."""
    if not IS_LINUX:
        return False
    mode = _FALLOC_FL_KEEP_SIZE | _FALLOC_FL_PUNCH_HOLE
    answer = _libc.fallocate(
        descriptor, mode, ctypes.c_longlong(offset), ctypes.c_longlong(length)
    )
    return bool(answer == 0)


def look_at_usage(pid: int) -> Rusage | None:
    """Return the resource usage of a zombie child and all it waited for, without reaping.

    None where the system call is not known.
    """
    if not IS_LINUX or _SYS_WAITID is None:
        return None
    usage = Rusage()
    info = ctypes.create_string_buffer(128)
    answer = _libc.syscall(
        ctypes.c_long(_SYS_WAITID),
        ctypes.c_int(_P_PID),
        ctypes.c_int(pid),
        info,
        ctypes.c_int(os.WEXITED | os.WNOWAIT | os.WNOHANG),
        ctypes.byref(usage),
    )
    return usage if answer == 0 else None


def return_free_memory() -> None:
    """Give memory that is free but kept back to the system, where the C library can.

    Loading libraries leaves some megabytes of it, which a long-lived process would hold
    for ever.
    """
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)


def list_missing_features() -> list[str]:
    """Return in words what this system lacks of what supervision builds on.

    Empty on Linux 5.4 or later. What is lost then stands in
    ``docs/explanation/supervision.md``.
    """
    missing = []
    if _SYS_WAITID is None or not IS_LINUX:
        missing.append("resource usage is taken before the end is on record")
    if not IS_LINUX:
        missing.append("orphans of a script do not come to its shim")
    if not os.path.exists("/proc/self/task"):
        missing.append("the processes below a script cannot be listed")
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError):
        missing.append("signals may in theory meet a process id that was used again")
    return missing
