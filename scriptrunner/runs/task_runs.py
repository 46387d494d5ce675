"""Runs of tasks: prepared before, and queued inside, a transaction of the scheduler.

So the run, the fire that made it and the task's next time are one commit. Files are laid
down before the transaction; ``Batch`` knows what to do with them, and with the orders
that were given, when it is over.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from scriptrunner.clock import Clock
from scriptrunner.engine.outcomes import StopKind
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.engine.plan import RunOptions, ScriptRef
from scriptrunner.errors import InvalidInputError
from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.runs.intake import Origin
from scriptrunner.runs.models import Accepted, IdempotencyKey
from scriptrunner.runs.parts import RunParts
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import intake as intake_rows
from scriptrunner.runs.repository import state, tasks
from scriptrunner.runs.repository.intake import NewRun
from scriptrunner.runs.shared_commit import find_replayed
from scriptrunner.runs.stopping import Order, order_of
from scriptrunner.runs.transitions import RunChange
from scriptrunner.runs.writing import write
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Connection, Database, DatabaseGoneError

logger = logging.getLogger(__name__)

T = TypeVar("T")

__all__ = ["Batch", "Origin", "TaskRun", "TaskRuns"]


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A run that is ready to be queued."""

    new: NewRun
    #: What is wrong with its script: it will end failed and say so.
    problem: str | None = None

    @property
    def run_id(self) -> str:
        """The id that the run will have."""
        run_id: str = self.new.run["id"]
        return run_id


@dataclass(slots=True)
class Batch:
    """What one transaction puts into the queue and orders to end; for one try of it."""

    runs: list[tuple[TaskRun, str | None]] = field(default_factory=list)
    orders: list[tuple[Order, str]] = field(default_factory=list)

    def put(self, run: TaskRun, *, after_run: str | None = None) -> None:
        """Queue a run, which starts when ``after_run`` is over."""
        self.runs.append((run, after_run))


