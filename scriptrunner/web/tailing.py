"""Following one output stream: the pieces that have come, cut where characters end."""

from dataclasses import dataclass
from typing import Any

from scriptrunner.runs.logs import OutputReader, OutputState, RunLogs, decode_piece

#: Bytes of output in one message.
PIECE_BYTES = 32 << 10


@dataclass(frozen=True, slots=True)
class Piece:
    """Some output, as messages carry it."""

    stream: str
    #: Of its first byte, and of the byte behind its last.
    offset: int
    next_offset: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """Return the data of an ``output`` message."""
        return {
            "stream": self.stream,
            "offset": self.offset,
            "next": self.next_offset,
            "text": self.text,
        }


class Tail:
    """One stream of one attempt from an offset on; ``close`` it.

    Reading is a few microseconds of a local file, so it is done in the event loop.
    """

    def __init__(
        self, logs: RunLogs, state: OutputState, stream: str, offset: int
    ) -> None:
        """Open the stream at ``offset`` (bytes, >= 0)."""
        self.stream = stream
        self.offset = offset
        self._logs = logs
        self._reader: OutputReader = logs.open(state, stream)

    def take(self, state: OutputState) -> Piece | None:
        """Return the next piece, or None if nothing (whole) has come.

        Args:
            state: Of the attempt, looked at before this call.
        """
        size = self._find_size(state)
        if size < self.offset:
            # The script has truncated its own log: go on at the new end.
            self.offset = size
        data = self._reader.read(self.offset, min(self.offset + PIECE_BYTES, size))
        is_last = state.is_complete and self.offset + len(data) >= size
        text, used = decode_piece(data, is_last=is_last)
        if not used:
            return None
        piece = Piece(self.stream, self.offset, self.offset + used, text)
        self.offset += used
        return piece

    def _find_size(self, state: OutputState) -> int:
        """Return what may be shown; a file that was not there is looked for again."""
        size = self._reader.settled_size(is_complete=state.is_complete)
        if size == 0 and self.offset == 0:
            self._reader.close()
            self._reader = self._logs.open(state, self.stream)
            size = self._reader.settled_size(is_complete=state.is_complete)
        return size

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
