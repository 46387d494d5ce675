"""How many runs are kept: by age, by number, by the room they take on the disk.

A run goes as a whole, with its output, events and record; what the history knows of it
stays, and has rules of its own. It goes as if somebody had deleted it.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from scriptrunner.analytics.retention import Policy
from scriptrunner.clock import Clock
from scriptrunner.runs.deleting import Remover
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.repository import retention
from scriptrunner.runs.repository.retention import Place, Rules
from scriptrunner.storage.database import Database
from scriptrunner.supervisor.rounds import Rounds

logger = logging.getLogger(__name__)

#: Seconds between two rounds.
ROUND_SECONDS = 600.0
#: A run stays this long after its end whatever the rules say: somebody may wait for it.
MIN_AGE = timedelta(minutes=10)
#: Runs looked at, and runs removed, before others get their turn.
BATCH = 100


class RunRetention:
    """Removes the oldest runs that are over, in the background process.

    Args:
        database: The migrated database.
        folders: The run folders.
        remover: Deletes runs.
        policy: What is kept.
        stamp: File that tells when it was last done.
        clock: Tells what is old.
        announce: Tells everybody that runs have changed.
    """

    name = "run retention"

    def __init__(
        self,
        database: Database,
        folders: RunFolders,
        remover: Remover,
        policy: Policy,
        *,
        stamp: Path,
        clock: Clock,
        announce: Callable[[], None],
    ) -> None:
        """Look for the first time when asked."""
        self._database = database
        self._folders = folders
        self._remover = remover
        self._policy = policy
        self._clock = clock
        self._announce = announce
        self._rounds = Rounds(stamp, seconds=ROUND_SECONDS, clock=clock)

    def is_due(self) -> bool:
        """Return whether there is a policy, and the last round was long enough ago."""
        return not self._policy.is_empty and self._rounds.is_due()

    def work(self, stop: threading.Event) -> None:
        """Remove what the policy says; soon after ``stop`` is set the rest waits."""
        removed = self._remove(self._find_rules(stop), stop)
        if removed:
            logger.info(
                "removed %d runs that were kept for long enough",
                removed,
                extra={"action": "run_retention"},
            )
        if not stop.is_set():
            self._rounds.finish()

    def _find_rules(self, stop: threading.Event) -> Rules:
        now, policy = self._clock.utc_now(), self._policy
        places = (self._find_by_number(), self._find_by_size(stop))
        return Rules(
            ended_before=now - MIN_AGE,
            too_old=None if policy.days is None else now - timedelta(days=policy.days),
            keep_from=max((place for place in places if place), default=None),
        )

    def _find_by_number(self) -> Place | None:
        if self._policy.max_runs is None:
            return None
        with self._database.read() as connection:
            return retention.find_newest(connection, self._policy.max_runs)

    def _find_by_size(self, stop: threading.Event) -> Place | None:
        """Return the oldest run that still fits, counted from the newest."""
        if self._policy.max_mb is None:
            return None
        room = self._policy.max_mb << 20
        fits: Place | None = None
        batch: list[Place] = []
        while not stop.is_set():
            last = batch[-1] if batch else None
            with self._database.read() as connection:
                batch = retention.list_ended(connection, before=last, limit=BATCH)
            for place in batch:
                room -= self._folders.measure(place.id)
                if room < 0:
                    # The newest run stays however large it is.
                    return fits or place
                fits = place
            if len(batch) < BATCH:
                break
        return None

    def _remove(self, rules: Rules, stop: threading.Event) -> int:
        if rules.too_old is None and rules.keep_from is None:
            return 0
        removed = 0
        after: Place | None = None
        while not stop.is_set():
            with self._database.read() as connection:
                batch = retention.list_removable(
                    connection, rules, after=after, limit=BATCH
                )
            if not batch:
                break
            after = batch[-1]
            deleted, _ = self._remover.delete_many([place.id for place in batch])
            removed += deleted
            self._announce()
        return removed
