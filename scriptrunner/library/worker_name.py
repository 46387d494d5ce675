"""Who works on a scan: a name by which any process can tell whether it still lives."""

import os

from scriptrunner.engine import process_tree


def own_name() -> str:
    """Return the name of this process: boot, pid, start time."""
    pid = os.getpid()
    return f"{process_tree.boot_id()}:{pid}:{process_tree.start_time(pid)}"


def is_alive(name: str) -> bool:
    """Return whether the process of this name is there."""
    boot, _, rest = name.partition(":")
    pid, _, start = rest.partition(":")
    if boot != process_tree.boot_id() or not pid.isdigit():
        return False
    return str(process_tree.start_time(int(pid))) == start
