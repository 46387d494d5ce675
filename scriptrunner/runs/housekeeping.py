"""What a service leaves behind when it is killed in the middle, and what outlives its use.

A duty of the supervisor: called about once a second, it looks at a handful of folders at
a time and does nothing most of the time. It removes only what is certainly nobody's: a
folder that was deleted, or one that never saw an attempt and that no row names; and the
bytes of scripts that no run has run.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

from scriptrunner.clock import Clock, SystemClock
from scriptrunner.runs.folders import DELETED_PREFIX, RunFolders, is_run_id
from scriptrunner.runs.kept_scripts import KeptScripts
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import deletion, intake
from scriptrunner.runs.shared_commit import KEY_LIFETIME
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database

#: Seconds between two rounds through all folders.
ROUND_SECONDS = 3_600.0
#: Folders, and scripts, looked at in one call.
FOLDERS_AT_ONCE = 100
#: What is younger may belong to a run that is just being submitted.
MIN_AGE_SECONDS = 3_600.0
#: How long it is remembered that a run was deleted.
DELETION_LIFETIME = timedelta(days=7)


class Housekeeper:
    """Keeps the data folder of one service tidy.

    Args:
        database: The migrated database.
        settings: The service's settings.
        keep_changes: Changes behind the newest that a stream may still resume from.
        clock: Tests hand in one they can set.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        keep_changes: int,
        clock: Clock | None = None,
    ) -> None:
        """Begin the first round with the first call."""
        self._database = database
        self._folders = RunFolders.of(settings)
        self._keep_changes = keep_changes
        self._clock = clock or SystemClock()
        self._next_round_at = 0.0
        self._names: Iterator[tuple[str, float]] = iter(())
        self._kept_scripts = KeptScripts(database, settings.scripts_dir)
        self._digests: Iterator[str] = iter(())

    def tick(self) -> None:
        """Do a small piece of work, if any is due."""
        batch = list(islice(self._names, FOLDERS_AT_ONCE))
        if batch:
            self._tidy(batch)
        elif digests := list(islice(self._digests, FOLDERS_AT_ONCE)):
            self._kept_scripts.remove_unused(digests)
        elif self._clock.monotonic() >= self._next_round_at:
            self._next_round_at = self._clock.monotonic() + ROUND_SECONDS
            self._forget()
            self._names = self._folders.iter_names()
            before = self._clock.utc_now().timestamp() - MIN_AGE_SECONDS
            self._digests = self._kept_scripts.iter_old(before=before)

    def _forget(self) -> None:
        """Forget outlived idempotency keys and deletions that no stream asks for."""
        now = self._clock.utc_now()
        with self._database.write() as connection:
            newest = change_counter.get_current(connection)
            intake.delete_keys(connection, created_before=now - KEY_LIFETIME)
            deletion.forget(
                connection,
                before=now - DELETION_LIFETIME,
                up_to_change=newest - self._keep_changes,
            )

    def _tidy(self, batch: list[tuple[str, float]]) -> None:
        doomed = [name for name, _ in batch if name.startswith(DELETED_PREFIX)]
        ids = {name: age for name, age in batch if is_run_id(name)}
        with self._database.read() as connection:
            deleted = deletion.list_deleted(connection, ids)
            unknown = set(ids) - deletion.list_known(connection, ids)
        now = self._clock.utc_now().timestamp()
        abandoned = {
            name
            for name in unknown - deleted
            if now - ids[name] > MIN_AGE_SECONDS and self._saw_no_attempt(name)
        }
        for name in (*doomed, *sorted((unknown & deleted) | abandoned)):
            self._folders.remove_leftover(name)

    def _saw_no_attempt(self, name: str) -> bool:
        return not any(Path(self._folders.path(name)).glob("a*.ctl"))
