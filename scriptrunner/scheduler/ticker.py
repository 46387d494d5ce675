"""The scheduler's part of the supervisor: wakes when something is due, else costs nothing.

What is due next is known from the last look; a counter in the database says when somebody
has changed a task since. Wall time is looked at again at least once a second, so that no
jump of the clock freezes it.
"""

import logging
from datetime import datetime

from scriptrunner.clock import Clock
from scriptrunner.errors import StorageFullError
from scriptrunner.scheduler.firing import Firer
from scriptrunner.scheduler.repository import tasks
from scriptrunner.storage.database import Database

logger = logging.getLogger(__name__)

#: Seconds between two looks at the counter when nothing happens.
LOOK_SECONDS = 1.0
#: Seconds between two looks while runs end and people ask for things.
POKED_SECONDS = 0.2
#: Seconds until a full queue is tried again.
FULL_SECONDS = 1.0
#: Tasks acted on in one transaction.
BATCH = 100


class Ticker:
    """Implements ``supervisor.ports.Timer``. For one thread.

    Args:
        database: The migrated database.
        firer: Turns fires into runs.
        clock: Tells what is due.
    """

    def __init__(self, database: Database, firer: Firer, clock: Clock) -> None:
        """Look at the first call."""
        self._database = database
        self._firer = firer
        self._clock = clock
        self._revision = -1
        self._next_due_at: datetime | None = None
        self._has_pending = False
        self._looked_at = -LOOK_SECONDS
        self._look_at = 0.0
        #: Monotonic seconds before which a full queue is left alone.
        self._full_until = 0.0

    def poke(self) -> None:
        """Something has happened that may concern tasks."""
        self._look_at = min(self._look_at, self._looked_at + POKED_SECONDS)

    def seconds_left(self) -> float:
        """Return the seconds until ``tick`` has something to do, >= 0."""
        now = self._clock.monotonic()
        if now < self._full_until:
            return self._full_until - now
        wait = self._look_at - now
        if self._has_pending:
            return 0.0
        if self._next_due_at is not None:
            until_due = (self._next_due_at - self._clock.utc_now()).total_seconds()
            wait = min(wait, until_due)
        return max(0.0, wait)

    def tick(self) -> bool:
        """Do what is due; return whether a run was queued.

        While the disk or the queue is full, it waits a moment.

        Raises:
            DatabaseBusyError: If the database stays locked; it is tried again.
        """
        now = self._clock.monotonic()
        if now < self._full_until:
            return False
        if now >= self._look_at:
            self._look()
        try:
            return self._act()
        except StorageFullError as error:
            # Fires wait for room; ends of runs need what there is.
            logger.warning("nothing is fired while the disk is full: %s", error)
            self._full_until = self._clock.monotonic() + FULL_SECONDS
            return False

    def _act(self) -> bool:
        """Fire what is due and look at what has changed."""
        queued = False
        if self._next_due_at is not None and self._next_due_at <= self._clock.utc_now():
            outcome = self._firer.fire_due(limit=BATCH)
            queued |= bool(outcome.started)
            self._note_full(outcome.is_full)
            with self._database.read() as connection:
                self._next_due_at = tasks.find_next_due(connection)
        if self._has_pending:
            outcome = self._firer.look_at_pending(limit=BATCH)
            queued |= bool(outcome.started)
            self._note_full(outcome.is_full)
            with self._database.read() as connection:
                self._has_pending = bool(tasks.list_pending(connection, limit=1))
        return queued

    def _look(self) -> None:
        """Find out what is due next, if any task has changed."""
        self._looked_at = self._clock.monotonic()
        with self._database.read() as connection:
            revision = tasks.get_revision(connection)
            if revision != self._revision:
                self._next_due_at = tasks.find_next_due(connection)
                self._has_pending = bool(tasks.list_pending(connection, limit=1))
        self._revision = revision
        self._look_at = self._looked_at + LOOK_SECONDS

    def _note_full(self, is_full: bool) -> None:
        if is_full:
            self._full_until = self._clock.monotonic() + FULL_SECONDS
