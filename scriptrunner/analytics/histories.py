"""Finding the history and the script that a question means."""

from contextlib import suppress
from datetime import timedelta

from scriptrunner.analytics.models import Question
from scriptrunner.clock import Clock
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.history.locations import HistoryLocations
from scriptrunner.history.models import HistoryFilter
from scriptrunner.history.store import HistoryStore
from scriptrunner.storage.database import Database


class Histories:
    """The histories of one service. Threads may share it.

    Args:
        database: The service's own, migrated.
        locations: The history files.
        roots: The allowed roots, below which relative script paths are tried.
        clock: Tells what "the last days" are.
    """

    def __init__(
        self,
        database: Database,
        locations: HistoryLocations,
        *,
        roots: AllowedRoots,
        clock: Clock,
    ) -> None:
        """Open nothing yet."""
        self._own = HistoryStore(database, has_alerts=True)
        self._locations = locations
        self._roots = roots
        self._clock = clock

    def open(self, name: str | None) -> HistoryStore:
        """Return a history to read.

        Raises:
            InvalidHistoryDbError: If it may not be named.
            HistoryDbNotFoundError: If no run has made it yet.
        """
        if name is None:
            return self._own
        return HistoryStore(self._locations.open_to_read(name))

    def open_to_clean(self, name: str | None) -> HistoryStore:
        """Return a history from which executions may be removed; errors as ``open``."""
        if name is None:
            return self._own
        return HistoryStore(self._locations.open_to_clean(name))

    def narrow(
        self, store: HistoryStore, question: Question, *, with_cancelled: bool = False
    ) -> HistoryFilter:
        """Return the filter that a question means in a history."""
        since = question.since
        if since is None:
            until = question.until or self._clock.utc_now()
            with suppress(OverflowError):  # days before the calendar begins
                since = until - timedelta(days=question.days)
        path = question.script_path
        return HistoryFilter(
            script_path=None if path is None else self.find_script(store, path),
            since=since,
            until=question.until,
            outcome=question.outcome,
            with_cancelled=with_cancelled,
        )

    def find_script(self, store: HistoryStore, text: str) -> str:
        """Return the canonical path that ``text`` means in a history.

        Tried as it is, then below each allowed root, without a look at the disk: the
        script may be gone by now.
        """
        places = [text, *self._roots.list_spellings(text)]
        return next((path for path in places if store.has_script(path)), places[-1])
