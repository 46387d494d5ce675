"""The use cases of tasks: made, changed, paused, deleted, run by hand. No HTTP here.

What only looks is in ``views``, events are in ``events``.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from itertools import islice
from typing import Any

from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.engine.plan import RunOptions
from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.models import Accepted, IdempotencyKey
from scriptrunner.runs.task_runs import TaskRuns
from scriptrunner.scheduler import secrets as secret_values
from scriptrunner.scheduler.by_hand import HandStarter
from scriptrunner.scheduler.checking import list_faults
from scriptrunner.scheduler.errors import (
    TaskExistsError,
    TaskNotFoundError,
    fault,
)
from scriptrunner.scheduler.events import EventDesk
from scriptrunner.scheduler.firing import Firer
from scriptrunner.scheduler.models import FireState, Task, TaskDefinition
from scriptrunner.scheduler.repository import fires, tasks
from scriptrunner.scheduler.secrets import TaskSecrets
from scriptrunner.scheduler.steps import Preparer
from scriptrunner.scheduler.triggers import due_time, find_trigger
from scriptrunner.scheduler.views import TaskViews
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

#: Next times that are told when a task is made.
NEXT_RUNS = 5
#: How long it is remembered that a task was deleted.
DELETION_LIFETIME = timedelta(days=7)
#: Fields whose change moves the next time.
_TIME_FIELDS = (
    "schedule",
    "cron_expr",
    "run_at",
    "timezone",
    "start_at",
    "end_at",
    "delay_seconds",
    "jitter_seconds",
    "max_runs",
)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of tasks that were brought along."""

    created: Sequence[str]
    updated: Sequence[str]
    #: Already there, and not to be replaced.
    kept: Sequence[str]


