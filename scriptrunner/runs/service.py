"""The use cases of the record of runs, for web, command line and supervisor alike.

No front end goes around this door, and it knows no HTTP. Each group of use cases has a
module of its own (``intake``, ``stopping``, ``restarts``, ``deleting``, ``logs``); here
they are put together, and what only reads is here.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from scriptrunner.clock import Clock
from scriptrunner.engine.beneath import open_beneath
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.engine.visualizer import StepFacts, build_report
from scriptrunner.runs.errors import (
    OutputNotFoundError,
    RunFileNotFoundError,
    RunNotFoundError,
    UnknownCursorError,
    VisualizerNotEnabledError,
)
from scriptrunner.runs.figures import read_live, read_samples
from scriptrunner.runs.folders import OUTPUTS_NAME, SCRIPT_NAME, is_run_id
from scriptrunner.runs.logs import OutputState
from scriptrunner.runs.models import (
    Accepted,
    Changes,
    Event,
    IdempotencyKey,
    RunFilter,
    RunPage,
    RunRecord,
    RunSort,
    Stats,
    StopOutcome,
    Submission,
)
from scriptrunner.runs.parts import RunParts
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import events, intake, lists, queue, records, state
from scriptrunner.runs.step_reports import step_facts
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database

logger = logging.getLogger(__name__)

#: Changes that one answer of ``changes_since`` holds.
CHANGES_AT_ONCE = 200
#: Changes behind which a reader has to start afresh.
MAX_CHANGES_BEHIND = 5_000


class RunService:
    """Everything that can be done with runs. Threads may share it.

    Args:
        database: The migrated database; whoever made it closes it.
        settings: The service's settings.
        roots: The allowed roots.
        wake: Tells the supervisor that there is work.
        announce: Tells all web workers that some run has changed.
        clock: Tests hand in one they can set.
        boot_id: Of this machine's boot; asked of the kernel by default.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        roots: AllowedRoots,
        wake: Callable[[], None],
        announce: Callable[[], None],
        clock: Clock | None = None,
        boot_id: str | None = None,
    ) -> None:
        """Connect the parts; nothing is opened or written yet."""
        parts = RunParts(database, settings, roots=roots, clock=clock, boot_id=boot_id)
        self._database = database
        self._settings = settings
        self._clock = parts.clock
        self._wake = wake
        self._announce = announce
        self._folders = parts.folders
        self._host = parts.host
        self._waiter = parts.waiter
        self._desk = parts.make_desk(self._on_queue_change)
        self._intake = parts.make_intake(self._on_submission)
        self._restarter = parts.make_restarter(self._intake, self._desk)
        self._remover = parts.make_remover()
        #: Reads what runs print.
        self.logs = parts.make_logs()

    def _on_submission(self) -> None:
        """Wake the supervisor, who tells the others: of many submissions at once."""
        try:
            self._wake()
        except OSError as error:
            logger.warning("the supervisor could not be woken: %s", error)

    def _on_queue_change(self) -> None:
        """Tell everybody; what is committed stays committed if nobody can be told."""
        try:
            self._wake()
            self._announce()
        except OSError as error:
            logger.warning("nobody could be told of a change: %s", error)

    # Changes

    def submit(self, submission: Submission) -> Accepted:
        """Put a run into the queue; when this returns it is committed.

        Raises: see ``Intake.submit``.
        """
        return self._intake.submit(submission)

    def stop(
        self, run_id: str, *, principal: str, grace_seconds: float | None = None
    ) -> StopOutcome:
        """Have the script told to end; return when the signal has arrived.

        Raises: see ``StopDesk.stop``.
        """
        _check_id(run_id)
        return self._desk.stop(run_id, principal=principal, grace_seconds=grace_seconds)

    def kill(self, run_id: str, *, principal: str) -> StopOutcome:
        """Have the process tree killed; return when the signal has arrived.

        Raises: see ``StopDesk.kill``.
        """
        _check_id(run_id)
        return self._desk.kill(run_id, principal=principal)

    def cancel(
        self,
        run_id: str,
        *,
        principal: str,
        grace_seconds: float | None = None,
        wait_seconds: float | None = None,
    ) -> StopOutcome:
        """Stop the script and wait until its process tree is gone.

        Raises: see ``StopDesk.cancel``.
        """
        _check_id(run_id)
        return self._desk.cancel(
            run_id,
            principal=principal,
            grace_seconds=grace_seconds,
            wait_seconds=wait_seconds,
        )

    def restart(
        self,
        run_id: str,
        *,
        principal: str,
        use_snapshot: bool = False,
        idempotency: IdempotencyKey | None = None,
    ) -> Accepted:
        """Queue the request of a run once more; an active run is stopped for it.

        Raises: see ``Restarter.restart``.
        """
        _check_id(run_id)
        return self._restarter.restart(
            run_id,
            principal=principal,
            use_snapshot=use_snapshot,
            idempotency=idempotency,
        )

    def delete(self, run_id: str) -> None:
        """Delete a run that is over, with everything that belongs to it.

        Raises: see ``Remover.delete``.
        """
        self._remover.delete(run_id)
        self._on_queue_change()

    def delete_many(self, ids: Sequence[str]) -> tuple[int, list[dict[str, str]]]:
        """Delete runs; return how many were, and each that was not, with its reason."""
        deleted = self._remover.delete_many(ids)
        self._on_queue_change()
        return deleted

    # Reading

    def list_runs(
        self,
        wanted: RunFilter | None = None,
        *,
        limit: int = 50,
        offset: int = 0,
        before: str | None = None,
        sort: RunSort = RunSort.QUEUED,
        descending: bool = True,
    ) -> RunPage:
        """Return a page of runs, newest first unless another order is asked for.

        Args:
            wanted: The filter; None for all.
            limit: Most items, 1..200.
            offset: Items to skip, >= 0.
            before: Only runs older than this run id or cursor; for the usual order only.
            sort: What to sort by.
            descending: Whether the largest, or the newest, come first.

        Raises:
            UnknownCursorError: If ``before`` is neither.
        """
        with self._database.read() as connection:
            place = None
            if before is not None:
                place = lists.find_place(connection, before)
                if place is None:
                    raise UnknownCursorError
            return lists.list_page(
                connection,
                wanted or RunFilter(),
                limit=limit,
                offset=offset,
                before=place,
                sort=sort,
                descending=descending,
            )

    def get_run(self, run_id: str) -> RunRecord:
        """Return the whole record of a run, with the figures of a running attempt.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        record = self._get_record(run_id)
        live = read_live(record.item, list(record.attempts), self._folders, self._clock)
        return record if live is None else record.with_live(live)

    def _get_record(self, run_id: str) -> RunRecord:
        _check_id(run_id)
        with self._database.read() as connection:
            record = records.find_record(connection, run_id)
            if record is None:
                raise RunNotFoundError
            return self._host.after_run.alerts.show(connection, record)

    def wait_finished(self, run_id: str, seconds: float) -> RunRecord:
        """Return the record of a run once it is over, or after ``seconds`` as it is.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        _check_id(run_id)
        self._waiter.wait(run_id, seconds)
        return self.get_run(run_id)

    def get_outcome(self, run_id: str) -> StopOutcome:
        """Return where a run stands: only its status and phase, which is cheap.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        _check_id(run_id)
        status, phase = self._waiter.get_status(run_id)
        return StopOutcome(run_id=run_id, status=status, phase=phase)

    def list_events(self, run_id: str, *, after: int = 0) -> list[Event]:
        """Return the events of a run whose seq is larger than ``after``.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        _check_id(run_id)
        with self._database.read() as connection:
            if records.find_status(connection, run_id) is None:
                raise RunNotFoundError
            return events.list_events(connection, run_id, after=after)

    def get_stats(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Stats:
        """Return figures over the runs queued within the bounds."""
        with self._database.read() as connection:
            return lists.get_stats(
                connection, now=self._clock.utc_now(), since=since, until=until
            )

    def get_queue(self) -> Mapping[str, Any]:
        """Return the figures of the queue, by the names of the system status."""
        now = self._clock.utc_now()
        with self._database.read() as connection:
            queued = intake.count_queued(connection)
            running = len(queue.list_live(connection))
            oldest = queue.find_oldest(connection)
        waited = None if oldest is None else (now - oldest).total_seconds()
        return {
            "queued": queued,
            "running": running,
            "slots": self._settings.slots,
            "limit": self._settings.queue_limit,
            "oldest_queued_seconds": None if waited is None else max(0.0, waited),
        }

    def get_log_state(self, run_id: str, attempt: int | None = None) -> OutputState:
        """Return how far the output of an attempt has come; ``logs`` reads it.

        Args:
            run_id: The run.
            attempt: Which one, from 1; None for the last one with output.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFileNotFoundError: If it has no such attempt.
        """
        record = self._get_record(run_id)
        return self.logs.describe(record.item, list(record.attempts), attempt)

    def get_visualization(
        self, run_id: str, attempt: int | None = None
    ) -> Mapping[str, Any]:
        """Return the step report of an attempt, live while it runs.

        Args:
            run_id: The run.
            attempt: Which one, from 1; None for the last.

        Raises:
            RunNotFoundError: If there is no such run.
            VisualizerNotEnabledError: If it was submitted without the visualizer.
            RunFileNotFoundError: If it has no such attempt.
        """
        _check_id(run_id)
        with self._database.read() as connection:
            run = state.find(connection, run_id)
            if run is None:
                raise RunNotFoundError
            if not run.request["enable_visualizer"]:
                raise VisualizerNotEnabledError
            if attempt is not None and not 1 <= attempt <= run.attempt:
                raise RunFileNotFoundError("The run has no such attempt")
            number = run.attempt if attempt is None else attempt
            stored = records.find_visualization(connection, run_id, number)
            attempts = records.list_attempts(connection, run_id)
        if stored is not None:
            report: Mapping[str, Any] = stored
            return report
        current = next((each for each in attempts if each.n == number), None)
        facts = {**step_facts(run), "attempt": number}
        facts["scans"] = self._host.after_run.read_scans(run)
        began_at = current.started_at if current is not None else None
        return build_report(
            StepFacts(**facts, started_at=began_at),
            visualizer_format=run.request["visualizer_format"],
        )

    def get_samples(self, run_id: str, attempt: int | None = None) -> Mapping[str, Any]:
        """Return the CPU and memory samples of an attempt as columns.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFileNotFoundError: If it has no such attempt.
        """
        record = self._get_record(run_id)
        found = self.logs.describe(record.item, list(record.attempts), attempt)
        path = f"{self._folders.path(run_id)}/a{found.attempt}.samples"
        interval = record.request["monitor_interval"]
        return read_samples(path, interval_seconds=interval)

    def get_script_bytes(self, run_id: str) -> tuple[bytes, str]:
        """Return the bytes that a run has run (or will run), and their sha256.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFileNotFoundError: If nothing has run yet, or the bytes were not kept.
        """
        item = self._get_record(run_id).item
        if item.script_sha256 is None:
            raise RunFileNotFoundError("The run has not started its script yet")
        path = self._settings.scripts_dir / item.script_sha256
        if item.script_kind != "file":
            path = Path(self._folders.path(run_id)) / SCRIPT_NAME
        try:
            return path.read_bytes(), item.script_sha256
        except FileNotFoundError:
            raise RunFileNotFoundError(
                "The bytes of the script were not kept"
            ) from None

    def list_outputs(self, run_id: str) -> Sequence[Mapping[str, Any]]:
        """Return name, size and sha256 of the files that a run declared as outputs.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        return self._get_record(run_id).outputs

    def open_output(self, run_id: str, name: str) -> BinaryIO:
        """Open a declared output for reading; the caller closes it.

        Raises:
            RunNotFoundError: If there is no such run.
            OutputNotFoundError: If it has no such output.
        """
        if name not in {each["name"] for each in self.list_outputs(run_id)}:
            raise OutputNotFoundError
        folder = f"{self._folders.path(run_id)}/{OUTPUTS_NAME}"
        try:
            return os.fdopen(open_beneath(folder, name), "rb")
        except OSError:
            raise OutputNotFoundError from None

    # Streams

    def current_change(self) -> int:
        """Return the number of the newest change of the record."""
        with self._database.read() as connection:
            return change_counter.get_current(connection)

    def changes_since(self, change: int, *, limit: int = CHANGES_AT_ONCE) -> Changes:
        """Return the runs that changed or were deleted after ``change``.

        Args:
            change: Where the reader stands; also the number of another worker's answer.
            limit: Most items of each kind.
        """
        with self._database.read() as connection:
            # The counter first: what is committed later comes with the next answer.
            newest = change_counter.get_current(connection)
            if change > newest or change < newest - MAX_CHANGES_BEHIND:
                return Changes(
                    items=(), deleted=(), change=newest, more=False, reset=True
                )
            items = change_counter.list_changed(connection, after=change, limit=limit)
            deleted = change_counter.list_deleted(connection, after=change, limit=limit)
        last = newest
        if len(items) == limit:
            last = min(last, items[-1].change)
        if len(deleted) == limit:
            last = min(last, deleted[-1][0])
        return Changes(
            items=[each for each in items if each.change <= last],
            deleted=[each for each in deleted if each[0] <= last],
            change=last,
            more=last < newest,
        )


def _check_id(run_id: str) -> None:
    """Refuse what cannot be a run id before anything is touched."""
    if not is_run_id(run_id):
        raise RunNotFoundError
