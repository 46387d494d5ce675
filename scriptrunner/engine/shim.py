"""The shim: the small parent of one attempt, which outlives the service if it must.

Standard library only. It is either forked by the zygote or started by itself::

    python -I -S scriptrunner/engine/shim.py  <  one launch order as JSON

Steps of an attempt; each leaves the control file in a state that recovery understands:

1. Make the control file; whoever loses that race has nothing to do.
2. Take its lock, write who we are.
3. Look for orders given before we were there.
4. Check and keep the script, open the output files.
5. Write the spawn record: from here the script may have run. Start it.
6. Watch it; end its tree; write the end record; reap it.
"""

import os
import signal
import sys
import time

if not __package__:  # started by its path: the package lies two folders above
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from scriptrunner.engine import control_file, intent, kernel, process_tree
from scriptrunner.engine.beneath import open_beneath
from scriptrunner.engine.fault_points import pass_point
from scriptrunner.engine.keeper import Keeper
from scriptrunner.engine.output import OutputFile
from scriptrunner.engine.process import SpawnError, start
from scriptrunner.engine.script_file import ScriptChangedError, ScriptFile, take

#: Version of the control file's contents; readers understand at least two.
FORMAT = 1
#: Exit codes of a shim, for people who look at its log; nothing depends on them.
DONE, NOT_MINE = 0, 75
#: Longest error text in an end record, in characters.
ERROR_CHARACTERS = 200


def run_attempt(launch: dict) -> int:  # type: ignore[type-arg]
    """Be the shim of one attempt in this process, and return ``DONE`` or ``NOT_MINE``.

    The process becomes a session leader and the subreaper of its descendants, so it must
    be single-threaded and have no other children.

    Args:
        launch: The launch order (``Launch.to_mapping``).
    """
    wake = _prepare_process()
    control = _claim(launch)
    if control is None:
        return NOT_MINE
    try:
        record = _run(launch, control, wake)
    except OSError as error:
        record = _not_started("spawn_error", str(error), type(error).__name__)
    _write_end(launch, control, record)
    _reap_all()
    return DONE


def _prepare_process() -> int:
    """Detach from the terminal, adopt orphans, and turn SIGTERM into a readable pipe."""
    if os.getsid(0) != os.getpid():
        try:
            os.setsid()
        except PermissionError:
            pass  # a group leader already: the caller's session serves as well
    kernel.become_subreaper()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _claim(launch: dict) -> int | None:  # type: ignore[type-arg]
    """Make and lock the control file and say who we are; None if it is not ours to run."""
    pass_point("shim.start")
    path = control_file.path_of(launch["run_dir"], launch["attempt"])
    try:
        control = control_file.create(path)
    except (FileExistsError, FileNotFoundError):
        return None  # somebody was first, or the run was deleted
    pass_point("shim.after_excl")
    if not control_file.lock(control):
        return None
    pass_point("shim.after_lock")
    if control_file.read_descriptor(control).spawn is control_file.VOID:
        return None
    control_file.write_slot(control, control_file.IDENTITY, _identity(launch))
    pass_point("shim.after_identity")
    return control


def _identity(launch: dict) -> dict[str, object]:  # type: ignore[type-arg]
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


def _run(launch: dict, control: int, wake: int) -> dict[str, object]:  # type: ignore[type-arg]
    """Start and watch the script; return the end record."""
    order = intent.read(launch["run_dir"])
    if order is not None:
        record = _not_started(order.kind, None, None)
        record["principal"] = order.principal
        return record
    try:
        file = take(
            launch["script_path"],
            launch["script_root"],
            launch["script_relative"],
            expected=launch["script_sha256"],
            scripts_dir=launch["scripts_dir"],
        )
    except ScriptChangedError as error:
        return _not_started("script_changed", str(error), "ScriptChangedError")
    try:
        folder = open_beneath(launch["working_root"], launch["working_relative"], folder=True)
    except OSError as error:
        return _not_started("spawn_error", f"working folder: {error.strerror}", "OSError")
    return _start_and_watch(launch, control, wake, file, folder)


def _start_and_watch(  # type: ignore[no-untyped-def]
    launch: dict,  # type: ignore[type-arg]
    control: int,
    wake: int,
    file: ScriptFile,
    folder: int,
) -> dict[str, object]:
    prefix = f"{launch['run_dir']}/a{launch['attempt']}"
    cap = launch["max_output_bytes"]
    outputs = OutputFile(f"{prefix}.out", cap), OutputFile(f"{prefix}.err", cap)
    pass_point("shim.before_spawn_record")
    spawn = {"at_us": time.time_ns() // 1000, "sha256": file.sha256, "size": file.size}
    durable = launch["durable"]
    control_file.write_slot(control, control_file.SPAWN, spawn, durable=durable)
    pass_point("shim.after_spawn_record")
    if not file.is_unchanged():
        return _not_started("script_changed", "the script was replaced", "ScriptChangedError")
    argv = [launch["python"], launch["script_path"], *launch["args"]]
    try:
        script = start(
            argv,
            launch["environment"],
            folder=folder,
            stdout=outputs[0].descriptor,
            stderr=outputs[1].descriptor,
        )
    except SpawnError as error:
        return _not_started("spawn_error", str(error), error.error_type)
    os.close(folder)
    pass_point("shim.after_spawn")
    return Keeper(launch, control, wake, script, file, outputs).watch()


def _not_started(reason: str, error: str | None, error_type: str | None) -> dict[str, object]:
    return {
        "reason": reason,
        "exit_code": None,
        "ended_us": time.time_ns() // 1000,
        "error": (error or "")[:ERROR_CHARACTERS] or None,
        "error_type": error_type,
    }


def _write_end(launch: dict, control: int, record: dict[str, object]) -> None:  # type: ignore[type-arg]
    pass_point("shim.before_exit_record")
    control_file.write_slot(control, control_file.END, record, durable=launch["durable"])
    pass_point("shim.after_exit_record")


def _reap_all() -> None:
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def main() -> int:
    """Read one launch order from standard input and run it."""
    import json  # noqa: PLC0415 - the zygote has it already

    launch = json.loads(sys.stdin.buffer.read())
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    return run_attempt(launch)


if __name__ == "__main__":
    # Not sys.exit: nothing may run between the end record and the end of the process.
    os._exit(main())
