"""The shim as ``ScriptRunner`` starts it: its script ends with the program that asked.

Standard library only. Started as ``python -I -S local_shim.py <pid of the owner>`` with
one launch order on standard input. The owner alone can read the result and remove the
run's folder. So when it dies, even by SIGKILL, the script's tree is killed as by an
order, and the folder goes too.
"""

import ctypes
import json
import os
import signal
import sys

if not __package__:  # started by its path: the package lies two folders above
    sys.path.insert(0, __file__.rsplit("/", 3)[0])

from scriptrunner.engine import intent, shim

_PR_SET_PDEATHSIG = 1
#: What the kernel sends when the owner dies; the script gets it at its default again.
OWNER_DIED = signal.SIGUSR1
#: Who gives the order to kill then.
PRINCIPAL = "owner gone"


def main() -> int:
    """Be the shim of one attempt for as long as the owner lives."""
    owner = int(sys.argv[1])
    launch = json.loads(sys.stdin.buffer.read())
    run_dir = launch["run_dir"]

    def give_up(*_: object) -> None:
        # The signal also wakes the keeper, which then looks for orders.
        intent.write(run_dir, "kill", principal=PRINCIPAL, grace_seconds=0)

    signal.signal(OWNER_DIED, give_up)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(OWNER_DIED), 0, 0, 0)
    code = shim.DONE
    if os.getppid() == owner:
        code = shim.run_attempt(launch, shim.prepare_process())
    if os.getppid() != owner:
        import shutil  # noqa: PLC0415 - 9 ms that hardly any run needs

        shutil.rmtree(run_dir, ignore_errors=True)
    return code


if __name__ == "__main__":
    # Not sys.exit: nothing may run between the end record and the end of the process.
    os._exit(main())
