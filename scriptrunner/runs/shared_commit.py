"""One transaction for all submissions that come at once.

One of their threads writes for all, each learns only its own outcome. That is what makes
a commit per request cheap. The bound of the queue and repeated requests are decided here,
inside the transaction, so they hold across workers.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.fault_points import pass_point
from scriptrunner.runs.errors import IdempotencyConflictError, QueueFullError
from scriptrunner.runs.models import IdempotencyKey
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import intake as repository
from scriptrunner.runs.repository.intake import NewRun
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

#: How long a repeated request gets the answer of the first one.
KEY_LIFETIME = timedelta(hours=24)

#: Called with the new run's id in the transaction before the run is stored. It may refuse
#: by raising, and must not have written anything then. Returns columns of the new row.
BeforeInsert = Callable[[Connection, str], Mapping[str, Any]]


@dataclass(slots=True, kw_only=True)
class Entry:
    """A run on its way into the queue."""

    new: NewRun
    principal: str
    idempotency: IdempotencyKey | None = None
    before_insert: BeforeInsert | None = None
    #: What came of it; set by the thread that writes.
    is_done: bool = False
    #: Id of the run that was made by an earlier request with the same key.
    replayed: str | None = None
    error: Exception | None = None

    @property
    def run_id(self) -> str:
        """The id the run gets unless the request is a repeated one."""
        run_id: str = self.new.run["id"]
        return run_id


class SharedCommit:
    """Commits new runs. Threads may share it.

    Args:
        database: The migrated database.
        queue_limit: Runs that may be queued.
        clock: Tells the age of idempotency keys.
        after_commit: Called when runs have been committed, by the thread that did it.
    """

    def __init__(
        self,
        database: Database,
        *,
        queue_limit: int,
        clock: Clock,
        after_commit: Callable[[], None],
    ) -> None:
        """Start with nobody waiting."""
        self._database = database
        self._queue_limit = queue_limit
        self._clock = clock
        self._after_commit = after_commit
        self._pending: list[Entry] = []
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        #: How many runs were queued when the change counter stood at ``_counted_at``.
        self._counted = queue_limit
        self._counted_at = 0

    def put(self, entry: Entry) -> None:
        """Return when ``entry`` is committed; raise what became of it otherwise.

        An entry that repeats an earlier request is not stored; ``replayed`` says whose
        answer it gets.
        """
        with self._gathering:
            self._pending.append(entry)
        with self._writing:
            # Whoever held the lock before may have written this entry along.
            if not entry.is_done:
                with self._gathering:
                    batch, self._pending = self._pending, []
                # With the lock: while others are told, the next batch gathers.
                if self.write_batch(batch):
                    self._after_commit()
        if entry.error is not None:
            raise entry.error
        pass_point("submit.after_commit")

    def write_batch(self, batch: Sequence[Entry]) -> bool:
        """Write entries together and leave with each what became of it.

        Returns:
            Whether any run was stored.
        """
        try:
            self._write_together(batch)
        finally:
            for entry in batch:
                entry.is_done = True
        return any(entry.error is None and entry.replayed is None for entry in batch)

    def _write_together(self, batch: Sequence[Entry]) -> None:
        """Write a batch in one transaction; if that fails, each in its own."""
        try:
            self._database.retrying(lambda each: self._insert(each, batch))
        except ScriptRunnerError as error:
            for entry in batch:
                entry.error = error
        except Exception as error:  # noqa: BLE001 - one bad row must not hurt the others
            if len(batch) == 1:
                batch[0].error = error
                return
            logger.warning("a shared commit failed: %r", error)
            for entry in batch:
                self._write_together([entry])

    def _insert(self, connection: Connection, batch: Sequence[Entry]) -> None:
        numbers = change_counter.reserve(connection, len(batch))
        room = self._find_room(connection, numbers)
        accepted: dict[tuple[str, str, str], Entry] = {}
        new_runs: list[NewRun] = []
        for entry in batch:
            entry.error = entry.replayed = None
            try:
                if self._is_replay(connection, entry, accepted):
                    continue
                if len(new_runs) >= room:
                    raise QueueFullError
                new_runs.append(_complete(connection, entry))
            except ScriptRunnerError as error:
                entry.error = error
                continue
            if entry.idempotency is not None:
                accepted[_name_of(entry)] = entry
        repository.insert_runs(connection, new_runs, numbers)
        for entry in accepted.values():
            self._insert_key(connection, entry)
        pass_point("submit.before_commit")

    def _find_room(self, connection: Connection, numbers: Sequence[int]) -> int:
        """Return how many runs of a batch may be queued, at least; counts if it must.

        Whatever puts a run into the queue takes a number of the change counter, so the
        queue has grown by no more than the counter since it was counted last.
        """
        room = self._queue_limit - (self._counted + numbers[0] - self._counted_at)
        if room < len(numbers):
            self._counted = repository.count_queued(connection)
            self._counted_at = numbers[0]
            room = self._queue_limit - self._counted
        return room

    def _is_replay(
        self,
        connection: Connection,
        entry: Entry,
        accepted: Mapping[tuple[str, str, str], Entry],
    ) -> bool:
        """Note the earlier run if the request was made before, also in this batch."""
        key = entry.idempotency
        if key is None:
            return False
        twin = accepted.get(_name_of(entry))
        if twin is not None and twin.idempotency is not None:
            if twin.idempotency.body_sha256 != key.body_sha256:
                raise IdempotencyConflictError
            entry.replayed = twin.run_id
        else:
            entry.replayed = find_replayed(
                connection, entry.principal, key, now=self._clock.utc_now()
            )
        return entry.replayed is not None

    def _insert_key(self, connection: Connection, entry: Entry) -> None:
        if entry.idempotency is not None:
            repository.insert_key(
                connection,
                entry.principal,
                entry.idempotency,
                run_id=entry.run_id,
                now=self._clock.utc_now(),
            )


def find_replayed(
    connection: Connection, principal: str, key: IdempotencyKey, *, now: datetime
) -> str | None:
    """Return the id of the run that an earlier request with this key made, or None.

    Raises:
        IdempotencyConflictError: If that was another request.
    """
    earlier = repository.find_earlier(connection, principal, key)
    if earlier is None or earlier.created_at < now - KEY_LIFETIME:
        return None
    if earlier.body_sha256 != key.body_sha256:
        raise IdempotencyConflictError
    return earlier.run_id


def _name_of(entry: Entry) -> tuple[str, str, str]:
    key = entry.idempotency
    return (entry.principal, key.route, key.key) if key else ("", "", "")


def _complete(connection: Connection, entry: Entry) -> NewRun:
    if entry.before_insert is None:
        return entry.new
    columns = entry.before_insert(connection, entry.run_id)
    new = entry.new
    return NewRun(run={**new.run, **columns}, details=new.details, event=new.event)
