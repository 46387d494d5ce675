"""Named places where the fault tests may strike; free when ``WEBAPI_FAULT`` is unset.

``WEBAPI_FAULT=<point>:<nth>:<kill|enospc|eio|delay>[,…]`` strikes at the nth time (from 1)
that any process of the service comes by ``<point>``. The times are counted over all
processes by files in the folder ``WEBAPI_FAULT_DIR``, which also proves to the driver
that the fault was done. Standard library only: zygote and shims import it.
"""

import errno
import os
import signal
import time

#: Points just before something is written, where ``enospc`` and ``eio`` may strike too.
WRITES = frozenset(
    {
        # Web workers and supervisor.
        "database.commit",
        "folders.make",
        "folders.write",
        "intent.write",
        # The control file; the first and the last one also by a recovery.
        "control.create",
        "control.identity",
        "control.spawn",
        "control.end",
        "control.signal",
        "control.void",
        # The shim.
        "script.keep",
        "shim.open_outputs",
    }
)
#: Every point there is; what comes by each of them is in ``tests/faults/points.py``.
POINTS = WRITES | {
    # Web workers.
    "submit.after_files",
    "submit.before_commit",
    "submit.after_commit",
    "stop.after_commit",
    "restart.after_commit",
    "intent.after_write",
    "delete.after_commit",
    # Supervisor.
    "claim.before_commit",
    "claim.after_commit",
    "launch.after_send",
    "end.before_read",
    "final.after_files",
    "final.before_commit",
    "final.after_commit",
    "requeue.after_commit",
    "recovery.after_tombstone",
    "recovery.after_void",
    "recovery.before_strays",
    "recovery.after_strays",
    # Zygote.
    "zygote.before_fork",
    "zygote.after_fork",
    "zygote.before_strays",
    # Shim, in the order of an attempt.
    "shim.start",
    "shim.after_excl",
    "shim.after_lock",
    "shim.after_identity",
    "shim.before_spawn_record",
    "shim.after_spawn_record",
    "shim.after_spawn",
    "shim.before_signal_record",
    "shim.before_exit_record",
    "shim.after_exit_record",
    "shim.after_reap",
}
#: How long the fault ``delay`` holds a process, in seconds.
DELAY_SECONDS = 2.0
_NUMBERS = {"enospc": errno.ENOSPC, "eio": errno.EIO}


def _parse(text: str) -> dict[str, tuple[int, str]]:
    """Return the plan: number and kind by point.

    Raises:
        ValueError: If it names something that does not exist; better than no fault.
    """
    plan = {}
    for entry in filter(None, text.split(",")):
        point, nth, kind = entry.split(":")
        if point not in POINTS or kind not in ("kill", "delay", *_NUMBERS):
            raise ValueError(f"WEBAPI_FAULT: no such fault: {entry}")
        if kind in _NUMBERS and point not in WRITES:
            raise ValueError(f"WEBAPI_FAULT: nothing is written there: {entry}")
        plan[point] = (int(nth), kind)
    return plan


_PLAN = _parse(os.environ.get("WEBAPI_FAULT", ""))
_FOLDER = os.environ.get("WEBAPI_FAULT_DIR", "")


def pass_point(point: str) -> None:
    """Strike here if the plan says so; otherwise do nothing.

    Raises:
        OSError: With ENOSPC or EIO, when that is the planned fault.
    """
    if _PLAN and point in _PLAN:
        _count_and_strike(point, *_PLAN[point])


def _count_and_strike(point: str, nth: int, kind: str) -> None:
    if os.access(f"{_FOLDER}/{point}.done", os.F_OK) or _next_count(point) != nth:
        return
    _make(f"{_FOLDER}/{point}.done")
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "delay":
        time.sleep(DELAY_SECONDS)
    else:
        raise OSError(_NUMBERS[kind], os.strerror(_NUMBERS[kind]))


def _next_count(point: str) -> int:
    count = 1
    while True:
        try:
            _make(f"{_FOLDER}/{point}.{count}")
        except FileExistsError:
            count += 1
        else:
            return count


def _make(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
