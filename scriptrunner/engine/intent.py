"""Orders for a running attempt: written as a file, announced by a signal, confirmed by slot 3.

Whoever gives an order writes the intent first and looks for the shim second; the shim
writes its identity first and looks for intents second. So one of the two always sees the
other, and no order falls between. Standard library only: the shim imports the reader.
"""

import errno
import json
import os
import signal
import time

from scriptrunner.engine import control_file, process_tree
from scriptrunner.fault_points import pass_point

#: Kinds of order by weight: a heavier one takes over from a lighter one.
WEIGHTS = {"timeout": 1, "stop": 2, "cancel": 2, "restart": 2, "kill": 3}
#: Seconds between two looks at the control file while waiting for delivery.
LOOK_SECONDS = 0.003


class Intent:
    """What somebody asked for: ``kind``, ``principal`` and ``grace_seconds`` (None: default)."""

    __slots__ = ("grace_seconds", "kind", "principal")

    def __init__(
        self, kind: str, principal: str | None, grace_seconds: float | None
    ) -> None:
        self.kind = kind
        self.principal = principal
        self.grace_seconds = grace_seconds


class Delivery:
    """What came of an order: ``delivered``, or the attempt ``ended`` by itself first."""

    __slots__ = ("delivered", "ended")

    def __init__(self, *, delivered: bool, ended: bool) -> None:
        self.delivered = delivered
        self.ended = ended


def _file_name(kind: str) -> str:
    return "intent.kill" if kind == "kill" else "intent.stop"


def write(
    run_dir: str, kind: str, *, principal: str, grace_seconds: float | None
) -> bool:
    """Leave an order in the run's folder; False if one of that weight is there already.

    The file appears whole or not at all. On a full disk an empty file stands for the
    order with default values.

    Raises:
        FileNotFoundError: If the run's folder is gone.
    """
    target = f"{run_dir}/{_file_name(kind)}"
    draft = f"{target}.{os.getpid()}.{time.monotonic_ns()}"
    text = json.dumps(
        {"kind": kind, "principal": principal, "grace_seconds": grace_seconds}
    )
    try:
        _write_new(draft, text.encode("ascii"))
    except OSError as error:
        _remove(draft)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _write_empty(target)
    try:
        os.link(draft, target)
    except FileExistsError:
        return False
    finally:
        _remove(draft)
    return True


def _write_new(path: str, data: bytes) -> None:
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
    )
    try:
        pass_point("intent.write")
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _write_empty(target: str) -> bool:
    try:
        _write_new(target, b"")
    except FileExistsError:
        return False
    return True


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def read(run_dir: str) -> Intent | None:
    """Return the heaviest order left in ``run_dir``, or None."""
    for name, kind in (("intent.kill", "kill"), ("intent.stop", "stop")):
        data = process_tree.read_file(f"{run_dir}/{name}")
        if data is not None:
            return _parse(data, kind)
    return None


def _parse(data: bytes, kind: str) -> Intent:
    try:
        value = json.loads(data)
        return Intent(value["kind"], value["principal"], value["grace_seconds"])
    except (ValueError, KeyError, TypeError):
        return Intent(kind, None, None)


def order(
    run_dir: str,
    attempt: int,
    *,
    kind: str,
    principal: str,
    grace_seconds: float | None,
) -> bool:
    """Write an order and signal the attempt's shim; False if it had been given before.

    Args:
        run_dir: The run's folder.
        attempt: The attempt that is claimed now.
        kind: ``stop``, ``cancel``, ``restart`` or ``kill``.
        principal: Who asks.
        grace_seconds: From SIGTERM to SIGKILL; None for the attempt's own.
    """
    fresh = write(run_dir, kind, principal=principal, grace_seconds=grace_seconds)
    pass_point("intent.after_write")
    signal_shim(run_dir, attempt)
    return fresh


def signal_shim(run_dir: str, attempt: int) -> bool:
    """Tell the shim to look for orders; False if it is not there (yet, or any more)."""
    record = control_file.read(control_file.path_of(run_dir, attempt))
    if record is None or record.identity is None or record.end is not None:
        return False
    identity = record.identity
    pid, start = identity["pid"], identity["start"]
    is_sent = process_tree.send_signal(pid, start, signal.SIGTERM)
    # A script may have stopped its keeper, by mistake or not.
    return is_sent and process_tree.send_signal(pid, start, signal.SIGCONT)


def look(run_dir: str, attempt: int, kind: str) -> Delivery:
    """Return what the control file says of an order of ``kind`` right now."""
    record = control_file.read(control_file.path_of(run_dir, attempt))
    if record is None:
        return Delivery(delivered=False, ended=False)
    seen = record.signal or {}
    weight = WEIGHTS.get(str(seen.get("kind")), 0)
    return Delivery(
        delivered=weight >= WEIGHTS[kind] and bool(seen.get("delivered")),
        ended=record.end is not None,
    )


def await_delivery(
    run_dir: str, attempt: int, kind: str, timeout_seconds: float
) -> Delivery:
    """Wait until an order was carried out or the attempt is over, at most so many seconds."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        delivery = look(run_dir, attempt, kind)
        if delivery.delivered or delivery.ended or time.monotonic() >= deadline:
            return delivery
        time.sleep(LOOK_SECONDS)
