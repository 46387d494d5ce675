"""A run of a task that a person asks for: at once, whatever its schedule says."""

from collections.abc import Mapping
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.runs.models import Accepted, IdempotencyKey, Trigger
from scriptrunner.runs.task_runs import Batch, Origin, TaskRuns
from scriptrunner.scheduler.errors import TaskNotFoundError
from scriptrunner.scheduler.firing import note_run
from scriptrunner.scheduler.models import Fire, FireState
from scriptrunner.scheduler.policy import ActiveRun, Move, decide_by_hand
from scriptrunner.scheduler.repository import fires, tasks
from scriptrunner.scheduler.steps import Preparer
from scriptrunner.storage.database import Connection, Database


class HandStarter:
    """Starts tasks by hand. Threads may share it.

    Args:
        database: The migrated database.
        runs: The way into the record of runs.
        preparer: Knows the options of tasks.
        clock: Tells when.
    """

    def __init__(
        self, database: Database, runs: TaskRuns, preparer: Preparer, clock: Clock
    ) -> None:
        """Hold nothing."""
        self._database = database
        self._runs = runs
        self._preparer = preparer
        self._clock = clock

    def start(
        self,
        task_id: str,
        *,
        principal: str,
        idempotency: IdempotencyKey | None = None,
    ) -> Accepted:
        """Queue a run of a task; neither a pause nor dependencies hold it.

        Under the overlap policies ``skip`` and ``queue`` it starts when the active run
        of the task has ended.

        Raises:
            TaskNotFoundError: If there is no such task.
            InvalidInputError: If its script or an option may not be used any more.
            ConflictError: If the idempotency key belongs to another request.
            QueueFullError: If too many runs wait.
            StorageFullError: If the data disk is (almost) full.
        """
        replayed = self._runs.find_accepted(principal, idempotency)
        if replayed is not None:
            return replayed
        with self._database.read() as connection:
            task = tasks.find(connection, task_id)
        if task is None:
            raise TaskNotFoundError
        order = _HandOrder(self._runs, self._clock, task_id, principal)
        origin = Origin(
            principal=principal,
            trigger=Trigger.MANUAL,
            task_id=task_id,
            idempotency=idempotency,
        )
        accepted = self._runs.put(
            task.definition.script_path,
            self._preparer.options_of(task),
            origin,
            before_insert=order.take,
        )
        self._runs.follow_up(order.batch)
        return accepted


class _HandOrder:
    """What belongs to a run by hand in the transaction that queues it."""

    def __init__(
        self, runs: TaskRuns, clock: Clock, task_id: str, principal: str
    ) -> None:
        self._runs = runs
        self._clock = clock
        self._task_id = task_id
        self._principal = principal
        #: Orders to carry out after the commit.
        self.batch = Batch()

    def take(self, connection: Connection, run_id: str) -> Mapping[str, Any]:
        """Count the run, record why it starts; return columns of its row."""
        self.batch = Batch()
        task = tasks.load_for_change(connection, [self._task_id]).get(self._task_id)
        if task is None:
            raise TaskNotFoundError
        task.change = self._runs.reserve(connection, 1)[0]
        active = [
            ActiveRun(active_id, status, is_waiting)
            for _, active_id, status, is_waiting in self._runs.list_active(
                connection, [self._task_id]
            )
        ]
        decision = decide_by_hand(task.definition.overlap_policy, active)
        if decision.move is Move.REPLACE:
            for each in active:
                self._runs.cancel(
                    connection, self.batch, each.run_id, principal=self._principal
                )
        now = self._clock.utc_now()
        note_run(task, run_id, now=now)
        if task.is_used_up:
            task.next_fire_at = task.due_at = None
        fire_time = fires.find_free_time(connection, self._task_id, now)
        fire = Fire(
            task_id=self._task_id,
            fire_time=fire_time,
            trigger=Trigger.MANUAL,
            state=FireState.STARTED,
            decided_at=now,
            reason=f"{decision.reason} by {self._principal}",
            run_id=run_id,
            principal=self._principal,
        )
        fires.insert(connection, [fire])
        tasks.save(connection, [task])
        return {"waiting_for": decision.after_run}
