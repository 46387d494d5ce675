"""The output of a running script, handed on while it comes."""

import os
from collections.abc import Callable
from functools import partial

from scriptrunner.engine import kernel
from scriptrunner.engine.output import BACKLOG_BYTES

#: Gets ``"stdout"`` or ``"stderr"`` and the bytes as the script wrote them.
OutputReceiver = Callable[[str, bytes], object]

#: Bytes that are handed on at once.
CHUNK_BYTES = 256 << 10
#: Bytes of an output file that are kept although they were handed on: the shim may still
#: have to count their lines.
KEPT_BYTES = BACKLOG_BYTES
#: Seconds between two looks while the script starts, while it writes, while it is quiet.
STARTING_SECONDS = 0.005
WRITING_SECONDS = 0.01
QUIET_SECONDS = 0.05


class OutputFollower:
    """Hands on what a script writes into an output file, each byte once and in order.

    What was handed on long ago is given back to the disk, so that a script may write
    more than there is room for. Belongs to one thread; ``close`` ends it.
    """

    def __init__(self, path: str, *, cap_bytes: int) -> None:
        """Follow the file at ``path``, which need not exist yet.

        Args:
            path: The output file.
            cap_bytes: Offset beyond which nothing belongs to the output.
        """
        self._path = path
        self._cap = cap_bytes
        self._descriptor = -1
        self._offset = 0
        self._given_back = 0

    def copy_to(self, receive: Callable[[bytes], object]) -> int:
        """Hand on all there is and return how many bytes that was."""
        if not self._open():
            return 0
        first = self._offset
        size = os.fstat(self._descriptor).st_size
        if size < first:  # the script has cut its own output: go on at the new end
            self._offset = first = self._given_back = size
        end = min(size, self._cap)
        while self._offset < end:
            wanted = min(CHUNK_BYTES, end - self._offset)
            data = os.pread(self._descriptor, wanted, self._offset)
            if not data:
                break
            self._offset += len(data)
            receive(data)
            self._give_back()
        return self._offset - first

    def _open(self) -> bool:
        if self._descriptor < 0:
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                return False
        return True

    def _give_back(self) -> None:
        length = self._offset - KEPT_BYTES - self._given_back
        if length >= KEPT_BYTES:
            kernel.punch_hole(self._descriptor, self._given_back, length)
            self._given_back += length

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class AttemptWatch:
    """What is done again and again while a shim lives: notice the start, hand on output."""

    def __init__(
        self,
        prefix: str,
        *,
        cap_bytes: int,
        look_for_start: Callable[[], bool],
        receive: OutputReceiver | None,
    ) -> None:
        self._look_for_start = look_for_start
        self._is_started = False
        self._receive = receive
        self._followers = {
            "stdout": OutputFollower(f"{prefix}.out", cap_bytes=cap_bytes),
            "stderr": OutputFollower(f"{prefix}.err", cap_bytes=cap_bytes),
        }

    def tick(self) -> float | None:
        """Do what is due and return the seconds until there may be more to do."""
        self._is_started = self._is_started or self._look_for_start()
        copied = self.hand_on()
        if not self._is_started:
            return STARTING_SECONDS
        if self._receive is None:
            return None
        return WRITING_SECONDS if copied else QUIET_SECONDS

    def hand_on(self) -> int:
        """Hand on all output there is and return how many bytes that was."""
        if self._receive is None:
            return 0
        return sum(
            follower.copy_to(partial(self._receive, stream))
            for stream, follower in self._followers.items()
        )

    def close(self) -> None:
        """Give the descriptors back."""
        for follower in self._followers.values():
            follower.close()
