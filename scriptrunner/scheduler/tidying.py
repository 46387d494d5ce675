"""Files of tasks that nobody names any more, because a service died at the wrong moment."""

from scriptrunner.clock import Clock
from scriptrunner.scheduler.repository import tasks
from scriptrunner.scheduler.secrets import TaskSecrets
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database

#: Seconds between two rounds; a younger file may belong to a task that is being stored.
ROUND_SECONDS = 3_600.0


class TaskTidier:
    """Removes what is nobody's; a duty of the supervisor.

    Args:
        database: The migrated database.
        settings: The service's settings.
        clock: Tells when.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        """Begin the first round with the first call."""
        self._database = database
        self._secrets = TaskSecrets(settings.data_dir / "tasks")
        self._clock = clock
        self._next_round_at = 0.0

    def tick(self) -> None:
        """Do a round if it is time."""
        now = self._clock.monotonic()
        if now < self._next_round_at:
            return
        self._next_round_at = now + ROUND_SECONDS
        with self._database.read() as connection:
            known = tasks.list_secrets(connection)
        before = self._clock.utc_now().timestamp() - ROUND_SECONDS
        self._secrets.remove_unknown(known, before=before)
