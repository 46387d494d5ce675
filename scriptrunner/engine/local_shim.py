"""The shim as ``ScriptRunner`` starts it: its script ends with the program that asked.

Standard library only. Started as ``python -I -S local_shim.py <pid of the owner>`` with
one launch order on standard input. The shim itself is a forked child: the kernel counts
the memory of whoever starts a script as the script's own peak, and a forked process maps
less than any interpreter needs, a freshly started one more.

The owner alone can read the result and remove the run's folder. So when it dies, even by
SIGKILL, the script's tree is killed as by an order, and the folder goes too.
"""

import ctypes
import json
import os
import signal
import sys

if not __package__:  # started by its path: the package lies two folders above
    sys.path.insert(0, __file__.rsplit("/", 3)[0])

from scriptrunner.engine import intent, kernel, process_tree, shim

TYPE_CHECKING = False  # typing itself is not loaded: every run would pay for it
if TYPE_CHECKING:
    from typing import Any

_PR_SET_PDEATHSIG = 1
#: What the kernel sends when the owner dies.
OWNER_DIED = signal.SIGUSR1
#: Who gives the order to kill then.
PRINCIPAL = "owner gone"


def main() -> None:
    """Be the parent of one shim for as long as the owner lives; never returns."""
    owner = int(sys.argv[1])
    launch = json.loads(sys.stdin.buffer.read())
    code, is_owner_gone = _run_shim(launch["run_dir"], launch, owner)
    if is_owner_gone:
        # Once per thread of the owner: a late one must not leave an order meanwhile.
        signal.signal(OWNER_DIED, signal.SIG_IGN)
        import shutil  # noqa: PLC0415 - 9 ms that hardly any run needs

        shutil.rmtree(launch["run_dir"], ignore_errors=True)
    # Not sys.exit: nothing may run between the end of the run and that of the process.
    os._exit(code)


def _run_shim(run_dir: str, launch: "dict[str, Any]", owner: int) -> tuple[int, bool]:
    """Fork the shim, wait for its end, and tell its exit code and whether the owner died.

    The signal decides, not only the parent's pid: a process with threads is told to be
    dying while it still counts as our parent.
    """
    kernel.become_subreaper()
    shim_pid = 0
    is_owner_gone = False

    def give_up(*_: object) -> None:
        nonlocal is_owner_gone
        is_owner_gone = True
        # The shim looks for orders when it gets SIGTERM, and once when it begins.
        try:
            intent.write(run_dir, "kill", principal=PRINCIPAL, grace_seconds=0)
            if shim_pid:
                os.kill(shim_pid, signal.SIGTERM)
        except OSError:
            return  # it is over already

    signal.signal(OWNER_DIED, give_up)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(OWNER_DIED), 0, 0, 0)
    if os.getppid() != owner:
        return shim.NOT_MINE, True
    signal.pthread_sigmask(signal.SIG_BLOCK, {OWNER_DIED})
    shim_pid = os.fork()
    if shim_pid == 0:
        os._exit(shim.run_attempt(launch, shim.prepare_process()))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {OWNER_DIED})
    _, status = os.waitpid(shim_pid, 0)
    _end_strays()
    code = os.waitstatus_to_exitcode(status) & 0xFF
    return code, is_owner_gone or os.getppid() != owner


def _end_strays() -> None:
    """End what is left below us: something is only if the shim was killed."""
    while process_tree.kill_below(os.getpid()):
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    main()
