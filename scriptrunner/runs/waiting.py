"""Waiting for a run, in a thread, without asking the database all the time."""

import select
import time
from contextlib import closing
from pathlib import Path

from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.runs.models import TERMINAL_STATUSES
from scriptrunner.runs.repository import records
from scriptrunner.storage.database import Database
from scriptrunner.supervisor.wakeup import Listener

#: Seconds after which the record is looked at although nothing was announced.
POLL_SECONDS = 0.5


class RunWaiter:
    """Waits for the ends of runs. Threads may share it.

    Args:
        database: The migrated database.
        data_dir: The data folder, where changes are announced.
    """

    def __init__(self, database: Database, data_dir: Path) -> None:
        """Hold nothing yet."""
        self._database = database
        self._data_dir = data_dir

    def get_status(self, run_id: str) -> tuple[str, str]:
        """Return status and phase of a run.

        Raises:
            RunNotFoundError: If there is none.
        """
        with self._database.read() as connection:
            found = records.find_status(connection, run_id)
        if found is None:
            raise RunNotFoundError
        return found

    def is_over(self, run_id: str) -> bool:
        """Return whether a run is terminal.

        Raises:
            RunNotFoundError: If there is none.
        """
        return self.get_status(run_id)[0] in TERMINAL_STATUSES

    def wait(self, run_id: str, seconds: float) -> bool:
        """Wait until a run is terminal, at most so long; return whether it is.

        Raises:
            RunNotFoundError: If there is none, or it is deleted meanwhile.
        """
        if seconds <= 0 or self.is_over(run_id):
            return self.is_over(run_id)
        deadline = time.monotonic() + seconds
        with closing(Listener(self._data_dir)) as listener:
            poller = select.poll()
            poller.register(listener, select.POLLIN)
            while not self.is_over(run_id):
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                poller.poll(min(remaining, POLL_SECONDS) * 1000)
                listener.drain()
        return True
