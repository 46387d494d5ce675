"""The record of runs as the supervisor writes it: claims, starts, ends, returns.

Claims are worked out in ``claiming``, ends in ``attempt_ends``; here they become one turn.
Each method is one short transaction and safe to repeat. What it decides comes from the
state machine; files are read before a transaction and removed after it.
"""

import logging
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.engine import intent, interpreter
from scriptrunner.engine.attempt import Started, Tombstoned, Unlaunched
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.engine.result import Outputs
from scriptrunner.engine.scans.session import read_reports
from scriptrunner.fault_points import pass_point
from scriptrunner.runs import outputs as run_outputs
from scriptrunner.runs.attempt_ends import EndRecorder
from scriptrunner.runs.claiming import Claimer, is_description, keep_same
from scriptrunner.runs.diary import Reports
from scriptrunner.runs.notes import NoteWriter
from scriptrunner.runs.parts import RunParts
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import queue, state
from scriptrunner.runs.repository.state import LostRaceError, StoredRun
from scriptrunner.runs.retry_times import RetryTimes
from scriptrunner.runs.transitions import RunChange
from scriptrunner.runs.writing import write
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Connection, Database
from scriptrunner.supervisor.ports import ActiveAttempt, End, Start

logger = logging.getLogger(__name__)


class Ledger:
    """Implements ``supervisor.ports.RunLedger``.

    Args:
        database: The migrated database.
        settings: The service's settings.
        roots: The allowed roots.
        clock: Tests hand in one they can set.
        boot_id: Of this machine's boot; asked of the kernel by default.
        on_launch: Told of each run that is about to be claimed.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        roots: AllowedRoots,
        clock: Clock | None = None,
        boot_id: str | None = None,
        on_launch: Callable[[StoredRun], None] | None = None,
    ) -> None:
        """Start with nothing claimed."""
        self._database = database
        self._settings = settings
        parts = RunParts(database, settings, roots=roots, clock=clock, boot_id=boot_id)
        self._folders = parts.folders
        self._builder = parts.builder
        version, system = _describe_interpreter(self._builder.python)
        self._host = replace(parts.host, python_version=version, platform=system)
        self._retries = RetryTimes(self._host.clock)
        self._claimer = Claimer(
            folders=self._folders,
            builder=self._builder,
            host=self._host,
            retries=self._retries,
            on_launch=on_launch,
        )
        self._ends = EndRecorder(
            database,
            folders=self._folders,
            builder=self._builder,
            host=self._host,
            retries=self._retries,
        )
        self._notes = NoteWriter(database, self._host.clock)

    # Claims

    def claim(self, limit: int, *, boot_id: str) -> list[Launch]:
        """Claim up to ``limit`` attempts that are due and return their orders.

        See ``supervisor.ports.RunLedger.claim``.
        """
        return self.turn_over((), limit, boot_id=boot_id)

    def turn_over(
        self, ends: Sequence[End], limit: int, *, boot_id: str
    ) -> list[Launch]:
        """Record ``ends`` and claim up to ``limit`` attempts, in one transaction.

        See ``supervisor.ports.RunLedger.turn_over``.
        """
        if boot_id != self._host.boot_id:
            raise ValueError("a ledger serves one boot of one machine")
        launches: list[Launch] = []
        while True:
            more, dry_runs = self._turn_over_some(ends, limit - len(launches))
            launches += more
            if not dry_runs:  # these took places in the queue but none of ours
                return launches
            ends = ()

    def _turn_over_some(
        self, ends: Sequence[End], limit: int
    ) -> tuple[list[Launch], int]:
        """Do it once; return the claims and how many dry runs were ended."""
        with self._database.read() as connection:
            due = self._claimer.list_due(connection, limit)
        if not due:
            self._ends.record(ends)
            return [], 0
        candidates = [
            self._claimer.prepare(run) for run in due if not is_description(run)
        ]
        descriptions = [
            (run, self._builder.describe_if_possible(run))
            for run in due
            if is_description(run)
        ]
        all_ends = [*self._ends.unwritten, *ends]
        outputs = self._ends.read_outputs(all_ends)
        pass_point("claim.before_commit")
        try:
            written, launches = self._database.retrying(
                lambda each: (
                    self._ends.write(each, all_ends, outputs),
                    self._claimer.write(each, candidates, descriptions),
                )
            )
            self._ends.complete_later(written, outputs)
        except LostRaceError:
            # Somebody changed one of them since they were read: sort out which.
            self._ends.record(ends)
            launches = self._database.retrying(
                lambda each: self._claimer.write(
                    each, *keep_same(each, candidates, descriptions)
                )
            )
        return launches, len(descriptions)

    # Attempts

    def record_starts(self, starts: Sequence[Start]) -> None:
        """Turn ``starting`` attempts into ``running`` ones, with their start event."""
        if not starts:
            return
        scans = {
            each.run_id: read_reports(self._folders.path(each.run_id))
            for each in starts
            if each.spawn.get("scans")
        }
        self._database.retrying(lambda each: self._write_starts(each, starts, scans))

    def _write_starts(
        self,
        connection: Connection,
        starts: Sequence[Start],
        scans: Mapping[str, Reports | None],
    ) -> None:
        numbers = change_counter.reserve(connection, len(starts))
        loaded = state.load_for_change(connection, [each.run_id for each in starts])
        written = []
        for start in starts:
            if start.run_id in loaded:
                change = RunChange(*loaded[start.run_id], self._host)
                if change.run.attempt == start.attempt and not change.run.is_started:
                    found = scans.get(start.run_id)
                    change.start(Started(start.attempt), start.spawn, found)
                    written.append(change)
        write(connection, written, numbers)

    def record_ends(self, ends: Sequence[End]) -> None:
        """End attempts: the run becomes terminal or waits for its next attempt."""
        self._ends.record(ends)

    def requeue(self, run_id: str, attempt: int, *, was_launched: bool = True) -> None:
        """Put back a run whose attempt provably never started its script."""
        event = Tombstoned(attempt) if was_launched else Unlaunched(attempt)
        self._database.retrying(lambda each: self._put_back(each, run_id, event))

    def _put_back(
        self, connection: Connection, run_id: str, event: Tombstoned | Unlaunched
    ) -> None:
        numbers = change_counter.reserve(connection, 1)
        found = state.load_for_change(connection, [run_id]).get(run_id)
        if found is None or found[0].attempt != event.attempt:
            return
        change = RunChange(*found, self._host, connection=connection)
        run = change.run
        if run.stop_kind is not None and run.attempts_made:
            change.show(*self._last_attempt(run.id, event.attempt))
        change.put_back(event)
        write(connection, [change], numbers)
        self._retries.forget()

    def _last_attempt(self, run_id: str, attempt: int) -> tuple[Any, Outputs | None]:
        return run_outputs.find_last_end(
            self._folders,
            run_id,
            attempt,
            cap_bytes=self._settings.max_output_bytes,
        )

    # What is going on

    def list_active(self) -> list[ActiveAttempt]:
        """Return every attempt that has been claimed and is not over."""
        with self._database.read() as connection:
            live = queue.list_live(connection)
        return [
            ActiveAttempt(
                run_id=run_id,
                attempt=attempt,
                phase=phase,
                boot_id=boot_id or "",
                run_dir=self._folders.path(run_id),
                recovery_failures=failures,
                is_started=is_started,
            )
            for run_id, attempt, phase, boot_id, failures, is_started in live
        ]

    def next_retry_at(self) -> datetime | None:
        """Return when the next waiting attempt is due, or None."""
        if not self._retries.is_known:
            with self._database.read() as connection:
                self._retries.learn(queue.find_next_retry(connection))
        return self._retries.next_at

    def repeat_orders(self) -> None:
        """Give orders again that were recorded but not carried out so far.

        A web worker records an order, leaves the intent file, and signals the shim; if it
        dies in between, nobody else would carry the order out. A duty of the supervisor.
        """
        with self._database.read() as connection:
            ordered = queue.list_ordered(connection)
        for run in ordered:
            with suppress(FileNotFoundError):  # recovery finds that its folder is gone
                self._repeat_order(run)

    def _repeat_order(self, run: StoredRun) -> None:
        folder, kind = self._folders.path(run.id), run.stop_kind or "stop"
        seen = intent.look(folder, run.attempt, kind)
        if seen.delivered or seen.ended:
            return
        is_new = intent.order(
            folder,
            run.attempt,
            kind=kind,
            principal=run.stop_principal or "",
            grace_seconds=run.stop_grace_seconds,
        )
        if is_new:
            logger.warning("run %s: the order %s was never given", run.id, kind)

    # Notes

    def note(
        self, run_id: str, event_type: str, level: str, data: Mapping[str, Any]
    ) -> None:
        """Add an event to a run; a run that is gone is ignored."""
        self._notes.add(run_id, event_type, level, data)

    def record_recovery_failure(self, run_id: str, attempt: int, error: str) -> int:
        """Count a failed recovery of a run and return the new count."""
        return self._notes.count_recovery_failure(run_id, attempt, error)


def _describe_interpreter(python: str) -> tuple[str | None, str | None]:
    """Return version and platform of the interpreter that runs the scripts."""
    if python == sys.executable:
        return platform.python_version(), platform.platform()
    facts = interpreter.describe(python)
    return facts["version"], facts["platform"]
