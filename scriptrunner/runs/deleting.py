"""Delete: row first, then the folder; what is deleted stays deleted."""

import logging
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Self

from scriptrunner.clock import Clock
from scriptrunner.engine.outcomes import ACTIVE_STATUSES
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.fault_points import pass_point
from scriptrunner.runs.errors import RunActiveError, RunNotFoundError
from scriptrunner.runs.folders import RunFolders, is_run_id
from scriptrunner.runs.kept_scripts import KeptScripts
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import deletion, state
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

#: Runs deleted in one transaction.
BATCH = 100


class _Deleted(NamedTuple):
    #: Reason by id of what was not deleted.
    kept: dict[str, str]
    gone: list[str]
    #: sha256 of the scripts that they have run.
    digests: Collection[str]


class Remover:
    """Deletes runs that are over. Threads may share it.

    Args:
        database: The migrated database.
        folders: The run folders.
        scripts: The bytes of scripts.
        clock: Tells when.
    """

    def __init__(
        self,
        database: Database,
        *,
        folders: RunFolders,
        scripts: KeptScripts,
        clock: Clock,
    ) -> None:
        """Hold nothing."""
        self._database = database
        self._folders = folders
        self._scripts = scripts
        self._clock = clock

    @classmethod
    def of(cls, database: Database, settings: Settings, *, clock: Clock) -> Self:
        """Return who deletes the runs of a service."""
        return cls(
            database,
            folders=RunFolders.of(settings),
            scripts=KeptScripts(database, settings.scripts_dir),
            clock=clock,
        )

    def delete(self, run_id: str) -> None:
        """Delete a run with everything that belongs to it.

        Raises:
            RunNotFoundError: If there is no such run.
            RunActiveError: If it is queued or running.
        """
        _, skipped = self.delete_many([run_id])
        if skipped:
            reason = skipped[0]["reason"]
            raise RunActiveError if reason == "active" else RunNotFoundError

    def delete_many(self, ids: Sequence[str]) -> tuple[int, list[dict[str, str]]]:
        """Delete runs; return how many were, and each id that was not, with the reason.

        The reasons are ``active``, ``not_found`` and ``duplicate``, in order of ``ids``.
        """
        reasons: dict[int, str] = {}
        first: dict[str, int] = {}
        for place, run_id in enumerate(ids):
            if run_id in first:
                reasons[place] = "duplicate"
            elif not is_run_id(run_id):
                reasons[place] = "not_found"
            else:
                first[run_id] = place
        wanted = [each for each in first if first[each] not in reasons]
        deleted = 0
        for batch in _batches(wanted):
            kept = self._delete_batch(batch)
            deleted += len(batch) - len(kept)
            reasons.update({first[run_id]: reason for run_id, reason in kept.items()})
        skipped = [
            {"id": ids[place], "reason": reasons[place]} for place in sorted(reasons)
        ]
        return deleted, skipped

    def _delete_batch(self, ids: list[str]) -> dict[str, str]:
        """Delete what can be; return the reason by id of what cannot."""
        deleted = self._database.retrying(
            lambda connection: self._delete_rows(connection, ids)
        )
        pass_point("delete.after_commit")
        for run_id in deleted.gone:
            self._folders.remove(run_id)
        self._remove_scripts(deleted.digests)
        return deleted.kept

    def _remove_scripts(self, digests: Collection[str]) -> None:
        """Remove what nobody has run any more; what is left now, housekeeping finds."""
        try:
            self._scripts.remove_unused(digests)
        except (ScriptRunnerError, OSError) as error:
            logger.warning("bytes of deleted scripts stay for a while: %s", error)

    def _delete_rows(self, connection: Connection, ids: list[str]) -> _Deleted:
        numbers = change_counter.reserve(connection, len(ids))
        loaded = state.load_for_change(connection, ids)
        kept: dict[str, str] = {}
        gone = []
        for run_id in ids:
            if run_id not in loaded:
                kept[run_id] = "not_found"
            elif loaded[run_id][0].status in ACTIVE_STATUSES:
                kept[run_id] = "active"
            else:
                gone.append(run_id)
        if gone:
            deletion.delete_runs(connection, gone, numbers, self._clock.utc_now())
        digests = {
            digest for run_id in gone if (digest := loaded[run_id][0].script_sha256)
        }
        return _Deleted(kept, gone, digests)


def _batches(ids: Iterable[str]) -> Iterable[list[str]]:
    source = iter(ids)
    while batch := list(islice(source, BATCH)):
        yield batch
