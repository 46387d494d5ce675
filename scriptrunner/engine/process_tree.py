"""The processes below a keeper: listed from ``/proc``, identified by start time, ended.

Standard library only. A process is known by its pid *and* its start time (field 22 of
``/proc/<pid>/stat``), and signals go through a pidfd whose start time matched, so that a
reused pid is never hit.
"""

import os
import signal
import sys

#: More processes than this are stopped before they are killed, so that a fork bomb loses.
FREEZE_ABOVE = 16
#: Passes of stopping newly found processes before the killing starts.
FREEZE_PASSES = 50


class Stat:
    """A line of ``/proc/<pid>/stat``: what sampling and killing need."""

    __slots__ = (
        "cpu_ticks",
        "parent",
        "pid",
        "rss_pages",
        "session",
        "start",
        "state",
        "threads",
    )

    def __init__(self, pid: int, line: bytes) -> None:
        """Parse ``line``; the command's name may hold blanks and brackets."""
        values = line[line.rindex(b")") + 2 :].split(b" ")
        self.pid = pid
        self.state = values[0]
        self.parent = int(values[1])
        self.session = int(values[3])
        # utime, stime, cutime, cstime: its own time and that of children it waited for.
        self.cpu_ticks = (
            int(values[11]) + int(values[12]) + int(values[13]) + int(values[14])
        )
        self.threads = int(values[17])
        self.start = int(values[19])
        self.rss_pages = int(values[21])


def read_file(path: str) -> bytes | None:
    """Return up to 64 KiB of a ``/proc`` file, or None if its process is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def read_stat(pid: int) -> Stat | None:
    """Return what ``/proc`` says of ``pid``, or None if it is gone."""
    line = read_file(f"/proc/{pid}/stat")
    return Stat(pid, line) if line else None


def start_time(pid: int) -> int | None:
    """Return the start time of ``pid`` in clock ticks after boot, or None if it is gone."""
    stat = read_stat(pid)
    return stat.start if stat else None


def list_children(pid: int) -> list[int]:
    """Return the pids of the direct children of ``pid``, zombies included."""
    if not sys.platform.startswith("linux"):
        return []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found: list[int] = []
    for thread in threads:
        text = read_whole(f"/proc/{pid}/task/{thread}/children")
        found.extend(map(int, text.split()))
    return found


def read_whole(path: str) -> bytes:
    """Return all of a ``/proc`` file, ``b""`` if its process is gone."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""


def list_descendants(pid: int) -> list[Stat]:
    """Return all processes below ``pid`` that live or are not reaped, parents first."""
    found: list[Stat] = []
    waiting = list_children(pid)
    seen = set(waiting)
    while waiting:
        child = waiting.pop()
        stat = read_stat(child)
        if stat is None:
            continue
        found.append(stat)
        for grandchild in list_children(child):
            if grandchild not in seen:
                seen.add(grandchild)
                waiting.append(grandchild)
    return found


def send_signal(pid: int, start: int, number: int) -> bool:
    """Send a signal to the process known by pid and start time; False if it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    except OSError:
        return _send_without_pidfd(pid, start, number)
    try:
        stat = read_stat(pid)
        if stat is None or stat.start != start or stat.state == b"Z":
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def _send_without_pidfd(pid: int, start: int, number: int) -> bool:
    """Do the same on a kernel without pidfd, with a small gap between look and signal."""
    if start_time(pid) != start:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def list_living(pid: int, *, spare: int = 0) -> list[Stat]:
    """Return all processes below ``pid`` but ``spare`` that live, parents first."""
    return [
        each
        for each in list_descendants(pid)
        if each.state != b"Z" and each.pid != spare
    ]


def kill_below(pid: int, *, spare: int = 0) -> int:
    """Send SIGKILL to every living process below ``pid`` but ``spare``; return how many.

    One call may miss a process that is born meanwhile: call again until it returns 0.
    """
    stats = list_living(pid, spare=spare)
    if len(stats) > FREEZE_ABOVE:
        stats = _freeze(pid, spare, stats)
    return sum(send_signal(each.pid, each.start, signal.SIGKILL) for each in stats)


def _freeze(pid: int, spare: int, stats: list[Stat]) -> list[Stat]:
    """Stop all processes until no new one appears, and return them."""
    stopped: dict[int, Stat] = {}
    for _ in range(FREEZE_PASSES):
        fresh = [each for each in stats if each.pid not in stopped]
        if not fresh:
            break
        for each in fresh:
            send_signal(each.pid, each.start, signal.SIGSTOP)
            stopped[each.pid] = each
        stats = list_living(pid, spare=spare)
    return list({**stopped, **{each.pid: each for each in stats}}.values())


def boot_id() -> str:
    """Return the id of this boot of the machine; ``""`` where the system has none."""
    text = read_file("/proc/sys/kernel/random/boot_id")
    return text.decode().strip() if text else ""


def pid_namespace() -> str:
    """Return the name of the PID namespace; alone it proves nothing, numbers are reused."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def count_oom_kills() -> int:
    """Return how many processes the kernel has ended for want of memory since boot.

    0 where the system does not tell.
    """
    text = read_file("/proc/vmstat") or b""
    _, found, rest = text.partition(b"\noom_kill ")
    return int(rest.split(b"\n", 1)[0]) if found else 0
