"""Tasks that come along in a file: all of them, or none."""

from collections.abc import Sequence
from dataclasses import dataclass

from scriptrunner.clock import Clock
from scriptrunner.runs.task_runs import TaskRuns
from scriptrunner.scheduler.models import Task, TaskDefinition
from scriptrunner.scheduler.planning import TaskPlanner
from scriptrunner.scheduler.repository import tasks
from scriptrunner.scheduler.secrets import TaskSecrets
from scriptrunner.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of tasks that were brought along."""

    created: Sequence[str]
    updated: Sequence[str]
    #: Already there, and not to be replaced.
    kept: Sequence[str]


class _DryRunDone(Exception):  # noqa: N818 - no error: it takes back the transaction
    """Everything was checked and nothing is to be stored."""


class TaskImporter:
    """Stores many tasks at once. Threads may share it.

    Args:
        database: The migrated database.
        runs: Hands out change numbers.
        secrets: Keeps secret values.
        planner: Checks the tasks and computes their next times.
        clock: Tells when they were made.
    """

    def __init__(
        self,
        database: Database,
        runs: TaskRuns,
        secrets: TaskSecrets,
        planner: TaskPlanner,
        clock: Clock,
    ) -> None:
        """Hold nothing."""
        self._database = database
        self._runs = runs
        self._secrets = secrets
        self._planner = planner
        self._clock = clock

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
                definition, name = self._planner.take_secrets(each, earlier)
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
        self._planner.check(
            connection,
            [task for task, _ in imported],
            named=True,
            may_miss=True,
            must_fire=False,
        )
        if dry_run:
            raise _DryRunDone
        for task, was_on in imported:
            self._planner.plan(task)
            self._planner.switch(connection, task, was_on=was_on, principal=principal)
            if task.task_id in known:
                tasks.replace(connection, task)
        new = [task for task, _ in imported if task.task_id not in known]
        tasks.insert(connection, new)
        tasks.raise_revision(connection)
        return replaced
