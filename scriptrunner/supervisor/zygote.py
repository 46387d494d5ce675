"""The zygote: a small single-threaded process that only forks shims.

Started as ``python -I -S zygote.py <socket>``. Every message on the socket carries one
descriptor, the order socket of a new shim; the zygote forks a shim for it. It opens no
database, holds no lock, imports no application.

It is the subreaper of its shims: when one is killed, the script and everything below it
become the zygote's children, and it ends them at once. So it stays, also without a
supervisor, until its last shim is gone.
"""

import _socket
import gc
import os
import select
import signal
import sys

sys.path.insert(
    0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
)

from scriptrunner.engine import kernel, process_tree, shim
from scriptrunner.fault_points import pass_point

_DESCRIPTOR_BYTES = 4


class Zygote:
    """Forks shims and ends what a killed shim leaves behind."""

    def __init__(self, orders: int) -> None:
        self._orders = _socket.socket(fileno=orders)
        self._child_signal, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._shims: set[int] = set()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Fork until the supervisor and the last shim are gone."""
        poller = select.poll()
        poller.register(self._child_signal, select.POLLIN)
        poller.register(self._orders.fileno(), select.POLLIN)
        wanted = True
        while wanted or self._shims:
            for descriptor, _ in poller.poll():
                if descriptor == self._child_signal:
                    os.read(self._child_signal, 4096)
                elif not self._receive():
                    wanted = False
                    poller.unregister(descriptor)
            self._reap()

    def _receive(self) -> bool:
        """Fork the shim that the next message asks for; False at the end."""
        space = _socket.CMSG_LEN(_DESCRIPTOR_BYTES)
        try:
            data, extra, _, _ = self._orders.recvmsg(1, space)
        except ConnectionError:
            return False
        if not data:
            return False
        for _, _, content in extra:
            descriptor = int.from_bytes(content[:_DESCRIPTOR_BYTES], sys.byteorder)
            os.set_inheritable(descriptor, False)
            self._fork(descriptor)
            os.close(descriptor)
        return True

    def _fork(self, descriptor: int) -> None:
        """Fork a shim; if that fails, closing its socket tells the supervisor."""
        pass_point("zygote.before_fork")
        try:
            pid = os.fork()
        except OSError as error:
            os.write(2, f"zygote: cannot fork: {error.strerror}\n".encode())
            return
        if pid == 0:
            self._become_shim(descriptor)
        self._shims.add(pid)
        pass_point("zygote.after_fork")

    def _become_shim(self, descriptor: int) -> None:
        """Turn the forked child into a shim; never returns."""
        try:
            signal.set_wakeup_fd(-1)
            self._orders.close()
            os.close(self._child_signal)
            os.close(self._writer)
            shim.serve(descriptor)
        except BaseException as error:  # noqa: BLE001 - the last words of this process
            os.write(2, f"shim {os.getpid()}: {error!r}\n".encode())
        finally:
            os._exit(0)

    def _reap(self) -> None:
        """Reap whoever ended; after a shim's death end the processes it kept."""
        try:
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self._shims.discard(pid)
        except ChildProcessError:
            return
        for pid in process_tree.list_children(os.getpid()):
            if pid not in self._shims:
                pass_point("zygote.before_strays")
                _end(pid)


def _end(pid: int) -> None:
    """Kill an orphan; its own children become ours and their turn comes next."""
    stat = process_tree.read_stat(pid)
    if stat is not None:
        process_tree.kill_below(pid)
        process_tree.send_signal(pid, stat.start, signal.SIGKILL)


def main() -> None:
    """Serve on the socket that the argument names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    orders = int(sys.argv[1])
    os.set_inheritable(orders, False)
    # Whatever our ancestors left open must not reach any script.
    os.closerange(3, orders)
    os.closerange(orders + 1, os.sysconf("SC_OPEN_MAX"))
    os.chdir("/")
    kernel.become_subreaper()
    zygote = Zygote(orders)
    # What is loaded now stays shared with every shim; a collection would copy it.
    gc.collect()
    kernel.return_free_memory()
    gc.freeze()
    gc.disable()
    zygote.serve()


if __name__ == "__main__":
    main()
