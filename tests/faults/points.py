"""What the fault tests know of the named points: who comes by, and what may be lost there."""

from tests.faults.processes import SHIM, SUPERVISOR, WORKER, ZYGOTE

#: Which part of the service comes by a point, by the beginning of its name. Points that
#: several parts share stand with the one that comes first in the workload.
PARTS = {
    "submit.": WORKER,
    "stop.": WORKER,
    "restart.": WORKER,
    "delete.": WORKER,
    "intent.": WORKER,
    "folders.write": WORKER,
    "folders.make": WORKER,
    "database.": WORKER,
    "claim.": SUPERVISOR,
    "launch.": SUPERVISOR,
    "end.": SUPERVISOR,
    "final.": SUPERVISOR,
    "requeue.": SUPERVISOR,
    "recovery.": SUPERVISOR,
    "control.void": SUPERVISOR,
    "zygote.": ZYGOTE,
    "control.": SHIM,
    "script.": SHIM,
    "shim.": SHIM,
}
#: Points behind the spawn record and before the end record: who dies there loses the run.
LOSING = frozenset(
    {
        "control.spawn",  # from the second time on: then it is written again
        "shim.after_spawn_record",
        "shim.after_spawn",
        "shim.before_signal_record",
        "control.signal",
        "shim.before_exit_record",
        "control.end",
    }
)
#: Points that are passed only after another process died at a certain place.
NEEDS = {
    "control.void": "shim.after_excl",
    "recovery.after_void": "shim.after_excl",
    "recovery.after_tombstone": "claim.after_commit",
    "requeue.after_commit": "claim.after_commit",
    "recovery.before_strays": "shim.after_spawn",
    "recovery.after_strays": "shim.after_spawn",
    "zygote.before_strays": "shim.after_spawn",
}
#: Points that a service may come by only once in its life: they need a death that strikes
#: once, or the bytes of a script that nobody has seen before.
ONCE = frozenset(
    {
        "control.void",
        "recovery.after_void",
        "recovery.before_strays",
        "recovery.after_strays",
        "zygote.before_strays",
        "script.keep",
    }
)
#: Points that have a case of their own, with the point that is held up for it: zygote and
#: supervisor race for the strays of a shim, and a zygote that died before ends none.
ALONE = {"zygote.before_strays": "recovery.before_strays"}


def part_of(point: str) -> str:
    """Return the part of the service that comes by ``point``."""
    matching = [prefix for prefix in PARTS if point.startswith(prefix)]
    return PARTS[max(matching, key=len)]
