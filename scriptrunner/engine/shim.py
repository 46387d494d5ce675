"""The shim: the small parent of an attempt, which outlives the service if it must.

Standard library only. A shim keeps one attempt at a time. Under a supervisor it was
forked by the zygote and takes one launch order after another from a socket; for
``ScriptRunner`` it is a process of its own (``local_shim.py``) that runs one.

Steps of an attempt; each leaves the control file in a state that recovery understands:

1. Make the control file; whoever loses that race has nothing to do.
2. Take its lock, write who we are.
3. Look for orders given before we were there.
4. Check and keep the script; scan it if that is asked for; open the output files.
5. Write the spawn record: from here the script may have run. Start it.
6. Watch it; end its tree; write the end record; reap it.
"""

import json
import os
import signal
import struct
import time

from scriptrunner.engine import control_file, intent, kernel, process_tree
from scriptrunner.engine.beneath import open_beneath
from scriptrunner.engine.keeper import Keeper
from scriptrunner.engine.output import OutputFile
from scriptrunner.engine.process import Script, SpawnError, disable_core_dumps, start
from scriptrunner.engine.script_file import ScriptChangedError, ScriptFile, take
from scriptrunner.fault_points import pass_point

TYPE_CHECKING = False  # typing itself is not loaded: every run would pay for it
if TYPE_CHECKING:
    from typing import Any

#: Version of the control file's contents; readers understand at least two.
FORMAT = 1
#: Exit codes of a shim, for people who look at its log; nothing depends on them.
DONE, NOT_MINE = 0, 75
#: Longest error text in an end record, in characters.
ERROR_CHARACTERS = 200
#: Longest text that says which findings block a script; it is ASCII.
MESSAGE_CHARACTERS = 500
#: How often, and how many seconds apart, a failing disk is asked to take the end record.
END_TRIES = 10
END_PAUSE_SECONDS = 0.1


#: Length of a message on the socket: u32, little endian.
LENGTH = struct.Struct("<I")
#: What a shim answers once the end of an attempt is on record, and if it was not its own.
ANSWER, NOT_MINE_ANSWER = b".", b"-"


def serve(orders: int) -> None:
    """Run one attempt after another until the supervisor closes the socket.

    Args:
        orders: A stream socket with launch orders, each a length and JSON. ``ANSWER``
            or ``NOT_MINE_ANSWER`` goes back after each. If the supervisor dies during an attempt, the attempt
            is brought to its end and the shim ends then.
    """
    wake = prepare_process()
    while True:
        launch = _receive(orders)
        if launch is None:
            return
        is_done = run_attempt(launch, wake) == DONE
        try:
            os.write(orders, ANSWER if is_done else NOT_MINE_ANSWER)
        except OSError:
            return


def _receive(orders: int) -> "dict[str, Any] | None":
    head = _read_exactly(orders, LENGTH.size)
    if head is None:
        return None
    text = _read_exactly(orders, LENGTH.unpack(head)[0])
    return None if text is None else json.loads(text)


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    """Return ``count`` bytes, or None if the other side is gone."""
    found = b""
    while len(found) < count:
        try:
            data = os.read(descriptor, count - len(found))
        except ConnectionError:
            return None
        if not data:
            return None
        found += data
    return found


def run_attempt(launch: "dict[str, Any]", wake: int) -> int:
    """Run one attempt from its control file to its end record.

    The process must be single-threaded, prepared by ``prepare_process``, and have no
    children.

    Args:
        launch: The launch order (``Launch.to_mapping``).
        wake: What ``prepare_process`` returned.

    Returns:
        ``DONE``, or ``NOT_MINE`` if somebody else has the attempt, or if there was no
        room on the disk to begin: it is put back then.

    Raises:
        OSError: If the started script cannot be watched. Our end is its end then: the
            zygote and the next recovery see to that.
    """
    _drain(wake)
    control = _claim(launch)
    if control is None:
        return NOT_MINE
    try:
        record = _run(launch, control, wake)
        if record is None:
            return NOT_MINE
        _write_end(launch, control, record)
        _reap_all()
        pass_point("shim.after_reap")
        return DONE
    finally:
        os.close(control)  # drops its lock


