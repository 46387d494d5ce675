"""The use cases of tasks: made, changed, paused, deleted, run by hand. No HTTP here.

What only looks is in ``views``, events are in ``events``.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.runs.models import Accepted, IdempotencyKey
from scriptrunner.runs.task_runs import TaskRuns
from scriptrunner.scheduler.by_hand import HandStarter
from scriptrunner.scheduler.errors import (
    TaskExistsError,
    TaskNotFoundError,
)
from scriptrunner.scheduler.events import EventDesk
from scriptrunner.scheduler.firing import Firer
from scriptrunner.scheduler.importing import Imported, TaskImporter
from scriptrunner.scheduler.models import Task, TaskDefinition
from scriptrunner.scheduler.planning import NEXT_RUNS, TaskPlanner
from scriptrunner.scheduler.repository import tasks
from scriptrunner.scheduler.secrets import TaskSecrets
from scriptrunner.scheduler.steps import Preparer
from scriptrunner.scheduler.views import TaskViews
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

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
        self._planner = TaskPlanner(self._runs, self._secrets, self._clock)
        self._importer = TaskImporter(
            database, self._runs, self._secrets, self._planner, self._clock
        )
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
        definition, name = self._planner.take_secrets(definition, {})
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
        self._planner.check(connection, [task])
        self._planner.plan(task)
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
        definition, name = self._planner.take_secrets(wanted, earlier)
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
        self._planner.check(connection, [task], may_miss=may_miss, must_fire=must_fire)
        self._planner.switch(
            connection, task, was_on=before.enabled, principal=principal
        )
        if _moves_times(before, task.definition):
            self._planner.plan(task)
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
                self._planner.check(connection, [task], must_fire=False)
                self._planner.plan(task)
            self._planner.switch(
                connection, task, was_on=was_on, principal=principal, reason=reason
            )
            tasks.set_enabled(connection, task)
            tasks.raise_revision(connection)
            return task

        task = self._database.retrying(change)
        self._on_change()
        return task

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
                self._planner.switch(
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

        Raises: see ``TaskImporter.import_all``.
        """
        imported = self._importer.import_all(
            definitions,
            principal=principal,
            replace_existing=replace_existing,
            dry_run=dry_run,
        )
        if not dry_run:
            self._on_change()
        return imported

    def list_next_runs(self, task: Task, count: int = NEXT_RUNS) -> list[datetime]:
        """Return the next times at which a task is acted on, at most ``count``."""
        return self._planner.list_next_runs(task, count)

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


def _locked(connection: Connection, task_id: str) -> Task:
    task = tasks.load_for_change(connection, [task_id]).get(task_id)
    if task is None:
        raise TaskNotFoundError
    return task


def _moves_times(before: TaskDefinition, after: TaskDefinition) -> bool:
    moved = any(getattr(before, each) != getattr(after, each) for each in _TIME_FIELDS)
    return moved or (after.enabled and not before.enabled)
