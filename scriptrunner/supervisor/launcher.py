"""The supervisor's end of zygote and shims: one socket per shim, shims used again.

A shim that has brought an attempt to its end, or could not begin it, answers with one
byte and is free for the next; a shim that is gone closes its socket. So the end of an attempt is an event on a
socket, on every system, and starting a run costs no fork of ours once shims are there.
"""

import contextlib
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

from scriptrunner.engine.launch import Launch
from scriptrunner.engine.shim import ANSWER

_LENGTH = struct.Struct("<I")
_ZYGOTE = Path(__file__).with_name("zygote.py")
#: Seconds after which a shim without work is let go.
IDLE_SECONDS = 5.0


class Shim:
    """The supervisor's side of one shim: its socket and what it is busy with."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        #: Key of the attempt it keeps, or None while it is free.
        self.key: tuple[str, int] | None = None
        self.unsent = bytearray()
        self.free_since = 0.0


class Launcher:
    """Owns one zygote and its shims.

    Args:
        selector: The loop's selector; its callbacks are ``key.data()``.
        on_end: Called with the key of an attempt whose shim says it is over.
        on_loss: Called with the key of an attempt whose shim is gone, or has not begun it.
    """

    def __init__(
        self,
        selector: BaseSelector,
        *,
        on_end: Callable[[tuple[str, int]], None],
        on_loss: Callable[[tuple[str, int]], None],
    ) -> None:
        self._selector = selector
        self._on_end = on_end
        self._on_loss = on_loss
        #: For people.
        self.zygote_pid = 0
        self._free: list[Shim] = []
        self._busy: set[Shim] = set()
        self._start_zygote()

    def _start_zygote(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            theirs.set_inheritable(True)
            descriptor = str(theirs.fileno())
            command = [sys.executable, "-I", "-S", str(_ZYGOTE), descriptor]
            self.zygote_pid = os.posix_spawn(sys.executable, command, os.environ)
        ours.setblocking(False)
        self._zygote = ours
        self._selector.register(ours, EVENT_READ, self._on_zygote_gone)

    def _on_zygote_gone(self) -> None:
        """Start another zygote; the shims of the old one go on."""
        self._selector.unregister(self._zygote)
        self._zygote.close()
        os.waitpid(self.zygote_pid, 0)
        self._start_zygote()

    def launch(self, launch: Launch) -> None:
        """Give an attempt to a free shim, or to a new one; never blocks.

        If that goes wrong, ``on_loss`` is called, now or soon.
        """
        text = launch.to_json().encode("ascii")
        shim = self._free.pop() if self._free else self._make_shim()
        shim.key = (launch.run_id, launch.attempt)
        self._busy.add(shim)
        shim.unsent += _LENGTH.pack(len(text)) + text
        self._send(shim)

    def _make_shim(self) -> Shim:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        shim = Shim(ours)
        self._selector.register(ours, EVENT_READ, lambda: self._on_ready(shim))
        with theirs, contextlib.suppress(OSError):
            # If the zygote is gone, closing `theirs` is how we hear of it.
            socket.send_fds(self._zygote, [b"+"], [theirs.fileno()])
        return shim

    def _send(self, shim: Shim) -> None:
        try:
            while shim.unsent:
                del shim.unsent[: shim.connection.send(shim.unsent[: 1 << 18])]
        except BlockingIOError:
            pass
        except OSError:
            return  # its end of file comes next
        events = EVENT_READ | (EVENT_WRITE if shim.unsent else 0)
        self._selector.modify(shim.connection, events, lambda: self._on_ready(shim))

    def _on_ready(self, shim: Shim) -> None:
        if shim.unsent:
            self._send(shim)
        try:
            answer = shim.connection.recv(64)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        key, shim.key = shim.key, None
        self._busy.discard(shim)
        if not answer:
            self._drop(shim)
            if key is not None:
                self._on_loss(key)
            return
        shim.free_since = time.monotonic()
        self._free.append(shim)
        if key is not None:
            tell = self._on_end if answer == ANSWER else self._on_loss
            tell(key)

    def _drop(self, shim: Shim) -> None:
        self._selector.unregister(shim.connection)
        shim.connection.close()
        if shim in self._free:
            self._free.remove(shim)

    def let_go_idle(self) -> None:
        """End shims that have had nothing to do for ``IDLE_SECONDS``."""
        limit = time.monotonic() - IDLE_SECONDS
        for shim in [each for each in self._free if each.free_since < limit]:
            self._drop(shim)

    def close(self) -> None:
        """Let go of everything: busy shims finish alone, the zygote ends after them."""
        is_busy = bool(self._busy)
        for shim in (*self._free, *self._busy):
            self._selector.unregister(shim.connection)
            shim.connection.close()
        self._free.clear()
        self._busy.clear()
        self._selector.unregister(self._zygote)
        self._zygote.close()
        os.waitpid(self.zygote_pid, os.WNOHANG if is_busy else 0)
