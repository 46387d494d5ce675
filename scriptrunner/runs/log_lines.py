"""Lines of outputs that are too long for a page: windows by number.

A line ends with a line feed; a carriage return within it is left to the reader. Nothing of
an output is held in memory but a chunk, and where every some thousandth line begins.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from scriptrunner.runs.logs import CHUNK_BYTES, OutputReader

#: Lines between two remembered places.
INDEX_STEP = 5_000
#: Outputs whose places are remembered per worker.
KEPT_INDEXES = 64
#: Bytes of a line that are shown; the rest is counted.
MAX_LINE_BYTES = 16 << 10
#: Lines of one window.
MAX_WINDOW = 5_000
#: Bytes of one window, so that it stays below the longest range answer.
MAX_WINDOW_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an output."""

    #: From 1.
    number: int
    #: Offset of its first byte.
    offset: int
    #: At most ``MAX_LINE_BYTES`` of it; bytes that are no text are U+FFFD.
    text: str
    #: Bytes that are not shown.
    cut_bytes: int


@dataclass(slots=True)
class _Index:
    """Where every ``INDEX_STEP``-th line of an output begins, as far as it was read."""

    #: ``offsets[i]`` is where line ``1 + i * INDEX_STEP`` begins.
    offsets: list[int] = field(default_factory=lambda: [0])
    #: Line feeds in the first ``scanned`` bytes.
    feeds: int = 0
    scanned: int = 0


class LineIndex:
    """Finds lines by number. Threads may share it; it is only a help to be quick."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: OrderedDict[tuple[str, int, str], _Index] = OrderedDict()
        self._lock = threading.Lock()

    def read_window(
        self,
        reader: OutputReader,
        key: tuple[str, int, str],
        *,
        first: int,
        count: int,
        end: int,
    ) -> tuple[list[Line], int]:
        """Return lines from number ``first`` on, and how many lines there are in all.

        Args:
            reader: The output.
            key: Run, attempt and stream: what the places are remembered by.
            first: Number of the first line, from 1.
            count: Most lines, 1..``MAX_WINDOW``.
            end: Behind the last byte that may be shown.
        """
        with self._lock:
            index = self._known.pop(key, None) or _Index()
            self._known[key] = index
            while len(self._known) > KEPT_INDEXES:
                self._known.popitem(last=False)
            _extend(index, reader, end)
            step = (first - 1) // INDEX_STEP
            is_there = step < len(index.offsets)
            start = index.offsets[step] if is_there else end
            total = index.feeds + (1 if _is_open(reader, end) else 0)
        lines: list[Line] = []
        room = MAX_WINDOW_BYTES
        number = 1 + step * INDEX_STEP
        if first > total:
            return lines, total
        for line in iter_lines(reader, start, end, number=number):
            if line.number < first:
                continue
            lines.append(line)
            room -= len(line.text)
            if len(lines) == count or room <= 0:
                break
        return lines, total


def _extend(index: _Index, reader: OutputReader, end: int) -> None:
    """Read on from where the index ends, to ``end``."""
    while index.scanned < end:
        chunk = reader.read(index.scanned, min(end, index.scanned + CHUNK_BYTES))
        if not chunk:
            return
        found = chunk.count(b"\n")
        due = INDEX_STEP * len(index.offsets) - index.feeds
        if found >= due:
            _note(index, chunk, due)
        index.feeds += found
        index.scanned += len(chunk)


def _note(index: _Index, chunk: bytes, due: int) -> None:
    """Note every ``INDEX_STEP``-th line of a chunk; ``due`` feeds lie before the first."""
    at = -1
    seen = 0
    while (at := chunk.find(b"\n", at + 1)) >= 0:
        seen += 1
        if seen == due:
            index.offsets.append(index.scanned + at + 1)
            due += INDEX_STEP


def _is_open(reader: OutputReader, end: int) -> bool:
    """Whether the last line has no line feed."""
    return end > 0 and reader.read(end - 1, end) != b"\n"


def iter_lines(
    reader: OutputReader, start: int, end: int, *, number: int
) -> Iterator[Line]:
    """Yield the lines from byte ``start``, which begins line ``number``, to ``end``."""
    kept = b""
    length = 0
    begin = start
    for chunk in reader.iter_chunks(start, end):
        at = 0
        while (feed := chunk.find(b"\n", at)) >= 0:
            piece = chunk[at : min(feed, at + MAX_LINE_BYTES)]
            length += feed - at
            yield _line(number, begin, kept + piece, length)
            number += 1
            begin += length + 1
            kept, length = b"", 0
            at = feed + 1
        kept += chunk[at : at + MAX_LINE_BYTES]
        kept = kept[:MAX_LINE_BYTES]
        length += len(chunk) - at
    if length:
        yield _line(number, begin, kept, length)


def _line(number: int, offset: int, content: bytes, length: int) -> Line:
    shown = content[:MAX_LINE_BYTES]
    return Line(
        number=number,
        offset=offset,
        text=shown.decode("utf-8", "replace"),
        cut_bytes=max(0, length - MAX_LINE_BYTES),
    )
