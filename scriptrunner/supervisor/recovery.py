"""What became of an attempt that nobody watches: read from its control file.

Every claimed attempt is in exactly one of the situations of ``Finding``. Only the
supervisor calls this, and only it (and the shim) ever takes a control file's lock.
"""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from scriptrunner.engine import control_file, process_tree
from scriptrunner.engine.kernel import NO_SPACE
from scriptrunner.engine.strays import end_strays, leader_of
from scriptrunner.fault_points import pass_point
from scriptrunner.supervisor.ports import ActiveAttempt, End


class Finding(StrEnum):
    """What is to be done with an attempt."""

    #: It is over: record ``end``.
    ENDED = "ended"
    #: Its shim lives: watch ``pidfd`` (or ``pid`` by looking, without pidfd).
    ALIVE = "alive"
    #: Its script was provably never started: put the run back into the queue.
    NOT_STARTED = "not_started"
    #: Somebody is in the middle of something: look again soon.
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """The finding about one attempt, with what is needed to act on it."""

    finding: Finding
    end: End | None = None
    pidfd: int | None = None


def examine(attempt: ActiveAttempt, *, boot_id: str) -> Examination:
    """Find out what became of ``attempt``; idempotent, and safe against a shim at work.

    Steps:
        1. No control file: make one, so that a shim that comes late finds it taken. If
           the record says that the script was started, somebody removed it: lost.
        2. A valid end record, or an unreadable one: it is over.
        3. Claimed under another boot: the files prove nothing more; the machine restarted.
        4. Its lock is held: the shim lives.
        5. Its lock is free: take it, look again, and decide by the spawn record.

    Raises:
        OSError: If the folder cannot be read; the caller tries again later.
    """
    try:
        return _examine(attempt, boot_id)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        return Examination(finding=Finding.UNCLEAR)  # until there is room


def _examine(attempt: ActiveAttempt, boot_id: str) -> Examination:
    path = control_file.path_of(attempt.run_dir, attempt.attempt)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return _examine_missing(attempt, path, boot_id)
    try:
        return _examine_file(attempt, descriptor, boot_id)
    finally:
        os.close(descriptor)


def _examine_missing(attempt: ActiveAttempt, path: str, boot_id: str) -> Examination:
    if attempt.boot_id != boot_id:
        return _lost(attempt, None, "host_restart", None)
    if attempt.is_started:
        end_strays(attempt.run_id, None)
        return _lost(attempt, None, "lost", "the files of the run are gone")
    Path(attempt.run_dir).mkdir(mode=0o700, exist_ok=True)
    try:
        os.close(control_file.create(path))
    except FileExistsError:
        return Examination(finding=Finding.UNCLEAR)
    pass_point("recovery.after_tombstone")
    return Examination(finding=Finding.NOT_STARTED)


def _examine_file(attempt: ActiveAttempt, descriptor: int, boot_id: str) -> Examination:
    record = control_file.read_descriptor(descriptor)
    if record.end is not None or record.end_damaged:
        return _ended(attempt, record)
    if attempt.boot_id != boot_id:
        return _lost(attempt, record, "host_restart", None)
    if control_file.holder(descriptor) is not None:
        return _attach(record)
    if not control_file.lock(descriptor):
        return Examination(finding=Finding.UNCLEAR)
    record = control_file.read_descriptor(
        descriptor
    )  # it may have ended between the looks
    if record.end is not None or record.end_damaged:
        return _ended(attempt, record)
    never_started = record.spawn is None or record.spawn is control_file.VOID
    if never_started and not attempt.is_started:
        control_file.write_void(descriptor)
        pass_point("recovery.after_void")
        return Examination(finding=Finding.NOT_STARTED)
    pass_point("recovery.before_strays")
    end_strays(attempt.run_id, _leader(record))
    pass_point("recovery.after_strays")
    return _lost(attempt, record, _reason(record), None)


def _ended(attempt: ActiveAttempt, record: control_file.ControlFile) -> Examination:
    if record.end is None:
        end_strays(attempt.run_id, _leader(record))
        return _lost(attempt, record, "lost", "exit record damaged")
    end = End(
        run_id=attempt.run_id,
        attempt=attempt.attempt,
        spawn=_spawn(record),
        end=record.end,
    )
    return Examination(finding=Finding.ENDED, end=end)


def _lost(
    attempt: ActiveAttempt,
    record: control_file.ControlFile | None,
    reason: str,
    detail: str | None,
) -> Examination:
    end = End(
        run_id=attempt.run_id,
        attempt=attempt.attempt,
        spawn=_spawn(record) if record else None,
        end=None,
        lost_reason=reason,
        detail=detail,
    )
    return Examination(finding=Finding.ENDED, end=end)


def _spawn(record: control_file.ControlFile) -> dict[str, Any] | None:
    spawn = record.spawn
    return spawn if isinstance(spawn, dict) else None


def _attach(record: control_file.ControlFile) -> Examination:
    """Watch the shim that holds the lock, known by pid and start time."""
    identity = record.identity
    if identity is None:
        return Examination(finding=Finding.UNCLEAR)
    try:
        pidfd = os.pidfd_open(identity["pid"])
    except (OSError, AttributeError):
        return Examination(finding=Finding.UNCLEAR)
    if process_tree.start_time(identity["pid"]) != identity["start"]:
        os.close(pidfd)
        return Examination(finding=Finding.UNCLEAR)
    return Examination(finding=Finding.ALIVE, pidfd=pidfd)


def _reason(record: control_file.ControlFile) -> str:
    """``host_restart`` if the shim lived under another PID 1, else ``lost``."""
    identity = record.identity or {}
    same = identity.get(
        "pid_namespace"
    ) == process_tree.pid_namespace() and identity.get(
        "init_start"
    ) == process_tree.start_time(1)
    return "lost" if same else "host_restart"


def _leader(record: control_file.ControlFile) -> tuple[int, int] | None:
    """Return pid and start time of the script, if it lived under this very PID 1."""
    return leader_of(_spawn(record) or {}) if _reason(record) == "lost" else None