def _drain(wake: int) -> None:
    """Forget old wake-ups; orders are looked for after the identity is written."""
    try:
        os.read(wake, 4096)
    except BlockingIOError:
        return


def prepare_process() -> int:
    """Detach from the terminal, adopt orphans, and turn SIGTERM into a readable pipe.

    Returns:
        The read end of that pipe, for ``run_attempt``.
    """
    if os.getsid(0) != os.getpid():
        try:
            os.setsid()
        except PermissionError:
            pass  # a group leader already: the caller's session serves as well
    kernel.become_subreaper()
    disable_core_dumps()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _claim(launch: "dict[str, Any]") -> int | None:
    """Make and lock the control file and say who we are; None if it is not ours to run."""
    pass_point("shim.start")
    path = control_file.path_of(launch["run_dir"], launch["attempt"])
    try:
        control = control_file.create(path)
    except OSError:
        return None  # somebody was first, the run was deleted, or the disk is full
    try:
        is_ours = _take(control, launch)
    except OSError:
        is_ours = False  # nothing was started, and the control file says so
    if not is_ours:
        os.close(control)
        return None
    pass_point("shim.after_identity")
    return control


def _take(control: int, launch: "dict[str, Any]") -> bool:
    """Lock the control file and write our identity; False if a recovery was first."""
    pass_point("shim.after_excl")
    locked = control_file.lock(control)
    pass_point("shim.after_lock")
    if not locked or control_file.read_descriptor(control).spawn is control_file.VOID:
        return False
    control_file.write_slot(control, control_file.IDENTITY, _identity(launch))
    return True


def _identity(launch: "dict[str, Any]") -> dict[str, object]:
    return {
        "format": FORMAT,
        "run_id": launch["run_id"],
        "attempt": launch["attempt"],
        "pid": os.getpid(),
        "start": process_tree.start_time(os.getpid()),
        "boot_id": process_tree.boot_id(),
        "pid_namespace": process_tree.pid_namespace(),
        "init_start": process_tree.start_time(1),
    }


def _run(launch: "dict[str, Any]", control: int, wake: int) -> dict[str, object] | None:
    """Start and watch the script; return the end record, None if there is no room."""
    order = intent.read(launch["run_dir"])
    if order is not None:
        return _ended_by(order)
    try:
        file = _take_script(launch)
        record = _scan(launch, file, wake) if launch["scans"] else None
        if record is not None:
            return record
        if launch["dry_run"]:
            return _not_started("dry_run", None, None)
        keeper = _prepare_and_start(launch, control, wake, file)
    except ScriptChangedError as error:
        return _not_started("script_changed", str(error), "ScriptChangedError")
    except SpawnError as error:
        return _not_started("spawn_error", str(error), error.error_type)
    except OSError as error:
        if error.errno in kernel.NO_SPACE:
            return None
        return _not_started("spawn_error", str(error), type(error).__name__)
    # From here an error is not "not started" any more: it ends this process.
    pass_point("shim.after_spawn")
    return keeper.watch()


def _ended_by(order: intent.Intent) -> dict[str, object]:
    """Return the end record of an attempt that an order ended before its start."""
    record = _not_started(order.kind, None, None)
    record["principal"] = order.principal
    return record


def _take_script(launch: "dict[str, Any]") -> ScriptFile:
    """Check and keep the script."""
    return take(
        launch["script_path"],
        launch["script_root"],
        launch["script_relative"],
        expected=launch["script_sha256"],
        scripts_dir=launch["scripts_dir"],
        with_data=bool(launch["scans"]),
    )


