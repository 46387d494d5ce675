"""A record of runs with a scheduler: tasks, a ticker, a clock that tests move."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scriptrunner.scheduler.models import Fire, Task, TaskDefinition
from scriptrunner.scheduler.repository import fires
from scriptrunner.scheduler.service import TaskService
from scriptrunner.scheduler.ticker import Ticker
from scriptrunner.storage.database import Database
from tests.run_world import BOOT, RunWorld


class TaskWorld(RunWorld):
    """One data folder with its services, tasks included."""

    def __init__(self, folder: Path, database: Database, **settings: Any) -> None:
        super().__init__(folder, database, **settings)
        self.tasks = self.make_tasks()
        self.ticker = self.make_ticker()

    def make_tasks(self, database: Database | None = None) -> TaskService:
        return TaskService(
            database or self.database,
            self.settings,
            roots=self.roots,
            wake=lambda: self.calls.append("wake"),
            announce=lambda: self.calls.append("announce"),
            clock=self.clock,
            boot_id=BOOT,
        )

    def make_ticker(self, database: Database | None = None) -> Ticker:
        tasks = self.make_tasks(database)
        return Ticker(database or self.database, tasks.firer, self.clock)

    @property
    def now(self) -> datetime:
        return self.clock.utc_now()

    def later(self, **span: float) -> datetime:
        return self.now + timedelta(**span)

    def add(self, task_id: str = "t", script: str = "ok.py", **fields: Any) -> Task:
        definition = TaskDefinition(task_id=task_id, script_path=script, **fields)
        return self.tasks.create(definition, principal="ann")

    def task(self, task_id: str = "t") -> Task:
        return self.tasks.views.get(task_id)

    def state(self, task_id: str = "t") -> str:
        return str(self.task(task_id).state)

    def fires(self, task_id: str = "t") -> list[Fire]:
        """Return the decisions about a task, oldest first."""
        with self.database.read() as connection:
            return fires.list_newest(connection, task_id, limit=10**6)[::-1]

    def decisions(self, task_id: str = "t") -> list[str]:
        return [fire.state for fire in self.fires(task_id)]

    def tick(self, seconds: float = 0.0) -> None:
        """Let time pass, then let the ticker do all that is due."""
        self.clock.advance(seconds)
        self.ticker.poke()
        while self.ticker.seconds_left() == 0.0:
            self.ticker.tick()

    def finish(self, exit_code: int = 0) -> None:
        """Claim every queued run and end it."""
        while launches := self.claim():
            for launch in launches:
                self.clock.advance(0.001)
                self.end(launch, exit_code)
        self.clock.advance(1)

    def runs_of(self, task_id: str = "t") -> list[Any]:
        """Return the runs of a task, oldest first."""
        page = self.service.list_runs(limit=200)
        return [item for item in page.items if item.task_id == task_id][::-1]


@pytest.fixture
def task_world(tmp_path: Path, database: Database) -> TaskWorld:
    """A record of runs with a scheduler, on each backend."""
    return TaskWorld(tmp_path, database)
