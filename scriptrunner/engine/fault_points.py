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

#: How long the fault ``delay`` holds a process, in seconds.
DELAY_SECONDS = 2.0


def _parse(text: str) -> dict[str, tuple[int, str]]:
    plan = {}
    for entry in filter(None, text.split(",")):
        point, nth, kind = entry.split(":")
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
    if _next_count(point) != nth:
        return
    open(f"{_FOLDER}/{point}.done", "x").close()
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "delay":
        time.sleep(DELAY_SECONDS)
    else:
        number = errno.ENOSPC if kind == "enospc" else errno.EIO
        raise OSError(number, os.strerror(number))


def _next_count(point: str) -> int:
    count = 1
    while True:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        try:
            os.close(os.open(f"{_FOLDER}/{point}.{count}", flags, 0o600))
        except FileExistsError:
            count += 1
        else:
            return count
