"""Whether what is told of a run is a life that a run can have."""

from collections.abc import Mapping, Sequence
from typing import Any

#: After which event of a run's life which may come; the others are notes in between.
FOLLOWERS: Mapping[str, frozenset[str]] = {
    "": frozenset({"queued"}),
    "queued": frozenset({"dequeued", "stop_requested", "finished"}),
    # Put back before its script was started: queued again; in a retry nothing is told.
    "dequeued": frozenset({"queued", "start", "stop_requested", "finished"}),
    "start": frozenset(
        {"success", "failed", "timeout", "forced_termination", "failure"}
        | {"stop_requested"}
    ),
    "stop_requested": frozenset(
        {"stop_requested", "start", "finished"}
        | {"success", "failed", "timeout", "forced_termination", "failure"}
    ),
    "success": frozenset({"finished"}),
    "failed": frozenset({"finished", "retry_scheduled"}),
    "timeout": frozenset({"finished", "retry_scheduled"}),
    "forced_termination": frozenset({"finished"}),
    "failure": frozenset({"finished"}),
    "retry_scheduled": frozenset({"start", "stop_requested", "finished"}),
    "finished": frozenset(),
}
ENDS = frozenset({"success", "failed", "timeout", "forced_termination", "failure"})
#: Which status may follow which, between two looks at a record. Put back: queued again.
STATUSES: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"queued", "running", "completed", "failed", "cancelled"}),
    "running": frozenset({"queued", "running", "completed", "failed", "cancelled"}),
    "completed": frozenset({"completed"}),
    "failed": frozenset({"failed"}),
    "cancelled": frozenset({"cancelled"}),
}
TERMINAL = frozenset({"completed", "failed", "cancelled"})


def find_faults(events: Sequence[Mapping[str, Any]], status: str) -> list[str]:
    """Return what is wrong with the events of a run that has ``status``, as sentences."""
    faults = []
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        faults.append("the numbers of the events have gaps")
    path = [e["event_type"] for e in events if e["event_type"] in FOLLOWERS]
    for earlier, later in zip(["", *path], path, strict=False):
        if later not in FOLLOWERS[earlier]:
            faults.append(f"{later} after {earlier or 'nothing'}")
    if (status in TERMINAL) != (path[-1:] == ["finished"]):
        faults.append(f"{status}, but the last event is {path[-1:]}")
    return faults + _find_attempt_faults(events)


def _find_attempt_faults(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each attempt has at most one start and one end, and its number grows."""
    faults = []
    seen: set[tuple[str, int]] = set()
    last_started = 0
    for event in events:
        kind, number = event["event_type"], event["data"].get("attempt_number") or 0
        word = "end" if kind in ENDS else kind
        if word not in {"start", "end"}:
            continue
        if (word, number) in seen:
            faults.append(f"a second {word} of attempt {number}")
        seen.add((word, number))
        if word == "start" and number <= last_started:
            faults.append(f"attempt {number} after attempt {last_started}")
        if word == "start":
            last_started = number
        elif ("start", number) not in seen:
            faults.append(f"an end of attempt {number} that never started")
    return faults
