"""The processes of a service under test, by their part in it. Linux, by ``/proc``."""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
#: Parts of a service that a fault test may kill.
PARENT, WORKER, SUPERVISOR, ZYGOTE, SHIM = (
    "web parent",
    "web worker",
    "supervisor",
    "zygote",
    "shim",
)
#: The processes of the service itself.
ROLES = (PARENT, WORKER, SUPERVISOR, ZYGOTE, SHIM)
SCRIPT, HELPER = "script", "helper"


@dataclass(frozen=True, slots=True)
class Process:
    """One living process, known by pid and start time."""

    pid: int
    parent: int
    session: int
    start: int
    command: tuple[str, ...]

    def kill(self, number: int = signal.SIGKILL) -> bool:
        """Send a signal to this very process; False if it is gone."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            now = read_process(self.pid)
            if now is None or now.start != self.start:
                return False
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True

    def age(self) -> float:
        """Return the seconds since its start."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.start / TICKS_PER_SECOND


def read_process(pid: int) -> Process | None:
    """Return the process with a pid, or None if it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    fields = stat.rpartition(b")")[2].split()
    if fields[0] in (b"Z", b"X"):
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        session=int(fields[3]),
        start=int(fields[19]),
        command=tuple(command.decode(errors="replace").split("\0")[:-1]),
    )


def list_processes() -> list[Process]:
    """Return every living process of this machine that we can see."""
    pids = (
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()
    )
    found = (read_process(pid) for pid in pids)
    return [each for each in found if each is not None]


def list_below(ancestors: Collection[int]) -> list[Process]:
    """Return all living processes that descend from ``ancestors`` (pids)."""
    children: dict[int, list[Process]] = defaultdict(list)
    for process in list_processes():
        children[process.parent].append(process)
    found: list[Process] = []
    waiting = [child for pid in ancestors for child in children[pid]]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children[process.pid]
    return found


class Roles:
    """Tells the part of each of a service's processes.

    A zygote is in the session of its supervisor; a shim leads a session of its own, but
    is born in that of its zygote. Until its exec, a script looks like its shim.
    """

    def __init__(
        self, processes: Collection[Process], web_pids: Collection[int]
    ) -> None:
        self._web_pids = web_pids
        self._supervisors = {
            each.pid for each in processes if "scriptrunner.supervise" in each.command
        }
        forked = {each.pid for each in processes if _is_forked(each)}
        self._shims = {
            each.pid
            for each in processes
            if each.pid in forked
            and (each.session == each.pid or each.parent in forked)
        }

    def role_of(self, process: Process) -> str:
        """Return the part of one process."""
        if process.pid in self._web_pids:
            return PARENT
        if process.pid in self._supervisors:
            return SUPERVISOR
        if process.parent in self._shims:
            return SCRIPT
        if process.pid in self._shims:
            return SHIM
        if _is_forked(process):
            is_certain = process.parent in self._supervisors or process.age() > 1.0
            return ZYGOTE if is_certain else HELPER
        if process.session in self._web_pids:
            return WORKER if "spawn_main" in " ".join(process.command) else HELPER
        return HELPER if process.session in self._supervisors else SCRIPT


def _is_forked(process: Process) -> bool:
    """Return whether a process is a zygote or was forked from one."""
    return any(each.endswith("supervisor/zygote.py") for each in process.command)


def by_role(
    processes: Collection[Process], *, web_pids: Collection[int]
) -> dict[str, list[Process]]:
    """Return processes by their part in the service."""
    roles = Roles(processes, web_pids)
    found: dict[str, list[Process]] = defaultdict(list)
    for process in processes:
        found[roles.role_of(process)].append(process)
    return found


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process that is its own (not shared), in MiB."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    wanted = ("Private_Clean:", "Private_Dirty:")
    lines = (line.split() for line in text.splitlines())
    return sum(int(words[1]) for words in lines if words[0] in wanted) / 1024
