"""The supervisor's end of the zygote: starts it, sends launch orders, takes replies."""

import json
import os
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scriptrunner.engine.launch import Launch

_LENGTH = struct.Struct("<I")
_ZYGOTE = Path(__file__).with_name("zygote.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the zygote answered to one launch order."""

    run_id: str
    attempt: int
    #: pid of the shim, 0 if it could not be forked.
    pid: int
    #: pidfd of the shim, or None where the system has none.
    pidfd: int | None
    #: Why there is no shim, or None.
    error: str | None


class ZygoteGoneError(Exception):
    """The zygote has died; start another one."""


class Launcher:
    """Owns one zygote process; ``close`` ends it, shims go on."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        replies, answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, answers:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(_ZYGOTE),
                    str(theirs.fileno()),
                    str(answers.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), answers.fileno()),
            )
        self._requests = ours
        self._replies = replies
        self._unsent = bytearray()
        ours.setblocking(False)
        replies.setblocking(False)

    @property
    def pid(self) -> int:
        """The zygote's pid, for people."""
        return self._process.pid

    @property
    def reply_socket(self) -> socket.socket:
        """Readable when there is something for ``receive``."""
        return self._replies

    @property
    def has_unsent(self) -> bool:
        """Whether ``flush`` must be called again when the socket takes more."""
        return bool(self._unsent)

    @property
    def request_socket(self) -> socket.socket:
        """Writable when ``flush`` can go on."""
        return self._requests

    def send(self, launch: Launch) -> None:
        """Order one attempt; never blocks.

        Raises:
            ZygoteGoneError: If the zygote has died; the order may or may not be lost.
        """
        text = launch.to_json().encode("ascii")
        self._unsent += _LENGTH.pack(len(text)) + text
        self.flush()

    def flush(self) -> None:
        """Send as much as the socket takes.

        Raises:
            ZygoteGoneError: If the zygote has died.
        """
        while self._unsent:
            try:
                sent = self._requests.send(self._unsent[: 1 << 18])
            except BlockingIOError:
                return
            except OSError as error:
                raise ZygoteGoneError from error
            del self._unsent[:sent]

    def receive(self) -> list[Reply]:
        """Return all replies that have come.

        Raises:
            ZygoteGoneError: If the zygote has died and nothing was left to read.
        """
        found: list[Reply] = []
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._replies, 65536, 4)
            except BlockingIOError:
                return found
            except OSError as error:
                raise ZygoteGoneError from error
            if not data:
                if found:
                    return found
                raise ZygoteGoneError
            found.append(_parse(data, descriptors))

    def close(self) -> None:
        """Let the zygote end; its shims stay."""
        self._requests.close()
        self._replies.close()
        self._process.wait()


def _parse(data: bytes, descriptors: list[int]) -> Reply:
    value = json.loads(data)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return Reply(
        run_id=value["run_id"],
        attempt=value["attempt"],
        pid=value["pid"],
        pidfd=descriptors[0] if descriptors else None,
        error=value.get("error"),
    )
