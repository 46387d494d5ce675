"""How often somebody may do something, counted over all web workers of a data folder.

A file of fixed size, mapped into each worker, holds one number per key: the time at
which a steady caller at the allowed rate would be due next (GCRA). Requests are let
through while that time is less than a burst ahead. A POSIX lock guards each look: a few
microseconds. Without the file (disk full, read-only) each worker counts for itself.
"""

import fcntl
import hashlib
import logging
import math
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: Keys that are told apart at once; a full table forgets whoever waited longest.
SLOTS = 4096
#: Slots looked at for one key.
PROBES = 8
#: Hash of the key, time it is due (seconds of CLOCK_MONOTONIC).
SLOT = struct.Struct("=Qd")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_second`` requests in the long run, ``burst`` at once."""

    name: str
    per_second: float
    burst: int


class Rates:
    """Counts requests by key; threads may share it. ``close`` it at the end."""

    def __init__(
        self, file: Path | None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Count in ``file``, made at the first use; None: in this process only.

        Args:
            file: Where workers share their counts; its folder must exist by then.
            monotonic: Clock in seconds, the same for all workers of a boot.
        """
        self._file = file
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._memory: mmap.mmap | None = None
        self._descriptor = -1

    def take(self, key: str, rate: Rate) -> float:
        """Count one request of ``key``.

        Returns:
            0.0 if it may pass; else seconds until the next one may, and nothing is
            counted.
        """
        wanted = _hash(f"{rate.name}:{key}")
        with self._lock:
            memory = self._memory or self._open()
            self._lock_file(fcntl.LOCK_EX)
            try:
                return self._take(memory, wanted, rate)
            finally:
                self._lock_file(fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._memory is not None:
                self._memory.close()
                self._memory = None
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _take(self, memory: mmap.mmap, wanted: int, rate: Rate) -> float:
        now = self._monotonic()
        interval = 1.0 / rate.per_second
        slack = (rate.burst - 1) * interval
        offset, due = _find_slot(memory, wanted, now)
        if not math.isfinite(due) or due > now + slack + interval:
            due = now  # left by an earlier boot or another rate
        wait = due - now - slack
        if wait > 0:
            return wait
        SLOT.pack_into(memory, offset, wanted, max(due, now) + interval)
        return 0.0

    def _open(self) -> mmap.mmap:
        size = SLOTS * SLOT.size
        try:
            if self._file is None:
                raise FileNotFoundError
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(self._file, flags, 0o600)
            os.posix_fallocate(self._descriptor, 0, size)
            self._memory = mmap.mmap(self._descriptor, size)
        except OSError:
            if self._file is not None:
                logger.warning("rates are counted per worker: no file", exc_info=True)
            self._memory = mmap.mmap(-1, size)
        return self._memory

    def _lock_file(self, operation: int) -> None:
        if self._descriptor >= 0:
            fcntl.lockf(self._descriptor, operation)


def _find_slot(memory: mmap.mmap, wanted: int, now: float) -> tuple[int, float]:
    """Return offset and due time of the key; else of the slot it may take over."""
    best, best_due = 0, math.inf
    for probe in range(PROBES):
        offset = (wanted + probe) % SLOTS * SLOT.size
        key, due = SLOT.unpack_from(memory, offset)
        if key == wanted:
            return offset, due
        if not due > best_due:
            best, best_due = offset, due
    return best, now


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) or 1