class TaskRuns:
    """The way of tasks into the record of runs. Threads may share it.

    Args:
        database: The migrated database.
        settings: The service's settings.
        roots: The allowed roots.
        clock: Tests hand in one they can set.
        after_commit: Called when something was queued or ordered.
        boot_id: Of this machine's boot; asked of the kernel by default.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        roots: AllowedRoots,
        after_commit: Callable[[], None],
        clock: Clock | None = None,
        boot_id: str | None = None,
    ) -> None:
        """Connect the parts; nothing is opened or written yet."""
        parts = RunParts(database, settings, roots=roots, clock=clock, boot_id=boot_id)
        self._database = database
        self._settings = settings
        self._roots = roots
        self._clock = parts.clock
        self._after_commit = after_commit
        self._host = parts.host
        self._intake = parts.make_intake(after_commit)
        self._desk = parts.make_desk(after_commit)

    # Before the transaction

    def check(self, script_path: str, options: RunOptions) -> None:
        """Refuse a script and options that no run could be made of.

        Raises:
            InvalidInputError: If the script or a value may not be used.
            MalformedInputError: If a value has the wrong type or range.
        """
        options.check()
        self._roots.locate(script_path)
        self._intake.check_places(options)
        self._intake.find_warnings(options)

    def check_disk(self) -> None:
        """Refuse new runs while the disk has little room left.

        Raises:
            StorageFullError: If it has.
        """
        self._intake.check_disk()

    def prepare(self, script_path: str, options: RunOptions, origin: Origin) -> TaskRun:
        """Return a run that may be queued; a script that is gone makes one that fails.

        Raises:
            StorageFullError: If its files find no room.
        """
        problem = None
        try:
            script = self._roots.locate(script_path)
            origin.warnings = self._roots.find_warnings(script)
        except InvalidInputError as error:
            name = script_path.rpartition("/")[2]
            script = ScriptRef(kind="file", shown_path=script_path, name=name)
            problem = error.message
        return TaskRun(self._intake.prepare(script, options, origin), problem)

    def commit(
        self,
        prepared: Sequence[TaskRun],
        action: Callable[[Connection], tuple[T, Batch]],
    ) -> T:
        """Do ``action`` in one transaction, then carry out the batch that it returns.

        Of ``prepared`` runs that were not queued nothing is left. When nobody knows
        whether a try was committed they are left alone: housekeeping finds what has no
        row.

        Raises: what ``action`` and ``Database.retrying`` raise.
        """
        tries = 0

        def attempt(connection: Connection) -> tuple[T, Batch]:
            nonlocal tries
            tries += 1
            return action(connection)

        try:
            result, batch = self._database.retrying(attempt)
        except BaseException as error:
            is_unheard = tries > 0 and isinstance(error, DatabaseGoneError)
            if tries <= 1 and not is_unheard:
                self._leave_nothing_of(prepared)
            raise
        if tries == 1:
            used = {run.run_id for run, _ in batch.runs}
            self._leave_nothing_of(each for each in prepared if each.run_id not in used)
        self.follow_up(batch)
        return result

    def _leave_nothing_of(self, unused: Iterable[TaskRun]) -> None:
        for each in unused:
            self._intake.discard(each.new)

    # Inside the transaction

    def reserve(self, connection: Connection, count: int) -> range:
        """Take ``count`` (>= 1) change numbers, and the turn to write."""
        return change_counter.reserve(connection, count)

    def find_room(self, connection: Connection) -> int:
        """Return how many runs may be queued."""
        queued = intake_rows.count_queued(connection)
        return max(0, self._settings.queue_limit - queued)

    def list_active(
        self, connection: Connection, task_ids: Iterable[str]
    ) -> list[tuple[str, str, str, bool]]:
        """Return task, run, status and whether it waits, of runs that are not over."""
        return tasks.list_active(connection, task_ids)

    def cancel(
        self, connection: Connection, batch: Batch, run_id: str, *, principal: str
    ) -> None:
        """Order the end of a run; one that is over or stopping already is left alone."""
        numbers = change_counter.reserve(connection, 1)
        found = state.load_for_change(connection, [run_id]).get(run_id)
        if found is None:
            return
        change = RunChange(*found, self._host, connection=connection)
        self._desk.ask(change, StopKind.CANCEL, principal=principal, grace_seconds=None)
        if change.refusal is not None:
            return
        write(connection, [change], numbers)
        order = order_of(change.run, StopKind.CANCEL)
        if not order.is_over:
            batch.orders.append((order, principal))

    def store(self, connection: Connection, batch: Batch) -> None:
        """Queue the runs of a batch."""
        if not batch.runs:
            return
        numbers = change_counter.reserve(connection, len(batch.runs))
        rows = [
            NewRun(
                run={**run.new.run, "waiting_for": after_run},
                details=run.new.details,
                event=run.new.event,
            )
            for run, after_run in batch.runs
        ]
        intake_rows.insert_runs(connection, rows, numbers)

    def find_replayed(
        self, connection: Connection, principal: str, key: IdempotencyKey
    ) -> str | None:
        """Return what an earlier request with this key has made, or None.

        Raises:
            IdempotencyConflictError: If that was another request.
        """
        now = self._clock.utc_now()
        return find_replayed(connection, principal, key, now=now)

    def keep_key(
        self, connection: Connection, principal: str, key: IdempotencyKey, made: str
    ) -> None:
        """Remember that this key has made ``made`` (36 characters)."""
        now = self._clock.utc_now()
        intake_rows.insert_key(connection, principal, key, run_id=made, now=now)

    # After the transaction

    def follow_up(self, batch: Batch) -> None:
        """Carry out the orders of a batch that is committed, and tell everybody."""
        for order, principal in batch.orders:
            try:
                self._desk.tell_shim(order, principal=principal, grace_seconds=None)
            except (OSError, RunNotFoundError) as error:
                # The supervisor repeats orders that were never told.
                logger.warning("run %s: not told of its end: %s", order.run_id, error)
        if batch.runs or batch.orders:
            self._after_commit()

    # A run by itself

    def put(
        self,
        script_path: str,
        options: RunOptions,
        origin: Origin,
        *,
        before_insert: Callable[[Connection, str], Mapping[str, Any]],
    ) -> Accepted:
        """Queue one run by hand; ``before_insert`` writes what belongs to it.

        Raises: see ``Intake.put``, and what ``AllowedRoots.locate`` refuses.
        """
        script = self._roots.locate(script_path)
        origin.warnings = self._roots.find_warnings(script)
        origin.before_insert = before_insert
        return self._intake.put(script, options, origin)

    def find_accepted(
        self, principal: str, key: IdempotencyKey | None
    ) -> Accepted | None:
        """Return the answer to an earlier request with the same key, or None.

        Raises: see ``Intake.find_replay``.
        """
        return self._intake.find_replay(principal, key)
