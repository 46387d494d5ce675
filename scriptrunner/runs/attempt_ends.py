"""The ends of attempts, recorded: in one transaction, or each with its files by itself."""

import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from scriptrunner.engine.attempt import Ended, Lost
from scriptrunner.engine.outcomes import TERMINAL_STATUSES, Phase
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.result import Outputs
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.fault_points import pass_point
from scriptrunner.runs import outputs as run_outputs
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.launching import LaunchBuilder
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import state
from scriptrunner.runs.repository.state import Before, LostRaceError
from scriptrunner.runs.retry_times import RetryTimes
from scriptrunner.runs.transitions import Host, RunChange
from scriptrunner.runs.writing import write as write_changes
from scriptrunner.storage.database import Connection, Database
from scriptrunner.supervisor.ports import End

logger = logging.getLogger(__name__)

#: Times an end with files is tried before its transaction, and not within it.
TRIES_APART = 5


@dataclass(frozen=True, slots=True)
class WrittenEnds:
    """What came of ends: runs that are over, and ends still to be written by themselves."""

    finished: Sequence[str] = ()
    apart: Sequence[End] = ()


class EndRecorder:
    """Records ends for one ledger.

    Args:
        database: The migrated database.
        folders: The run folders.
        builder: Says what a scanned dry run would have done.
        host: The machine and its clocks.
        retries: When the next retry is due.
    """

    def __init__(
        self,
        database: Database,
        *,
        folders: RunFolders,
        builder: LaunchBuilder,
        host: Host,
        retries: RetryTimes,
    ) -> None:
        """Start with nothing left over."""
        self._database = database
        self._folders = folders
        self._builder = builder
        self._host = host
        self._retries = retries
        #: Ends with files that the database or the disk has refused.
        self.unwritten: list[End] = []

    def record(self, ends: Sequence[End]) -> None:
        """End attempts: the run becomes terminal or waits for its next attempt."""
        ends = [*self.unwritten, *ends]
        if not ends:
            return
        outputs = self.read_outputs(ends)
        written = self._database.retrying(
            lambda connection: self.write(connection, ends, outputs)
        )
        self._complete(written, outputs)
        self.unwritten = []

    def complete_later(self, written: WrittenEnds, outputs: dict[str, Outputs]) -> None:
        """Do what is left of ends; what is refused now is done with the next ones.

        The claims of the same transaction are committed and must not be forgotten.
        """
        try:
            self._complete(written, outputs)
            self.unwritten = []
        except (ScriptRunnerError, OSError) as error:
            logger.warning("ends with files come later: %s", error)
            self.unwritten = list(written.apart)

    def _complete(self, written: WrittenEnds, outputs: dict[str, Outputs]) -> None:
        """Do what is left of ends after their transaction."""
        for run_id in written.finished:
            self._folders.end_temporary(run_id)
        for end in written.apart:
            self._end_apart(end, outputs[end.run_id])

    def read_outputs(self, ends: Sequence[End]) -> dict[str, Outputs]:
        """Return the ends of what the attempts printed, by run; read before it is written."""
        return {
            each.run_id: run_outputs.read_tails(
                self._folders,
                each.run_id,
                each.attempt,
                cap_bytes=self._host.max_output_bytes,
            )
            for each in ends
        }

    def write(
        self,
        connection: Connection,
        ends: Sequence[End],
        outputs: dict[str, Outputs],
        *,
        together: bool = False,
    ) -> WrittenEnds:
        """Write ends, but for those with files of their own, unless ``together``."""
        if not ends:
            return WrittenEnds()
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
        write_changes(connection, written, numbers)
        self._note_backoff(written)
        return WrittenEnds([each.run.id for each in written if _is_over(each)], apart)

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
            lambda each: self.write(each, [end], {end.run_id: outputs}, together=True)
        )
        self._complete(written, {})

    def _end_one(self, change: RunChange, end: End, outputs: Outputs) -> None:
        record = end.end
        if record is not None:
            event = ended_event(change, record["reason"], record.get("exit_code"))
            if record["reason"] == "dry_run":
                change.describe(event, self._builder.describe_if_possible(change.run))
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


def ended_event(change: RunChange, reason: str, exit_code: int | None) -> Ended:
    """Return the end of the current attempt as the state machine hears of it."""
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


def _is_over(change: RunChange) -> bool:
    return change.run.status in TERMINAL_STATUSES


def _write_one(change: RunChange, connection: Connection) -> None:
    """Write a change that was made outside of the transaction, which may be repeated."""
    numbers = change_counter.reserve(connection, 1)
    change.run.event_count = change.before.event_count
    write_changes(connection, [change], numbers)
