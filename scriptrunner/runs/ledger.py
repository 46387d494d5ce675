"""The record of runs as the supervisor writes it: claims, starts, ends, returns.

Each method is one short transaction and safe to repeat. What it decides comes from the
state machine; files are read before a transaction and removed after it.
"""

import logging
import platform
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from scriptrunner.clock import Clock
from scriptrunner.engine import events as engine_events
from scriptrunner.engine import intent, interpreter
from scriptrunner.engine.attempt import (
    Claimed,
    DryRunDone,
    Ended,
    Lost,
    RetryDue,
    Started,
    Tombstoned,
)
from scriptrunner.engine.events import EventType
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.outcomes import TERMINAL_STATUSES, Phase
from scriptrunner.engine.paths import AllowedRoots, ScriptMissingError
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.result import Outputs
from scriptrunner.engine.scans.session import read_reports
from scriptrunner.engine.steps import scans as scan_step
from scriptrunner.errors import ScriptRunnerError, StorageFullError
from scriptrunner.fault_points import pass_point
from scriptrunner.runs import outputs as run_outputs
from scriptrunner.runs.claiming import Candidate, RetryTimes, keep_same
from scriptrunner.runs.diary import Reports
from scriptrunner.runs.parts import RunParts
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import events, queue, state
from scriptrunner.runs.repository.state import Before, LostRaceError, StoredRun
from scriptrunner.runs.transitions import RunChange
from scriptrunner.runs.writing import write
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Connection, Database
from scriptrunner.supervisor.ports import ActiveAttempt, End, Start

logger = logging.getLogger(__name__)

