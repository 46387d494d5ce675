"""Processes that outlived their shim: found by session and by ``RUN_ID``, and ended.

Standard library only.
"""

import os
import signal
from collections.abc import Iterator

from scriptrunner.engine import process_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Rounds of looking; the second finds children that were born during the first.
PASSES = 2


def leader_of(spawn: "Mapping[str, Any]") -> tuple[int, int] | None:
    """Return pid and start time of the script that a spawn record tells of, or None."""
    pid, start = spawn.get("pid"), spawn.get("start")
    return (pid, start) if isinstance(pid, int) and isinstance(start, int) else None


def end_strays(run_id: str, leader: tuple[int, int] | None) -> int:
    """Kill every process of a run whose shim is gone; return how many there were.

    Args:
        run_id: The run; its processes carry it as ``RUN_ID`` in their environment.
        leader: pid and start time of the run's script, which leads a session of its own.
            While it is there, its session finds processes that wrote over their
            environment. Later the number may be anybody's.
    """
    session = None
    if leader is not None and process_tree.start_time(leader[0]) == leader[1]:
        session = leader[0]
    killed = set()
    for _ in range(PASSES):
        for pid, start in _find(run_id, session):
            if process_tree.send_signal(pid, start, signal.SIGKILL):
                killed.add((pid, start))  # it may be there still in the next pass
    return len(killed)


def _find(run_id: str, session: int | None) -> Iterator[tuple[int, int]]:
    wanted = b"RUN_ID=" + run_id.encode()
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        stat = process_tree.read_stat(int(name))
        if stat is None or stat.state == b"Z":
            continue
        environment = process_tree.read_whole(f"/proc/{name}/environ")
        values = environment.split(b"\0")
        # Within a session the run id decides too: a script may start another run.
        other = any(each.startswith(b"RUN_ID=") for each in values)
        if wanted in values or (stat.session == session and not other):
            yield stat.pid, stat.start
