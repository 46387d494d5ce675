"""Whose turn it is, and the claim: what is decided before and written in a transaction."""

import logging
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from scriptrunner.engine.attempt import Claimed, DryRunDone, RetryDue
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.outcomes import Phase
from scriptrunner.engine.paths import ScriptMissingError
from scriptrunner.engine.steps import scans as scan_step
from scriptrunner.errors import StorageFullError
from scriptrunner.runs.attempt_ends import ended_event
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.launching import BROKEN, LaunchBuilder, explain
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import queue, state
from scriptrunner.runs.repository.state import Before, StoredRun
from scriptrunner.runs.retry_times import RetryTimes
from scriptrunner.runs.transitions import Host, RunChange
from scriptrunner.runs.writing import write
from scriptrunner.storage.database import Connection

logger = logging.getLogger(__name__)

#: Dry runs ended by one claim at most.
DRY_RUNS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that may be claimed, with the order for it or the reason against it."""

    run: StoredRun
    correlation_id: str
    launch: Launch | None
    error: str | None = None
    #: Reason of the end that the error makes.
    reason: str = "spawn_error"


class Claimer:
    """Claims runs for one ledger.

    Args:
        folders: The run folders.
        builder: Makes the orders for shims.
        host: The machine and its clocks.
        retries: When the next retry is due.
        on_launch: Told of each run that is about to be claimed.
    """

    def __init__(
        self,
        *,
        folders: RunFolders,
        builder: LaunchBuilder,
        host: Host,
        retries: RetryTimes,
        on_launch: Callable[[StoredRun], None] | None,
    ) -> None:
        """Claim nothing yet."""
        self._folders = folders
        self._builder = builder
        self._host = host
        self._retries = retries
        self._on_launch = on_launch

    def list_due(self, connection: Connection, limit: int) -> list[StoredRun]:
        """Return up to ``limit`` runs whose turn it is; with 0 of them only dry runs."""
        if limit <= 0:
            dry_runs = queue.list_dry_runs(connection, limit=DRY_RUNS_AT_ONCE)
            return [run for run in dry_runs if is_description(run)]
        now = self._host.clock.utc_now()
        due = []
        if not self._retries.is_known:
            self._retries.learn(queue.find_next_retry(connection))
        if self._retries.is_due(now):
            due = queue.list_due_retries(connection, now=now, limit=limit)
            self._retries.forget()
        if len(due) < limit:
            due += queue.list_queued(connection, limit=limit - len(due))
        return due

    def prepare(self, run: StoredRun) -> Candidate:
        """Make the run's folder and its order; trouble with it is this run's alone."""
        correlation_id = run.correlation_id or str(uuid4())
        try:
            self._folders.prepare(run.id)
            launch = self._builder.build(run, correlation_id=correlation_id)
        except StorageFullError:
            raise
        except BROKEN as error:
            logger.warning("run %s cannot be launched: %r", run.id, error)
            is_gone = isinstance(error, ScriptMissingError)
            reason = "script_changed" if is_gone else "spawn_error"
            return Candidate(run, correlation_id, None, explain(error), reason)
        if self._on_launch is not None:
            self._on_launch(run)
        return Candidate(run, correlation_id, launch)

    def write(
        self,
        connection: Connection,
        candidates: Sequence[Candidate],
        descriptions: Sequence[tuple[StoredRun, dict[str, Any]]],
    ) -> list[Launch]:
        """Claim ``candidates`` and end dry runs; return the orders for shims.

        Raises:
            LostRaceError: If one of them was changed since it was read.
        """
        numbers = change_counter.reserve(
            connection, len(candidates) + len(descriptions)
        )
        written: list[RunChange] = []
        launches: list[Launch] = []
        for candidate in candidates:
            change = self._begin_change(candidate.run, connection)
            self._claim_one(change, candidate)
            written.append(change)
            if candidate.launch is not None:
                launches.append(candidate.launch)
        for run, description in descriptions:
            change = self._begin_change(run, connection)
            change.describe(DryRunDone(), description)
            written.append(change)
        write(connection, written, numbers)
        return launches

    def _begin_change(self, run: StoredRun, connection: Connection) -> RunChange:
        """Return a change of a copy, because a transaction may be repeated."""
        return RunChange(copy(run), Before.of(run), self._host, connection=connection)

    def _claim_one(self, change: RunChange, candidate: Candidate) -> None:
        is_retry = change.run.phase == Phase.BACKOFF
        event = RetryDue() if is_retry else Claimed()
        change.claim(event, correlation_id=candidate.correlation_id)
        if candidate.launch is not None and change.run.request["log_level"] == "DEBUG":
            change.note_environment(candidate.launch.environment)
        if candidate.error is not None:
            ended = ended_event(change, candidate.reason, None)
            change.give_up(candidate.error, ended)


def keep_same(
    connection: Connection,
    candidates: Sequence[Candidate],
    descriptions: Sequence[tuple[StoredRun, dict[str, Any]]],
) -> tuple[list[Candidate], list[tuple[StoredRun, dict[str, Any]]]]:
    """Return those that nobody has changed since they were read; they are locked now."""
    runs = [each.run for each in candidates] + [run for run, _ in descriptions]
    change_counter.reserve(connection, 0)
    counts = state.lock_counts(connection, [run.id for run in runs])
    same = {
        run.id
        for run in runs
        if counts.get(run.id) == (run.transition_count, run.event_count)
    }
    return (
        [each for each in candidates if each.run.id in same],
        [each for each in descriptions if each[0].id in same],
    )


def is_description(run: StoredRun) -> bool:
    """Return whether a run is over once it is described: a dry run without scans."""
    return run.dry_run and not scan_step.is_wanted(run.request)
