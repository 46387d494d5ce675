"""What the web workers of one data folder know of each other: age, and open streams.

Each worker keeps one small file in ``workers/`` and holds its lock. Whoever wants to know
adds up the files whose lock is held, so every worker gives the same answer, and a worker
that was killed counts no more.
"""

import json
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scriptrunner.engine import control_file
from scriptrunner.errors import ThrottledError
from scriptrunner.supervisor.lock import LockFile

#: How often a file that is being written is read again.
READ_TRIES = 5


class TooManyStreamsError(ThrottledError):
    """Too many event streams are open; close some or poll instead."""

    code = "too_many_streams"

    def __init__(self) -> None:
        """Ask to come back in a few seconds."""
        super().__init__(retry_after_seconds=5)


class Workers:
    """This worker's file, and a view of all others. Threads may share it."""

    def __init__(self, data_dir: Path, *, limit: int, limit_per_caller: int) -> None:
        """Touch nothing yet.

        Args:
            data_dir: The data folder; it must exist when a stream is opened.
            limit: Streams of all workers together.
            limit_per_caller: Streams of one principal on all workers together.
        """
        self._folder = data_dir / "workers"
        self._limit = limit
        self._limit_per_caller = limit_per_caller
        self._own: Counter[str] = Counter()
        self._file: LockFile | None = None
        self._started_at = time.time()
        self._mutex = threading.Lock()

    def enter(self) -> None:
        """Make this worker's file; harmless when called twice."""
        with self._mutex:
            self._enter()

    def _enter(self) -> LockFile:
        if self._file is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            name = f"{os.getpid()}-{secrets.token_hex(4)}"
            self._file = LockFile(self._folder / name)
            self._file.try_exclusive()
            self._write()
        return self._file

    def leave(self) -> None:
        """Remove this worker's file."""
        with self._mutex:
            if self._file is not None:
                self._file.path.unlink(missing_ok=True)
                self._file.close()
                self._file = None

    @contextmanager
    def stream(self, principal: str) -> Iterator[None]:
        """Hold a place among the open streams.

        Raises:
            TooManyStreamsError: If all places, or those of the caller, are taken.
        """
        with self._mutex:
            self._enter()
            open_streams = self._count()
            if (
                open_streams.total() >= self._limit
                or open_streams[principal] >= self._limit_per_caller
            ):
                raise TooManyStreamsError
            self._own[principal] += 1
            self._write()
        try:
            yield
        finally:
            with self._mutex:
                self._own[principal] -= 1
                self._own += Counter()  # drops the zeros
                self._write()

    @property
    def own_streams(self) -> int:
        """How many streams are open in this worker."""
        return self._own.total()

    def count_streams(self) -> int:
        """Return how many streams are open on all workers."""
        with self._mutex:
            return self._count().total()

    def uptime_seconds(self) -> float:
        """Return how long the oldest worker that is alive has been there."""
        with self._mutex:
            others = [float(each["started_at"]) for each in self._iter_others()]
        return max(0.0, time.time() - min([self._started_at, *others]))

    def _count(self) -> Counter[str]:
        found = Counter(self._own)
        for other in self._iter_others():
            found.update(other["streams"])
        return found

    def _iter_others(self) -> Iterator[dict[str, Any]]:
        own = None if self._file is None else self._file.path.name
        for path in self._folder.glob("*-*") if self._folder.exists() else ():
            # Opening our own file a second time would drop our lock.
            if path.name == own:
                continue
            with suppress(FileNotFoundError):
                note = _read_live(path)
                if note is not None:
                    yield note

    def _write(self) -> None:
        if self._file is not None:
            note = {"started_at": self._started_at, "streams": dict(self._own)}
            self._file.write_note(json.dumps(note))


def _read_live(path: Path) -> dict[str, Any] | None:
    """Return what a live worker wrote; remove the file of one that is gone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if control_file.holder(descriptor) is None:
            if not _is_alive(path.name):
                path.unlink(missing_ok=True)
            return None
        for _ in range(READ_TRIES):
            # It may be just being written; that takes microseconds.
            with suppress(ValueError):
                note: dict[str, Any] = json.loads(os.pread(descriptor, 1 << 20, 0))
                return note
            time.sleep(0.001)
        return None
    finally:
        os.close(descriptor)


def _is_alive(name: str) -> bool:
    try:
        os.kill(int(name.partition("-")[0]), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True