class TaskService:
    """Everything that can be done with tasks. Threads may share it.

    Args:
        database: The migrated database; whoever made it closes it.
        settings: The service's settings.
        roots: The allowed roots.
        wake: Tells the supervisor that there is work.
        announce: Tells all web workers that something has changed.
        clock: Tests hand in one they can set.
        boot_id: Of this machine's boot; asked of the kernel by default.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        roots: AllowedRoots,
        wake: Callable[[], None],
        announce: Callable[[], None],
        clock: Clock | None = None,
        boot_id: str | None = None,
    ) -> None:
        """Connect the parts; nothing is opened or written yet."""
        self._database = database
        self._clock = clock or SystemClock()
        self._wake = wake
        self._announce = announce
        self._runs = TaskRuns(
            database,
            settings,
            roots=roots,
            after_commit=self._on_change,
            clock=self._clock,
            boot_id=boot_id,
        )
        self._secrets = TaskSecrets(settings.data_dir / "tasks")
        self._preparer = Preparer(self._runs, self._secrets)
        #: Turns fires into runs; the supervisor's ticker uses it.
        self.firer = Firer(database, self._runs, self._preparer, self._clock)
        self._hand = HandStarter(database, self._runs, self._preparer, self._clock)
        #: Fires events and knows who listens.
        self.events = EventDesk(
            database, self._runs, self._preparer, self.firer, self._clock
        )
        #: What only looks.
        self.views = TaskViews(database, self._clock)

    def _on_change(self) -> None:
        """Tell everybody; what is committed stays committed if nobody can be told."""
        try:
            self._wake()
            self._announce()
        except OSError as error:
            logger.warning("nobody could be told of a change: %s", error)

    # Making and changing

    def create(self, definition: TaskDefinition, *, principal: str) -> Task:
        """Store a new task; when this returns it is committed.

        Raises:
            MalformedInputError: With every fault of the definition.
            InvalidInputError: If its script or an option may not be used.
            TaskExistsError: If there is a task of that id.
        """
        definition, name = self._take_secrets(definition, {})
        try:
            task = self._database.retrying(
                lambda each: self._insert(each, definition, principal, name)
            )
        except BaseException:
            self._secrets.remove(name)
            raise
        self._on_change()
        return task

    def _insert(
        self,
        connection: Connection,
        definition: TaskDefinition,
        principal: str,
        secrets: str | None,
    ) -> Task:
        number = self._runs.reserve(connection, 1)[0]
        if tasks.find(connection, definition.task_id) is not None:
            raise TaskExistsError
        now = self._clock.utc_now()
        task = Task(
            definition=definition,
            change=number,
            created_at=now,
            principal=principal,
            secrets=secrets,
        )
        self._check(connection, [task])
        self._plan(task)
        tasks.insert(connection, [task])
        tasks.raise_revision(connection)
        return task

    def update(
        self, task_id: str, changes: Mapping[str, Any], *, principal: str
    ) -> Task:
        """Change the fields of a task that ``changes`` names.

        Raises:
            TaskNotFoundError: If there is no such task.
            MalformedInputError: With every fault of the changed definition.
            InvalidInputError: If its script or an option may not be used.
        """
        before = self.views.get(task_id)
        earlier = self._secrets.read(before.secrets)
        wanted = replace(before.definition, **changes)
        definition, name = self._take_secrets(wanted, earlier)
        kept = {key: getattr(definition, key) for key in (*changes, "run_options")}
        try:
            task, old = self._database.retrying(
                lambda each: self._change(each, task_id, kept, principal, name)
            )
        except BaseException:
            self._secrets.remove(name)
            raise
        self._secrets.remove(old)
        self._on_change()
        return task

    def _change(
        self,
        connection: Connection,
        task_id: str,
        changes: Mapping[str, Any],
        principal: str,
        secrets: str | None,
    ) -> tuple[Task, str | None]:
        """Change a locked task; return it and the name of its old secrets."""
        number = self._runs.reserve(connection, 1)[0]
        task = _locked(connection, task_id)
        before, old = task.definition, task.secrets
        task.definition = replace(before, **changes)
        task.change, task.principal, task.secrets = number, principal, secrets
        # A task that was paused because another was deleted can still be edited.
        links_stay = before.dependencies == task.definition.dependencies
        may_miss = links_stay and not task.definition.enabled
        must_fire = _moves_times(before, task.definition)
        self._check(connection, [task], may_miss=may_miss, must_fire=must_fire)
        self._switch(connection, task, was_on=before.enabled, principal=principal)
        if _moves_times(before, task.definition):
            self._plan(task)
        tasks.replace(connection, task)
        tasks.raise_revision(connection)
        return task, old

    def pause(self, task_id: str, *, principal: str, reason: str | None = None) -> Task:
        """Switch a task off; the fire that waits, if any, is given up.

        Raises:
            TaskNotFoundError: If there is no such task.
        """
        return self._set_enabled(task_id, on=False, principal=principal, reason=reason)

    def resume(self, task_id: str, *, principal: str) -> Task:
        """Switch a task on; its next time is computed from now.

        Raises:
            TaskNotFoundError: If there is no such task.
            MalformedInputError: If it depends on a task that is gone.
        """
        return self._set_enabled(task_id, on=True, principal=principal, reason=None)

    def _set_enabled(
        self, task_id: str, *, on: bool, principal: str, reason: str | None
    ) -> Task:
        def change(connection: Connection) -> Task:
            number = self._runs.reserve(connection, 1)[0]
            task = _locked(connection, task_id)
            was_on = task.definition.enabled
            task.definition = replace(task.definition, enabled=on)
            task.change = number
            if on:
                self._check(connection, [task], must_fire=False)
                self._plan(task)
            self._switch(
                connection, task, was_on=was_on, principal=principal, reason=reason
            )
            tasks.set_enabled(connection, task)
            tasks.raise_revision(connection)
            return task

        task = self._database.retrying(change)
        self._on_change()
        return task

    def _switch(
        self,
        connection: Connection,
        task: Task,
        *,
        was_on: bool,
        principal: str,
        reason: str | None = None,
    ) -> None:
        """Do what belongs to switching a task on or off."""
        is_on = task.definition.enabled
        if is_on:
            task.paused_reason = None
            task.is_pending = bool(task.definition.dependencies)
        elif was_on or reason is not None:
            task.paused_reason = reason or f"paused by {principal}"
        if not is_on:
            self._give_up_waiting(connection, task)

    def _give_up_waiting(self, connection: Connection, task: Task) -> None:
        for fire in fires.find_waiting(connection, [task.task_id]).values():
            words = f"the task was switched off: {task.paused_reason}"
            fires.decide_waiting(
                connection,
                fire,
                state=FireState.SKIPPED,
                reason=words,
                now=self._clock.utc_now(),
            )
        task.waiting_since = None
        task.is_pending = False

    def delete(self, task_id: str) -> list[str]:
        """Delete a task; runs under way go on. Tasks that depend on it are paused.

        Returns:
            The ids of those that were paused.

        Raises:
            TaskNotFoundError: If there is no such task.
        """
        old, paused = self._database.retrying(lambda each: self._delete(each, task_id))
        self._secrets.remove(old.secrets)
        self._on_change()
        return paused

    def _delete(self, connection: Connection, task_id: str) -> tuple[Task, list[str]]:
        number = self._runs.reserve(connection, 1)[0]
        task = _locked(connection, task_id)
        now = self._clock.utc_now()
        dependents = tasks.list_dependents(connection, task_id)
        loaded = tasks.load_for_change(connection, dependents) if dependents else {}
        paused = []
        numbers = self._runs.reserve(connection, len(loaded)) if loaded else range(0)
        for each, change in zip(loaded.values(), numbers, strict=True):
            if each.definition.enabled:
                paused.append(each.task_id)
                each.definition = replace(each.definition, enabled=False)
                each.change = change
                self._switch(
                    connection,
                    each,
                    was_on=True,
                    principal="",
                    reason=f"it depends on {task_id}, which was deleted",
                )
                tasks.set_enabled(connection, each)
        tasks.remove(connection, task_id, change=number, now=now)
        tasks.forget_deleted(connection, before=now - DELETION_LIFETIME)
        tasks.raise_revision(connection)
        return task, sorted(paused)

    def import_all(
        self,
        definitions: Sequence[TaskDefinition],
        *,
        principal: str,
        replace_existing: bool,
        dry_run: bool = False,
    ) -> Imported:
        """Store many tasks, all or none; they may depend on each other.

        Args:
            definitions: The tasks.
            principal: Who brings them.
            replace_existing: Whether a task that is there is changed, or kept.
            dry_run: Check everything and store nothing.

        Raises:
            MalformedInputError: With every fault of every task, which it names.
            InvalidInputError: If a script or an option may not be used.
        """
        with self._database.read() as connection:
            known = {each.task_id: each for each in tasks.list_all(connection)}
        new = [each for each in definitions if each.task_id not in known]
        old = [each for each in definitions if each.task_id in known]
        changed = old if replace_existing else []
        names: list[str | None] = []
        taken = []
        try:
            for each in [*new, *changed]:
                before = known.get(each.task_id)
                earlier = self._secrets.read(before.secrets) if before else {}
                definition, name = self._take_secrets(each, earlier)
                names.append(name)
                taken.append((definition, name))
            replaced = self._database.retrying(
                lambda each: self._import(each, taken, principal, dry_run=dry_run)
            )
        except _DryRunDone:
            replaced = names
        except BaseException:
            for name in names:
                self._secrets.remove(name)
            raise
        for name in replaced:
            self._secrets.remove(name)
        if not dry_run:
            self._on_change()
        return Imported(
            created=[each.task_id for each in new],
            updated=[each.task_id for each in changed],
            kept=[] if replace_existing else [each.task_id for each in old],
        )

    def _import(
        self,
        connection: Connection,
        taken: Sequence[tuple[TaskDefinition, str | None]],
        principal: str,
        *,
        dry_run: bool,
    ) -> list[str | None]:
        """Store tasks; return the names of secrets that were replaced."""
        numbers = self._runs.reserve(connection, max(1, len(taken)))
        ids = [definition.task_id for definition, _ in taken]
        known = tasks.load_for_change(connection, ids) if ids else {}
        now = self._clock.utc_now()
        replaced: list[str | None] = []
        imported = []
        for (definition, name), number in zip(taken, numbers, strict=False):
            task = known.get(definition.task_id) or Task(
                definition=definition, change=0, created_at=now, principal=principal
            )
            replaced.append(task.secrets)
            was_on = task.definition.enabled
            task.definition, task.secrets = definition, name
            task.change, task.principal = number, principal
            imported.append((task, was_on))
        self._check(
            connection,
            [task for task, _ in imported],
            named=True,
            may_miss=True,
            must_fire=False,
        )
        if dry_run:
            raise _DryRunDone
        for task, was_on in imported:
            self._plan(task)
            self._switch(connection, task, was_on=was_on, principal=principal)
            if task.task_id in known:
                tasks.replace(connection, task)
        new = [task for task, _ in imported if task.task_id not in known]
        tasks.insert(connection, new)
        tasks.raise_revision(connection)
        return replaced

    # What is checked and computed of a task

    def _take_secrets(
        self, definition: TaskDefinition, earlier: Mapping[str, Any]
    ) -> tuple[TaskDefinition, str | None]:
        """Check the options, put their secrets aside; return what may be stored."""
        shown, found = secret_values.split(definition.run_options, earlier)
        real = secret_values.join(shown, found)
        options = RunOptions.from_json({**real, "args": list(definition.script_args)})
        self._runs.check(definition.script_path, options)
        return replace(definition, run_options=shown), self._secrets.write(found)

    def _check(
        self,
        connection: Connection,
        changed: Sequence[Task],
        *,
        named: bool = False,
        may_miss: bool = False,
        must_fire: bool = True,
    ) -> None:
        """Refuse tasks that cannot be; what they depend on is looked at inside.

        Args:
            connection: Of the transaction that is to store them.
            changed: The tasks.
            named: Whether each fault names its task.
            may_miss: Whether tasks that are switched off may depend on missing ones.
            must_fire: Whether a task with times must have one ahead.

        Raises:
            MalformedInputError: With every fault.
        """
        edges: dict[str, list[str]] = {}
        if any(each.definition.dependencies for each in changed):
            edges = {name: [] for name in tasks.list_ids(connection)}
            for task_id, upstream in tasks.list_edges(connection):
                edges[task_id].append(upstream)
            for each in changed:
                edges[each.task_id] = list(each.definition.dependencies)
        faults = []
        for each in changed:
            is_loose = may_miss and not each.definition.enabled
            found = list_faults(each.definition, edges, may_miss=is_loose)
            if must_fire and not found:
                found += self._plan_faults(each)
            faults += [_named(one, each.task_id) if named else one for one in found]
        if faults:
            raise MalformedInputError(faults)

    def _plan_faults(self, task: Task) -> Iterable[dict[str, object]]:
        """Yield what keeps a task from ever coming due."""
        definition = task.definition
        trigger = find_trigger(definition, created_at=task.created_at)
        if trigger is None or not definition.enabled:
            return
        if trigger.next_after(self._clock.utc_now()) is None and not task.is_used_up:
            field = "run_at" if definition.run_at is not None else "end_at"
            yield fault(field, f"{field} leaves no time at which the task fires")

    def _plan(self, task: Task) -> None:
        """Compute the next time of a task from now on."""
        definition = task.definition
        trigger = find_trigger(definition, created_at=task.created_at)
        following = None
        if trigger is not None and not task.is_used_up:
            following = trigger.next_after(self._clock.utc_now())
        task.next_fire_at = following
        task.due_at = None if following is None else due_time(definition, following)
        task.is_pending = bool(definition.dependencies) and definition.enabled

    def list_next_runs(self, task: Task, count: int = NEXT_RUNS) -> list[Any]:
        """Return the next times at which a task is acted on, at most ``count``."""
        trigger = find_trigger(task.definition, created_at=task.created_at)
        if trigger is None:
            return []
        planned = trigger.iter_after(self._clock.utc_now())
        return [due_time(task.definition, each) for each in islice(planned, count)]

    # Running

    def run_now(
        self,
        task_id: str,
        *,
        principal: str,
        idempotency: IdempotencyKey | None = None,
    ) -> Accepted:
        """Queue a run of a task by hand.

        Raises: see ``HandStarter.start``.
        """
        return self._hand.start(task_id, principal=principal, idempotency=idempotency)


class _DryRunDone(Exception):  # noqa: N818 - no error: it takes back the transaction
    """Everything was checked and nothing is to be stored."""


def _locked(connection: Connection, task_id: str) -> Task:
    task = tasks.load_for_change(connection, [task_id]).get(task_id)
    if task is None:
        raise TaskNotFoundError
    return task


def _moves_times(before: TaskDefinition, after: TaskDefinition) -> bool:
    moved = any(getattr(before, each) != getattr(after, each) for each in _TIME_FIELDS)
    return moved or (after.enabled and not before.enabled)


def _named(found: Mapping[str, object], task_id: str) -> dict[str, object]:
    return {**found, "msg": f"{task_id}: {found['msg']}"}


#: Names of all fields that people may set, in order.
FIELD_NAMES = tuple(each.name for each in fields(TaskDefinition))
