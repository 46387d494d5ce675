"""The zygote: a small single-threaded process that only forks shims.

Started as ``python -I -S zygote.py <requests> <replies>`` with two inherited sockets.
Requests come over a stream socket, each as a length (u32, little endian) and a launch
order as JSON. For each it forks a shim and answers over a packet socket with
``{"run_id", "attempt", "pid"}`` and, attached, a pidfd of the shim; or with ``"error"``.
It opens no database, holds no lock, imports no application. It ends when its parent does.
"""

import _socket
import gc
import json
import os
import select
import signal
import struct
import sys

sys.path.insert(
    0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
)

from scriptrunner.engine import shim
from scriptrunner.engine.fault_points import pass_point

TYPE_CHECKING = False  # typing itself is not loaded: every run would pay for it
if TYPE_CHECKING:
    from typing import Any

LENGTH = struct.Struct("<I")


class Zygote:
    """Reads launch orders and forks a shim for each."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = requests
        self._replies = _socket.socket(fileno=replies)
        self._received = bytearray()
        self._child_signal, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self._writer = writer

    def serve(self) -> None:
        """Fork until the supervisor is gone."""
        poller = select.poll()
        poller.register(self._requests, select.POLLIN)
        poller.register(self._child_signal, select.POLLIN)
        while True:
            for descriptor, _ in poller.poll():
                if descriptor == self._child_signal:
                    os.read(self._child_signal, 4096)
                elif not self._receive():
                    return
            _reap()

    def _receive(self) -> bool:
        """Take what has come and launch what is complete; False at the end."""
        data = os.read(self._requests, 1 << 20)
        if not data:
            return False
        self._received += data
        while len(self._received) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._received)
            end = LENGTH.size + length
            if len(self._received) < end:
                break
            launch = json.loads(bytes(self._received[LENGTH.size : end]))
            del self._received[:end]
            self._launch(launch)
        return True

    def _launch(self, launch: "dict[str, Any]") -> None:
        pass_point("zygote.before_fork")
        reply = {"run_id": launch["run_id"], "attempt": launch["attempt"], "pid": 0}
        try:
            pid = os.fork()
        except OSError as error:
            reply["error"] = error.strerror
            self._send(reply, [])
            return
        if pid == 0:
            self._become_shim(launch)
        pass_point("zygote.after_fork")
        reply["pid"] = pid
        try:
            descriptors = [os.pidfd_open(pid)]
        except (OSError, AttributeError):
            descriptors = []
        self._send(reply, descriptors)
        for each in descriptors:
            os.close(each)

    def _send(self, reply: dict[str, object], descriptors: list[int]) -> None:
        extra = []
        if descriptors:
            packed = struct.pack(f"{len(descriptors)}i", *descriptors)
            extra = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)]
        self._replies.sendmsg([json.dumps(reply).encode("ascii")], extra)

    def _become_shim(self, launch: "dict[str, Any]") -> None:
        """Turn the forked child into the shim of one attempt; never returns."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            os.close(self._requests)
            self._replies.close()
            os.close(self._child_signal)
            os.close(self._writer)
            code = shim.run_attempt(launch)
        except BaseException as error:  # noqa: BLE001 - the last words of this process
            os.write(2, f"shim of run {launch['run_id']}: {error!r}\n".encode())
        finally:
            os._exit(code)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def main() -> None:
    """Serve on the two sockets that the arguments name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    zygote = Zygote(int(sys.argv[1]), int(sys.argv[2]))
    # What is loaded now stays shared with every shim; a collection would copy it.
    gc.collect()
    gc.freeze()
    zygote.serve()


if __name__ == "__main__":
    main()
