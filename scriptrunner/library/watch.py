"""The watch over folders that ask for it: a scan begins when something has changed.

A look is a walk that only stats, about 5 µs per file. What it sees becomes one number,
and only a change of that number begins a scan, so that a quiet folder leaves no trace.
"""

import time
import zlib
from collections.abc import Callable

from scriptrunner.clock import Clock
from scriptrunner.library.models import Root
from scriptrunner.library.repository import roots, scans
from scriptrunner.library.walking import TooManyEntriesError, Walk
from scriptrunner.storage.database import Connection, Database

#: Seconds between two looks at a folder, and how many times as long as a look took.
PAUSE_SECONDS = 5.0
PAUSE_FACTOR = 20.0


class Watch:
    """Looks at watched folders in turn; what it has seen is forgotten with the process.

    Args:
        database: Where the roots are.
        clock: Tells the times of scans.
        forbidden: Returns ``(st_dev, st_ino)`` of folders that are never entered.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        forbidden: Callable[[], frozenset[tuple[int, int]]],
    ) -> None:
        """Know nothing yet: the first look at a folder begins a scan."""
        self._database = database
        self._clock = clock
        self._forbidden = forbidden
        self._seen: dict[int, int] = {}
        self._due_at: dict[int, float] = {}

    def begin_scans(self) -> bool:
        """Begin a scan of each watched folder that has changed.

        Returns:
            Whether any folder is watched.
        """
        with self._database.read() as connection:
            watched = roots.list_watched(connection)
        for root in watched:
            if time.monotonic() >= self._due_at.get(root.id, 0.0):
                self._look(root)
        return bool(watched)

    def _look(self, root: Root) -> None:
        began = time.monotonic()
        mark = self._mark(root)
        if mark != self._seen.get(root.id) and self._begin(root):
            self._seen[root.id] = mark
        took = time.monotonic() - began
        pause = max(PAUSE_SECONDS, PAUSE_FACTOR * took)
        self._due_at[root.id] = time.monotonic() + pause

    def _mark(self, root: Root) -> int:
        """Return a number that changes with the files of a root; 0 if it is gone."""
        mark = zlib.crc32(repr(root.options).encode())
        try:
            for found in Walk(root.path, root.options, forbidden=self._forbidden()):
                what = f"{found.folder} {found.mark()}"
                mark = zlib.crc32(what.encode(), mark)
        except TooManyEntriesError:
            return mark
        except OSError:
            return 0
        return mark

    def _begin(self, root: Root) -> bool:
        """Begin a scan; False if one is under way, which may have passed the change."""

        def begin(connection: Connection) -> bool:
            if roots.find(connection, root.id, lock=True) is None:
                return True
            if scans.find_running(connection, root.id) is not None:
                return False
            scans.insert(connection, root.id, now=self._clock.utc_now())
            return True

        return self._database.retrying(begin)
