"""Fires become runs: decided and stored in one transaction, each exactly once.

1. Before: due tasks are read, their fires computed, their runs prepared.
2. Inside: whoever has the turn to write reads the tasks again. A task that has changed
   meanwhile is left for the next look; so of two supervisors only one fires. Dependencies
   and overlap are decided by what is true now.
3. The fires (unique by task and time), the runs and the tasks' next times are committed
   together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from scriptrunner.clock import Clock, to_text
from scriptrunner.runs.models import Trigger
from scriptrunner.runs.task_runs import Batch, TaskRuns
from scriptrunner.scheduler import policy
from scriptrunner.scheduler.models import Fire, FireState, Task, Upstream
from scriptrunner.scheduler.policy import ActiveRun, Decision, Move
from scriptrunner.scheduler.repository import fires, tasks
from scriptrunner.scheduler.steps import Intent, Outcome, Preparer, Step
from scriptrunner.storage.database import Connection, Database

#: Every so many changes of the service, the oldest decisions about a task are forgotten.
PRUNE_EVERY = 64


@dataclass(slots=True)
class _Round:
    """What one try of the transaction knows and makes."""

    connection: Connection
    now: datetime
    batch: Batch
    outcome: Outcome
    room: int
    active: dict[str, list[ActiveRun]]
    taken: set[tuple[str, datetime]]
    upstream: dict[str, Upstream]
    new_fires: list[Fire] = field(default_factory=list)
    changed: list[Task] = field(default_factory=list)


class Firer:
    """Turns fires into runs. Threads may share it.

    Args:
        database: The migrated database.
        runs: The way into the record of runs.
        preparer: Prepares steps.
        clock: Tells what is due.
    """

    def __init__(
        self, database: Database, runs: TaskRuns, preparer: Preparer, clock: Clock
    ) -> None:
        """Hold nothing."""
        self._database = database
        self._runs = runs
        self._preparer = preparer
        self._clock = clock

    def fire_due(self, *, limit: int) -> Outcome:
        """Act on up to ``limit`` tasks whose time has come.

        Raises:
            StorageFullError: If the data disk is (almost) full; nothing was done then.
            DatabaseBusyError: If the database stays locked.
        """
        now = self._clock.utc_now()
        with self._database.read() as connection:
            due = tasks.list_due(connection, now=now, limit=limit)
        if not due:
            return Outcome()
        self._runs.check_disk()
        return self._commit([self._preparer.prepare_due(each, now=now) for each in due])

    def look_at_pending(self, *, limit: int) -> Outcome:
        """Act on up to ``limit`` tasks some of whose dependencies have ended.

        Raises: as ``fire_due``.
        """
        with self._database.read() as connection:
            pending = tasks.list_pending(connection, limit=limit)
            waiting = fires.find_waiting(connection, (t.task_id for t in pending))
        if not pending:
            return Outcome()
        self._runs.check_disk()
        now = self._clock.utc_now()
        prepare = self._preparer.prepare_look
        steps = [prepare(each, waiting.get(each.task_id), now=now) for each in pending]
        return self._commit(steps)

    def _commit(self, steps: Sequence[Step]) -> Outcome:
        prepared = [run for step in steps for run in step.runs]
        return self._runs.commit(prepared, lambda each: self.apply(each, steps))

    # Inside the transaction

    def apply(
        self, connection: Connection, steps: Sequence[Step]
    ) -> tuple[Outcome, Batch]:
        """Decide and store ``steps`` (at least one) in the caller's transaction."""
        numbers = self._runs.reserve(connection, len(steps))
        loaded = tasks.load_for_change(connection, (s.task.task_id for s in steps))
        round_ = self._begin(connection, steps, loaded)
        for step, number in zip(steps, numbers, strict=True):
            task = loaded.get(step.task.task_id)
            if task is None or task.change != step.task.change:
                round_.outcome.void.append(step.task.task_id)
            elif len(step.runs) > round_.room:
                round_.outcome.void.append(task.task_id)
                round_.outcome.is_full = True
            else:
                self._take(round_, step, task, number)
        fires.insert(connection, round_.new_fires)
        self._runs.store(connection, round_.batch)
        tasks.save(connection, round_.changed)
        return round_.outcome, round_.batch

    def _begin(
        self, connection: Connection, steps: Sequence[Step], loaded: dict[str, Task]
    ) -> _Round:
        active: dict[str, list[ActiveRun]] = defaultdict(list)
        for task_id, run_id, status, is_waiting in self._runs.list_active(
            connection, loaded
        ):
            active[task_id].append(ActiveRun(run_id, status, is_waiting))
        wanted = [
            (step.task.task_id, intent.fire_time)
            for step in steps
            for intent in step.intents
            if _is_planned(intent)
        ]
        names = {n for each in loaded.values() for n in each.definition.dependencies}
        return _Round(
            connection=connection,
            now=self._clock.utc_now(),
            batch=Batch(),
            outcome=Outcome(),
            room=self._runs.find_room(connection),
            active=active,
            taken=fires.list_taken(connection, wanted),
            upstream=tasks.list_upstream(connection, names) if names else {},
        )

    def _take(self, round_: _Round, step: Step, task: Task, number: int) -> None:
        task.change = number
        task.is_pending = False
        task.next_fire_at, task.due_at = step.next_fire_at, step.due_at
        for intent in step.intents:
            self._decide(round_, task, intent)
        if task.is_used_up:
            task.next_fire_at = task.due_at = None
        round_.changed.append(task)
        if number % PRUNE_EVERY == 0:
            fires.prune(round_.connection, task.task_id)

    def _decide(self, round_: _Round, task: Task, intent: Intent) -> None:
        if _is_planned(intent) and (task.task_id, intent.fire_time) in round_.taken:
            return
        reason = self._find_hindrance(task, intent)
        if reason is not None:
            self._skip(round_, task, intent, reason)
            return
        upstream = list(round_.upstream.values())
        unmet = policy.find_unmet(task, upstream) if _waits(intent) else {}
        if unmet:
            self._hold(round_, task, intent, policy.describe_unmet(unmet))
            return
        active = round_.active[task.task_id]
        overlap = task.definition.overlap_policy
        self.carry_out(
            round_, task, intent, policy.decide(overlap, active, intent.reason)
        )

    def _find_hindrance(self, task: Task, intent: Intent) -> str | None:
        """Return why a fire does not run, whatever its dependencies do, or None."""
        if intent.skip_reason is not None:
            return intent.skip_reason
        if not task.definition.enabled:
            return f"the task is paused: {task.paused_reason or 'it is switched off'}"
        if task.is_used_up:
            return f"the task has made its {task.definition.max_runs} runs"
        return None

    def _hold(self, round_: _Round, task: Task, intent: Intent, words: str) -> None:
        """Have a fire wait for dependencies; one waits at most."""
        if intent.trigger is Trigger.DEPENDENCY:
            return
        if intent.waiting is not None:
            self._settle(round_, intent.waiting, FireState.WAITING, words)
        elif task.waiting_since is not None:
            since = to_text(task.waiting_since)
            reason = f"the fire of {since} waits already; it {words}"
            self._skip(round_, task, intent, reason)
        else:
            task.waiting_since = intent.fire_time
            self._record(round_, task, intent, FireState.WAITING, words)
            round_.outcome.waiting.append(task.task_id)

    def carry_out(
        self, round_: _Round, task: Task, intent: Intent, decision: Decision
    ) -> None:
        """Do what was decided about a fire that nothing holds."""
        if decision.move is Move.SKIP or intent.run is None:
            self._skip(round_, task, intent, decision.reason)
            return
        if decision.move is Move.REPLACE:
            for each in round_.active[task.task_id]:
                self._runs.cancel(
                    round_.connection,
                    round_.batch,
                    each.run_id,
                    principal=intent.principal,
                )
        run = intent.run
        round_.batch.put(run, after_run=decision.after_run)
        round_.room -= 1
        is_following = decision.after_run is not None
        round_.active[task.task_id].append(
            ActiveRun(run.run_id, "queued", is_following)
        )
        note_run(task, run.run_id, now=round_.now)
        words = decision.reason
        if run.problem is not None:
            words = f"{words}; the run fails: {run.problem}"
        if intent.waiting is None:
            self._record(
                round_, task, intent, FireState.STARTED, words, run_id=run.run_id
            )
        else:
            task.waiting_since = None
            self._settle(
                round_, intent.waiting, FireState.STARTED, words, run_id=run.run_id
            )
        round_.outcome.started.append((task.task_id, run.run_id))

    def _skip(self, round_: _Round, task: Task, intent: Intent, reason: str) -> None:
        round_.outcome.skipped.append((task.task_id, reason))
        if intent.waiting is None:
            self._record(round_, task, intent, FireState.SKIPPED, reason)
        else:
            task.waiting_since = None
            self._settle(round_, intent.waiting, FireState.SKIPPED, reason)

    def _record(
        self,
        round_: _Round,
        task: Task,
        intent: Intent,
        state: FireState,
        reason: str,
        *,
        run_id: str | None = None,
    ) -> None:
        fire_time = intent.fire_time
        if intent.trigger is not Trigger.SCHEDULE:
            # Its time is that of a moment, not its identity: it takes the next free one.
            fire_time = fires.find_free_time(round_.connection, task.task_id, fire_time)
        if task.waiting_since == intent.fire_time and state is FireState.WAITING:
            task.waiting_since = fire_time
        round_.new_fires.append(
            Fire(
                task_id=task.task_id,
                fire_time=fire_time,
                trigger=intent.trigger,
                state=state,
                decided_at=round_.now,
                reason=reason,
                run_id=run_id,
                event=intent.event,
                payload=intent.payload,
                principal=intent.principal,
            )
        )

    def _settle(
        self,
        round_: _Round,
        fire: Fire,
        state: FireState,
        reason: str,
        *,
        run_id: str | None = None,
    ) -> None:
        fires.decide_waiting(
            round_.connection,
            fire,
            state=state,
            reason=reason,
            now=round_.now,
            run_id=run_id,
        )


def note_run(task: Task, run_id: str, *, now: datetime) -> None:
    """Note on a task that a run of it was queued."""
    task.run_count += 1
    task.last_run_id = run_id
    task.last_run_at = now
    task.last_status = "running"


def _is_planned(intent: Intent) -> bool:
    """Return whether the time of a fire is its identity; others are only moments."""
    return intent.waiting is None and intent.trigger is Trigger.SCHEDULE


def _waits(intent: Intent) -> bool:
    """Return whether a fire of this kind waits for dependencies."""
    return intent.trigger is not Trigger.MANUAL