#: Dry runs ended by one claim at most.
DRY_RUNS_AT_ONCE = 100
#: Times an end with files is tried before its transaction, and not within it.
TRIES_APART = 5
#: Events beyond which notes of the supervisor are only counted.
MAX_NOTES = engine_events.MAX_EVENTS - 100
#: What may go wrong with the record of one run; it ends that run and no other.
_BROKEN = (ScriptRunnerError, OSError, ValueError, KeyError, TypeError)


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
        self._on_launch = on_launch
        self._database = database
        self._settings = settings
        parts = RunParts(database, settings, roots=roots, clock=clock, boot_id=boot_id)
        self._folders = parts.folders
        self._builder = parts.builder
        version, system = _describe_interpreter(self._builder.python)
        self._host = replace(parts.host, python_version=version, platform=system)
        self._retries = RetryTimes(self._host.clock)
        #: Ends with files that the database or the disk has refused.
        self._unwritten: list[End] = []

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
        ends = [*self._unwritten, *ends]
        with self._database.read() as connection:
            due = self._list_due(connection, limit)
        if not due:
            self.record_ends(ends)
            return [], 0
        candidates = [self._prepare(run) for run in due if not _is_description(run)]
        descriptions = [
            (run, self._describe(run)) for run in due if _is_description(run)
        ]
        outputs = {each.run_id: self._read_outputs(each) for each in ends}
        pass_point("claim.before_commit")
        try:
            written, launches = self._database.retrying(
                lambda each: (
                    self._write_ends(each, ends, outputs),
                    self._write_claims(each, candidates, descriptions),
                )
            )
            self._complete_later(written, outputs)
        except LostRaceError:
            # Somebody changed one of them since they were read: sort out which.
            self.record_ends(ends)
            launches = self._database.retrying(
                lambda each: self._write_claims(
                    each, *keep_same(each, candidates, descriptions)
                )
            )
        return launches, len(descriptions)

    def _list_due(self, connection: Connection, limit: int) -> list[StoredRun]:
        if limit <= 0:
            dry_runs = queue.list_dry_runs(connection, limit=DRY_RUNS_AT_ONCE)
            return [run for run in dry_runs if _is_description(run)]
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

    def _prepare(self, run: StoredRun) -> Candidate:
        """Make the run's folder and its order; trouble with it is this run's alone."""
        correlation_id = run.correlation_id or str(uuid4())
        try:
            self._folders.prepare(run.id)
            launch = self._builder.build(run, correlation_id=correlation_id)
        except StorageFullError:
            raise
        except _BROKEN as error:
            logger.warning("run %s cannot be launched: %r", run.id, error)
            is_gone = isinstance(error, ScriptMissingError)
            reason = "script_changed" if is_gone else "spawn_error"
            return Candidate(run, correlation_id, None, _explain(error), reason)
        if self._on_launch is not None:
            self._on_launch(run)
        return Candidate(run, correlation_id, launch)

    def _describe(self, run: StoredRun) -> dict[str, Any]:
        try:
            return dict(self._builder.describe(run))
        except _BROKEN as error:
            logger.warning("dry run %s cannot be described: %r", run.id, error)
            return {"dry_run": True, "message": f"Dry run: {_explain(error)}"}

    def _write_claims(
        self,
        connection: Connection,
        candidates: Sequence[Candidate],
        descriptions: Sequence[tuple[StoredRun, dict[str, Any]]],
    ) -> list[Launch]:
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
            ended = self._ended(change, candidate.reason, None)
            change.give_up(candidate.error, ended)

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
        ends = [*self._unwritten, *ends]
        if not ends:
            return
        outputs = {each.run_id: self._read_outputs(each) for each in ends}
        written = self._database.retrying(
            lambda connection: self._write_ends(connection, ends, outputs)
        )
        self._complete(written, outputs)
        self._unwritten = []

    def _complete_later(
        self, written: "_WrittenEnds", outputs: dict[str, Outputs]
    ) -> None:
        """Do what is left of ends; what is refused now is done with the next ones.

        The claims of the same transaction are committed and must not be forgotten.
        """
        try:
            self._complete(written, outputs)
            self._unwritten = []
        except (ScriptRunnerError, OSError) as error:
            logger.warning("ends with files come later: %s", error)
            self._unwritten = list(written.apart)

    def _complete(self, written: "_WrittenEnds", outputs: dict[str, Outputs]) -> None:
        """Do what is left of ends after their transaction."""
        for run_id in written.finished:
            self._folders.end_temporary(run_id)
        for end in written.apart:
            self._end_apart(end, outputs[end.run_id])

    def _read_outputs(self, end: End) -> Outputs:
        return run_outputs.read_tails(
            self._folders,
            end.run_id,
            end.attempt,
            cap_bytes=self._settings.max_output_bytes,
        )

    def _write_ends(
        self,
        connection: Connection,
        ends: Sequence[End],
        outputs: dict[str, Outputs],
        *,
        together: bool = False,
    ) -> "_WrittenEnds":
        """Write ends, but for those with files of their own, unless ``together``."""
        if not ends:
            return _WrittenEnds()
        numbers = change_counter.reserve(connection, len(ends))
        loaded = state.load_for_change(connection, [each.run_id for each in ends])
        written, apart = [], []
        for end in ends:
            if end.run_id not in loaded:
                continue
            run, before = loaded[end.run_id]
            if run.attempt != end.attempt or not run.state.has_live_attempt:
                continue
            if not together and self._host.after_run.needs_files(run):
                apart.append(end)
                continue
            change = RunChange(run, before, self._host, connection=connection)
            self._end_one(change, end, outputs[end.run_id])
            written.append(change)
        write(connection, written, numbers)
        self._note_backoff(written)
        return _WrittenEnds([each.run.id for each in written if _is_over(each)], apart)

    def _note_backoff(self, written: Sequence[RunChange]) -> None:
        if any(each.run.phase == Phase.BACKOFF for each in written):
            self._retries.forget()

    def _end_apart(self, end: End, outputs: Outputs) -> None:
        """End an attempt whose run has files to read or write at its end.

        They are dealt with before the transaction, so that it stays short; if the row
        has changed meanwhile, because of an order or a note, all is done once more.
        """
        for _ in range(TRIES_APART):
            with self._database.read() as connection:
                run = state.find(connection, end.run_id)
                if run is None or run.attempt != end.attempt:
                    return
                found = self._host.after_run.look_up(connection, run)
            if not run.state.has_live_attempt:
                return
            change = RunChange(run, Before.of(run), self._host, found=found)
            self._end_one(change, end, outputs)
            pass_point("final.after_files")
            with suppress(LostRaceError):
                self._database.retrying(partial(_write_one, change))
                self._note_backoff([change])
                if _is_over(change):
                    self._folders.end_temporary(run.id)
                return
        written = self._database.retrying(
            lambda each: self._write_ends(
                each, [end], {end.run_id: outputs}, together=True
            )
        )
        self._complete(written, {})

    def _end_one(self, change: RunChange, end: End, outputs: Outputs) -> None:
        record = end.end
        if record is not None:
            event = self._ended(change, record["reason"], record.get("exit_code"))
            if record["reason"] == "dry_run":
                change.describe(event, self._describe(change.run))
                return
            change.end(event, spawn=end.spawn, end=record, outputs=outputs)
            return
        reason = end.lost_reason or "lost"
        # An order that stood was carried out on what was left of the tree.
        shown = {"reason": change.run.stop_kind or reason, "exit_code": None}
        change.end(
            Lost(end.attempt, reason),
            spawn=end.spawn,
            end=shown,
            outputs=outputs,
            detail=end.detail,
        )

    def _ended(self, change: RunChange, reason: str, exit_code: int | None) -> Ended:
        values = dict(change.run.request)
        values.pop("script_path", None)
        return Ended(
            attempt=change.run.attempt,
            reason=reason,
            exit_code=exit_code,
            options=RunOptions.from_json(values),
            elapsed_seconds=change.elapsed_seconds(),
            random_ratio=random.random(),  # noqa: S311 - jitter, no secret
        )

    def requeue(self, run_id: str, attempt: int) -> None:
        """Put back a run whose attempt provably never started its script."""
        self._database.retrying(lambda each: self._put_back(each, run_id, attempt))

    def _put_back(self, connection: Connection, run_id: str, attempt: int) -> None:
        numbers = change_counter.reserve(connection, 1)
        found = state.load_for_change(connection, [run_id]).get(run_id)
        if found is None or found[0].attempt != attempt:
            return
        change = RunChange(*found, self._host, connection=connection)
        run = change.run
        if run.stop_kind is not None and run.attempts_made:
            change.show(*self._last_attempt(run.id, attempt))
        change.put_back(Tombstoned(attempt))
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
        self._database.retrying(
            lambda each: self._write_note(each, run_id, event_type, level, data)
        )

    def _write_note(
        self,
        connection: Connection,
        run_id: str,
        event_type: str,
        level: str,
        data: Mapping[str, Any],
    ) -> None:
        change_counter.reserve(connection, 1)
        found = state.load_for_change(connection, [run_id]).get(run_id)
        if found is None:
            return
        run = found[0]
        log_level = run.request["log_level"]
        if not engine_events.is_stored(event_type, level, log_level=log_level):
            return
        now = self._host.clock.utc_now()
        if run.event_count >= MAX_NOTES:
            events.drop(connection, run_id, run.event_count, now)
            return
        ids = {"correlation_id": run.correlation_id, "attempt_number": run.attempt}
        draft = events.EventDraft(
            timestamp=now, event_type=event_type, level=level, data={**ids, **data}
        )
        events.append(connection, run_id, run.event_count, draft)

    def record_recovery_failure(self, run_id: str, attempt: int, error: str) -> int:
        """Count a failed recovery of a run and return the new count."""
        return self._database.retrying(
            lambda each: self._count_failure(each, run_id, attempt, error)
        )

    def _count_failure(
        self, connection: Connection, run_id: str, attempt: int, error: str
    ) -> int:
        change_counter.reserve(connection, 1)
        failures = state.count_recovery_failure(connection, run_id, attempt)
        if failures:
            data = {"error": error[:500], "failures": failures}
            self._write_note(
                connection, run_id, EventType.RECOVERY_FAILED, "ERROR", data
            )
        return failures


@dataclass(frozen=True, slots=True)
class _WrittenEnds:
    """What came of ends: runs that are over, and ends still to be written by themselves."""

    finished: Sequence[str] = ()
    apart: Sequence[End] = ()


def _is_description(run: StoredRun) -> bool:
    """Return whether a run is over once it is described: a dry run without scans."""
    return run.dry_run and not scan_step.is_wanted(run.request)


def _is_over(change: RunChange) -> bool:
    return change.run.status in TERMINAL_STATUSES


def _write_one(change: RunChange, connection: Connection) -> None:
    """Write a change that was made outside of the transaction, which may be repeated."""
    numbers = change_counter.reserve(connection, 1)
    change.run.event_count = change.before.event_count
    write(connection, [change], numbers)


def _explain(error: Exception) -> str:
    """Return a line for people; paths of the service stay out of it."""
    if isinstance(error, ScriptRunnerError):
        return error.message
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"the record of the run is damaged ({type(error).__name__})"


def _describe_interpreter(python: str) -> tuple[str | None, str | None]:
    """Return version and platform of the interpreter that runs the scripts."""
    if python == sys.executable:
        return platform.python_version(), platform.platform()
    facts = interpreter.describe(python)
    return facts["version"], facts["platform"]
