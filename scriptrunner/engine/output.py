"""The output files of an attempt: opened for the script, counted and capped by the shim.

The script writes straight into the file, so nobody has to drain anything. What lies
beyond the cap is counted and its blocks are given back by punching a hole; the file keeps
its size until the end, so the count of dropped bytes is exact whatever is written
meanwhile. Readers never read beyond the cap. Standard library only.
"""

import errno
import os

from scriptrunner.engine import hiding, kernel

TYPE_CHECKING = False  # typing itself is not loaded: every run would pay for it
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bytes read at once when lines are counted.
CHUNK_BYTES = 256 * 1024
#: Bytes counted in one visit, so that a flood never keeps the shim from its other duties.
VISIT_BYTES = 64 * 1024 * 1024
#: Uncounted bytes above which lines are no longer counted: the disk matters more.
BACKLOG_BYTES = 256 * 1024 * 1024
#: Longest line that is copied to the service log, in bytes.
LOG_LINE_BYTES = 2_000


class OutputFile:
    """One stream of one attempt.

    Attributes:
        size: Bytes the script has written so far, as of the last ``visit``.
        lines: Newlines seen so far, or None when counting had to be given up.
        dropped: Bytes beyond the cap.
        shrank: Whether the script truncated its own log.
    """

    def __init__(self, path: str, cap_bytes: int) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self.descriptor = os.open(path, flags, 0o600)
        self.cap = cap_bytes
        self.size = 0
        self.lines: int | None = 0
        self.shrank = False
        self._counted = 0
        self._last_byte = b"\n"
        self._buffer: bytearray | None = None

    @property
    def dropped(self) -> int:
        """Bytes the script wrote beyond the cap."""
        return max(0, self.size - self.cap)

    def visit(self) -> bool:
        """Look at the file's growth, count lines, enforce the cap.

        Returns:
            Whether there is more to count at once.
        """
        self._look()
        if self.lines is not None and self.size - self._counted > BACKLOG_BYTES:
            self.lines = None
        if self.lines is None:
            self._counted = self.size
        else:
            self._count(min(self.size, self._counted + VISIT_BYTES))
        self._give_back()
        return self._counted < self.size

    def _look(self) -> None:
        size = os.fstat(self.descriptor).st_size
        if size < self.size:
            self.shrank = True
            self._counted = 0
            self.lines = 0 if self.lines is not None else None
        self.size = size

    def _count(self, end: int) -> None:
        if self._counted >= end:
            return
        if self._buffer is None:
            self._buffer = bytearray(CHUNK_BYTES)
        buffer = self._buffer
        lines = self.lines or 0
        while self._counted < end:
            wanted = memoryview(buffer)[: min(CHUNK_BYTES, end - self._counted)]
            got = os.preadv(self.descriptor, [wanted], self._counted)
            if got == 0:
                break
            lines += buffer.count(b"\n", 0, got)
            self._last_byte = bytes(buffer[got - 1 : got])
            self._counted += got
        self.lines = lines

    def _give_back(self) -> None:
        """Free the blocks of what was counted beyond the cap."""
        if self._counted <= self.cap:
            return
        if not kernel.punch_hole(self.descriptor, self.cap, self._counted - self.cap):
            self._cut_without_holes()

    def _cut_without_holes(self) -> None:
        """Do the same where holes cannot be punched: the count may miss a few bytes."""
        self.cap_by_truncation()

    def cap_by_truncation(self) -> None:
        """Cut the file back to the cap; called when no process writes any more."""
        if self.size > self.cap:
            try:
                os.ftruncate(self.descriptor, self.cap)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EIO):
                    raise

    def finish(self) -> None:
        """Count what is left and cut the file to the cap; the tree must be gone."""
        while self.visit():
            pass
        if self.lines is not None and self.size and self._last_byte != b"\n":
            self.lines += 1
        self.cap_by_truncation()

    def close(self) -> None:
        """Close our descriptor; the script's own are its affair."""
        os.close(self.descriptor)


class LineCopier:
    """Copies finished lines of a stream to the service log, at most so many a second.

    Args:
        descriptor: Of the output file.
        run_id: What the copied lines begin with, together with ``stream``.
        stream: ``stdout`` or ``stderr``.
        log: Descriptor of the service log.
        secrets: Values that are not copied, but replaced by as many ``*``.
    """

    #: Lines copied in one second; the rest is counted.
    LINES_PER_SECOND = 200

    def __init__(
        self,
        descriptor: int,
        *,
        run_id: str,
        stream: str,
        log: int,
        secrets: "Iterable[str]" = (),
    ) -> None:
        self._source = descriptor
        # Line by line, as they are copied: a secret of several lines is hidden whole.
        self._secrets = hiding.list_hidden(
            line for secret in secrets for line in secret.splitlines()
        )
        self._prefix = f"run {run_id} {stream}: ".encode()
        self._log = log
        self._offset = 0
        self._second = -1
        self._used = 0
        self._skipped = 0

    def copy(self, now_seconds: float, limit: int, *, last: bool = False) -> None:
        """Copy the lines that are complete; with ``last`` also the unfinished one.

        Args:
            now_seconds: Monotonic time, to count lines per second.
            limit: Offset beyond which nothing may be read (the cap).
            last: Whether no more will come.
        """
        while self._offset < limit:
            data = os.pread(
                self._source, min(65536, limit - self._offset), self._offset
            )
            if not data:
                break
            cut = data.rfind(b"\n") + 1
            if cut == 0 and not last and len(data) < 65536:
                break
            data = data[: cut or len(data)]
            self._offset += len(data)
            for line in data.splitlines():
                self._write(line, now_seconds)
        if last and self._skipped:
            self._put(b"%d more lines not shown\n" % self._skipped)

    def _write(self, line: bytes, now_seconds: float) -> None:
        if int(now_seconds) != self._second:
            self._second, self._used = int(now_seconds), 0
        if self._used >= self.LINES_PER_SECOND:
            self._skipped += 1
            return
        self._used += 1
        line = hiding.hide(line, self._secrets)
        text = line[:LOG_LINE_BYTES].decode("utf-8", "replace")
        safe = "".join(char if char.isprintable() else "\ufffd" for char in text)
        self._put(safe.encode() + b"\n")

    def _put(self, text: bytes) -> None:
        try:
            os.write(self._log, self._prefix + text)
        except OSError:
            return  # a full disk costs lines of the log, never the run
