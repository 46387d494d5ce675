"""Reading what the attempts of a run printed: bytes by offset, text at the edge.

The files are the truth; nothing is kept in memory but one chunk. Secrets are masked byte
for byte, so offsets are those of the file. Nobody reads beyond the cap.
"""

import codecs
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scriptrunner.errors import RangeNotSatisfiableError
from scriptrunner.runs.errors import RunFileNotFoundError
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.masking import Masker
from scriptrunner.runs.models import TERMINAL_STATUSES, AttemptRecord, RunListItem

#: Bytes read at once.
CHUNK_BYTES = 256 << 10
#: Bytes of the longest range that one answer holds.
MAX_RANGE_BYTES = 16 << 20
#: Digits of a position beyond the end of every file.
MAX_POSITION_DIGITS = 19
STREAMS = ("stdout", "stderr")
#: What separates the streams where both are shown.
SEPARATOR = b"\n--- STDERR ---\n"
_SUFFIXES = {"stdout": "out", "stderr": "err"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputState:
    """How far the output of an attempt has come."""

    run_id: str
    #: From 1; 0 if the run has no attempt yet.
    attempt: int
    #: Whether nothing more will come from this attempt.
    is_complete: bool
    #: Whether something was dropped because of the cap.
    is_truncated: bool


class OutputReader:
    """One output stream of one attempt; ``close`` it. One thread at a time.

    Args:
        path: The file; a missing one is empty.
        masker: Hides the run's secrets.
        cap_bytes: Offset beyond which nothing belongs to the output.
    """

    def __init__(self, path: str, *, masker: Masker, cap_bytes: int) -> None:
        """Open the file if it is there."""
        self._masker = masker
        self._cap = cap_bytes
        try:
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor: int | None = os.open(path, flags)
        except FileNotFoundError:
            self._descriptor = None

    @property
    def size(self) -> int:
        """Bytes there are now, at most the cap."""
        if self._descriptor is None:
            return 0
        return min(os.fstat(self._descriptor).st_size, self._cap)

    def read(self, offset: int, end: int) -> bytes:
        """Return the bytes from ``offset`` to ``end``, or as far as there are any."""
        if self._descriptor is None:
            return b""
        end = min(end, self.size)
        if offset >= end:
            return b""
        return self._masker.read(partial(os.pread, self._descriptor), offset, end)

    def settled_size(self, *, is_complete: bool) -> int:
        """Return how many bytes may be shown, and will never be shown differently.

        Args:
            is_complete: Whether nothing more will be written; else what may be the
                beginning of a secret is held back at the end.
        """
        size = self.size
        if is_complete or not self._masker or self._descriptor is None:
            return size
        start = max(0, size - self._masker.overlap)
        tail = os.pread(self._descriptor, size - start, start)
        return size - self._masker.count_open(tail)

    def read_live(self, offset: int, limit: int, *, is_complete: bool) -> bytes:
        """Return at most ``limit`` (> 0) bytes from ``offset`` that may be shown now.

        Args:
            offset: First byte.
            limit: Most bytes.
            is_complete: As for ``settled_size``.
        """
        settled = self.settled_size(is_complete=is_complete)
        return self.read(offset, min(offset + limit, settled))

    def iter_chunks(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to ``end`` in pieces."""
        while start < end:
            data = self.read(start, min(end, start + CHUNK_BYTES))
            if not data:
                return
            yield data
            start += len(data)

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class RunLogs:
    """Finds and opens the output of runs. Threads may share it.

    Args:
        folders: The run folders.
        cap_bytes: Bytes kept per stream.
    """

    def __init__(self, folders: RunFolders, *, cap_bytes: int) -> None:
        """Hold nothing."""
        self._folders = folders
        self._cap = cap_bytes

    def describe(
        self,
        item: RunListItem,
        attempts: list[AttemptRecord],
        attempt: int | None = None,
    ) -> OutputState:
        """Return how far the output of an attempt has come.

        Args:
            item: The run.
            attempts: Its attempts.
            attempt: Which one; None for the last one that has output.

        Raises:
            RunFileNotFoundError: If the run has no such attempt.
        """
        number = self._last_attempt(item) if attempt is None else attempt
        if attempt is not None and not 1 <= attempt <= item.attempt:
            raise RunFileNotFoundError("The run has no such attempt")
        found = next((each for each in attempts if each.n == number), None)
        is_over = found is not None and found.finished_at is not None
        dropped = 0
        if found is not None:
            dropped = (found.stdout_dropped_bytes or 0) + (
                found.stderr_dropped_bytes or 0
            )
        is_terminal = item.status in TERMINAL_STATUSES
        return OutputState(
            run_id=item.id,
            attempt=number,
            is_complete=is_over or is_terminal or number < item.attempt,
            is_truncated=dropped > 0 or self._is_at_cap(item.id, number),
        )

    def _last_attempt(self, item: RunListItem) -> int:
        """Return the newest attempt with output; numbers put back have none."""
        for number in range(item.attempt, 0, -1):
            if os.access(self._path(item.id, number, "stdout"), os.F_OK):
                return number
        return item.attempt

    def _is_at_cap(self, run_id: str, attempt: int) -> bool:
        return any(
            _size_of(self._path(run_id, attempt, stream)) > self._cap
            for stream in STREAMS
        )

    def _path(self, run_id: str, attempt: int, stream: str) -> str:
        return f"{self._folders.path(run_id)}/a{attempt}.{_SUFFIXES[stream]}"

    def open(self, state: OutputState, stream: str) -> OutputReader:
        """Open ``stdout`` or ``stderr`` of an attempt; the caller closes it."""
        secrets = self._folders.read_secrets(state.run_id)
        return OutputReader(
            self._path(state.run_id, state.attempt, stream),
            masker=Masker(secrets.values()),
            cap_bytes=self._cap,
        )

    def iter_stream(
        self, state: OutputState, stream: str, *, start: int = 0, end: int | None = None
    ) -> Iterator[bytes]:
        """Yield the raw bytes of one stream, masked, from ``start`` to ``end``."""
        with closing(self.open(state, stream)) as reader:
            size = reader.settled_size(is_complete=state.is_complete)
            yield from reader.iter_chunks(start, size if end is None else end)

    def iter_text(self, state: OutputState) -> Iterator[bytes]:
        """Yield both streams as valid UTF-8: stdout, then stderr if there is any."""
        yield from self._iter_decoded(state, "stdout")
        is_first = True
        for chunk in self._iter_decoded(state, "stderr"):
            if is_first:
                yield SEPARATOR
                is_first = False
            yield chunk

    def _iter_decoded(self, state: OutputState, stream: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for chunk in self.iter_stream(state, stream):
            yield decoder.decode(chunk).encode()
        rest = decoder.decode(b"", final=True)
        if rest:
            yield rest.encode()


def _size_of(path: str) -> int:
    try:
        return Path(path).lstat().st_size
    except FileNotFoundError:
        return 0


def resolve_range(text: str, size_bytes: int) -> tuple[int, int]:
    """Return first byte and the one behind the last of a ``Range`` header.

    Args:
        text: The header's value: ``bytes=a-b``, ``bytes=a-`` or ``bytes=-n``.
        size_bytes: Bytes there are.

    Returns:
        A range of at least one and at most ``MAX_RANGE_BYTES`` bytes.

    Raises:
        RangeNotSatisfiableError: If it is anything else, or beyond the end.
    """
    unit, equals, spec = text.partition("=")
    first, dash, last = spec.strip().partition("-")
    numbers = [each for each in (first, last) if each]
    if (
        unit.strip().lower() != "bytes"
        or not equals
        or not dash
        or not numbers
        or not all(each.isascii() and each.isdigit() for each in numbers)
    ):
        raise RangeNotSatisfiableError(size_bytes=size_bytes, is_malformed=True)
    if first:
        start = _position(first)
        if last and _position(last) < start:
            raise RangeNotSatisfiableError(size_bytes=size_bytes, is_malformed=True)
        end = min(_position(last) + 1, size_bytes) if last else size_bytes
    else:
        start, end = max(0, size_bytes - _position(last)), size_bytes
    if start >= end:
        raise RangeNotSatisfiableError(size_bytes=size_bytes)
    return start, min(end, start + MAX_RANGE_BYTES)


def _position(digits: str) -> int:
    """Return a number of bytes; one that no file reaches is as good as any larger."""
    return int(digits.lstrip("0")[:MAX_POSITION_DIGITS] or "0")


def decode_piece(data: bytes, *, is_last: bool) -> tuple[str, int]:
    """Return as much text as ``data`` holds whole characters of, and the bytes used.

    Args:
        data: A piece of output.
        is_last: Whether nothing will follow; else an incomplete character at the end is
            left for the next piece.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, final=is_last)
    pending = len(decoder.getstate()[0])
    return text, len(data) - pending