def _scan(
    launch: "dict[str, Any]", file: ScriptFile, wake: int
) -> dict[str, object] | None:
    """Scan the script; return the end record if it must not be started."""
    # Imported here: hardly any run asks for it, and every shim would carry it.
    from scriptrunner.engine.scans import report, session  # noqa: PLC0415

    try:
        reports = session.perform(launch, file.data, file.sha256, wake)
    except session.ScanStoppedError as stopped:
        return _ended_by(stopped.order)
    file.data = b""
    message = report.blocked_message(reports, block=launch["scans"]["block"])
    if message is None or launch["dry_run"]:
        return None
    record = _not_started("scan_blocked", None, None)
    plain = message.encode("ascii", "replace").decode("ascii")
    record["error"] = plain[:MESSAGE_CHARACTERS]
    record["scans"] = report.blocking_kinds(reports)
    return record


def _prepare_and_start(
    launch: "dict[str, Any]", control: int, wake: int, file: ScriptFile
) -> Keeper:
    """Open the script's folder and its output files, and start it."""
    folder = _open_folder(launch)
    outputs: tuple[OutputFile, ...] = ()
    try:
        stdout, stderr = outputs = _open_outputs(launch)
        pass_point("shim.before_spawn_record")
        if not file.is_unchanged():
            raise ScriptChangedError("the script was replaced before it was started")
        spawn = _write_spawn(launch, control, file)
        script = _start(launch, folder, (stdout, stderr))
    except BaseException:
        for output in outputs:
            output.close()
        raise
    finally:
        os.close(folder)
    return Keeper(launch, control, wake, script, spawn, file, (stdout, stderr))


def _open_folder(launch: "dict[str, Any]") -> int:
    """Return a descriptor of the working folder."""
    try:
        return open_beneath(
            launch["working_root"], launch["working_relative"], folder=True
        )
    except OSError as error:
        raise SpawnError(f"working folder: {error.strerror}", "OSError") from error


def _open_outputs(launch: "dict[str, Any]") -> tuple[OutputFile, OutputFile]:
    prefix = f"{launch['run_dir']}/a{launch['attempt']}"
    cap = launch["max_output_bytes"]
    stdout = OutputFile(f"{prefix}.out", cap)
    try:
        pass_point("shim.open_outputs")
        return stdout, OutputFile(f"{prefix}.err", cap)
    except OSError:
        stdout.close()
        raise


def _write_spawn(
    launch: "dict[str, Any]", control: int, file: ScriptFile
) -> dict[str, object]:
    """Write the spawn record and return it."""
    spawn: dict[str, object] = {
        "at_us": time.time_ns() // 1000,
        "sha256": file.sha256,
        "size": file.size,
    }
    if launch["scans"]:
        spawn["scans"] = 1  # their reports are in the run's folder
    durable = launch["durable"]
    control_file.write_slot(control, control_file.SPAWN, spawn, durable=durable)
    pass_point("shim.after_spawn_record")
    return spawn


def _start(
    launch: "dict[str, Any]", folder: int, outputs: tuple[OutputFile, OutputFile]
) -> Script:
    return start(
        [launch["python"], launch["script_path"], *launch["args"]],
        launch["environment"],
        folder=folder,
        stdout=outputs[0].descriptor,
        stderr=outputs[1].descriptor,
    )


def _not_started(
    reason: str, error: str | None, error_type: str | None
) -> dict[str, object]:
    return {
        "reason": reason,
        "exit_code": None,
        "ended_us": time.time_ns() // 1000,
        "error": (error or "")[:ERROR_CHARACTERS] or None,
        "error_type": error_type,
    }


def _write_end(
    launch: "dict[str, Any]", control: int, record: dict[str, object]
) -> None:
    """Write the end record; on a full disk as soon as there is room.

    Its blocks are allocated, yet some file systems want new ones for every write.

    Raises:
        OSError: If the disk refuses for another reason, also at the last try.
    """
    pass_point("shim.before_exit_record")
    durable = launch["durable"]
    tries = 0
    while True:
        try:
            control_file.write_slot(control, control_file.END, record, durable=durable)
            break
        except OSError as error:
            tries += 1
            if error.errno not in kernel.NO_SPACE and tries >= END_TRIES:
                raise
        time.sleep(END_PAUSE_SECONDS)
    pass_point("shim.after_exit_record")


def _reap_all() -> None:
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return
