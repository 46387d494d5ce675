"""Stop, kill and cancel: the order in the record, its delivery, what the caller is told.

The record decides first, by compare-and-set, so of several orders at once exactly one is
accepted for each weight. Then the intent is left for the shim, and the answer waits until
the shim says that the signal arrived. An order that cannot be confirmed stands.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from scriptrunner.engine import control_file, intent
from scriptrunner.engine.attempt import StopAsked
from scriptrunner.engine.outcomes import TERMINAL_STATUSES, Phase, Status, StopKind
from scriptrunner.fault_points import pass_point
from scriptrunner.runs import outputs as run_outputs
from scriptrunner.runs.errors import (
    AlreadyStoppingError,
    RunFinishedError,
    RunNotFoundError,
    SignalNotConfirmedError,
)
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.models import StopOutcome
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import state
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.runs.transitions import Host, RunChange
from scriptrunner.runs.waiting import RunWaiter
from scriptrunner.runs.writing import write
from scriptrunner.storage.database import Connection, Database

#: Seconds until a delivery counts as unconfirmed.
CONFIRM_SECONDS = 5.0
#: Seconds after the grace within which a process tree is expected to be gone.
AFTER_GRACE_SECONDS = 2.0
#: Seconds between two looks at the record while a delivery is waited for.
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """An order that the record has accepted."""

    run_id: str
    kind: StopKind
    attempt: int
    #: Whether the run is over by this order alone, because nothing was running.
    is_over: bool


class StopDesk:
    """Takes orders for the end of runs. Threads may share it.

    Args:
        database: The migrated database.
        folders: The run folders.
        host: This machine.
        waiter: Waits for ends.
        grace_seconds: From SIGTERM to SIGKILL unless the caller says otherwise.
        after_commit: Called when an order is in the record.
    """

    def __init__(
        self,
        database: Database,
        *,
        folders: RunFolders,
        host: Host,
        waiter: RunWaiter,
        grace_seconds: float,
        after_commit: Callable[[], None],
    ) -> None:
        """Hold nothing yet."""
        self._database = database
        self._folders = folders
        self._host = host
        self._waiter = waiter
        self._grace_seconds = grace_seconds
        self._after_commit = after_commit

    def order(
        self,
        run_id: str,
        kind: StopKind,
        *,
        principal: str,
        grace_seconds: float | None,
    ) -> Order:
        """Have the record accept an order and tell the shim, without waiting.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFinishedError: If it is over.
            AlreadyStoppingError: If an order of this weight stands already.
        """
        order = self._database.retrying(
            lambda each: self._record(each, run_id, kind, principal, grace_seconds)
        )
        pass_point("stop.after_commit")
        self._after_commit()
        if not order.is_over:
            self.tell_shim(order, principal=principal, grace_seconds=grace_seconds)
        return order

    def tell_shim(
        self, order: Order, *, principal: str, grace_seconds: float | None
    ) -> None:
        """Leave the intent of an accepted order and signal the shim."""
        try:
            intent.order(
                self._folders.path(order.run_id),
                order.attempt,
                kind=order.kind,
                principal=principal,
                grace_seconds=grace_seconds,
            )
        except FileNotFoundError:
            # The folder goes only with the run, and a run that ended can be deleted.
            raise RunNotFoundError from None

    def _record(
        self,
        connection: Connection,
        run_id: str,
        kind: StopKind,
        principal: str,
        grace_seconds: float | None,
    ) -> Order:
        numbers = change_counter.reserve(connection, 1)
        found = state.load_for_change(connection, [run_id]).get(run_id)
        if found is None:
            raise RunNotFoundError
        change = RunChange(*found, self._host, connection=connection)
        self.ask(change, kind, principal=principal, grace_seconds=grace_seconds)
        if change.refusal == "run_finished":
            raise RunFinishedError(_finished_message(kind))
        if change.refusal is not None:
            raise AlreadyStoppingError
        write(connection, [change], numbers)
        return order_of(change.run, kind)

    def ask(
        self,
        change: RunChange,
        kind: StopKind,
        *,
        principal: str,
        grace_seconds: float | None,
    ) -> None:
        """Feed an order to a run's change; ``change.refusal`` says if it was refused."""
        run = change.run
        if run.phase == Phase.BACKOFF:
            change.show(
                *run_outputs.find_last_end(
                    self._folders,
                    run.id,
                    run.attempt,
                    cap_bytes=self._host.max_output_bytes,
                )
            )
        grace = self._grace_seconds if grace_seconds is None else grace_seconds
        change.stop(
            StopAsked(kind),
            principal=principal,
            grace_seconds=0.0 if kind is StopKind.KILL else grace,
        )

    def stop(
        self, run_id: str, *, principal: str, grace_seconds: float | None = None
    ) -> StopOutcome:
        """Send SIGTERM to the script; return when it has arrived.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFinishedError: If it is over, or ended by itself first.
            AlreadyStoppingError: If it is being stopped already.
            SignalNotConfirmedError: If nothing was heard of it for 5 s.
        """
        return self._end(run_id, StopKind.STOP, principal, grace_seconds)

    def kill(self, run_id: str, *, principal: str) -> StopOutcome:
        """Send SIGKILL to the whole tree; return when it has arrived.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFinishedError: If it is over, or ended by itself first.
            AlreadyStoppingError: If it is being killed already.
            SignalNotConfirmedError: If nothing was heard of it for 5 s.
        """
        return self._end(run_id, StopKind.KILL, principal, None)

    def cancel(
        self,
        run_id: str,
        *,
        principal: str,
        grace_seconds: float | None = None,
        wait_seconds: float | None = None,
    ) -> StopOutcome:
        """Stop the script and wait until its tree is gone.

        Args:
            run_id: The run.
            principal: Who asks.
            grace_seconds: From SIGTERM to SIGKILL; None for the service's setting.
            wait_seconds: Longest wait for the end; None for the grace and 2 s more.

        Returns:
            An outcome with status ``running`` if it is still not gone.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFinishedError: If it is over, or ended by itself first.
            AlreadyStoppingError: If it is being stopped already.
            SignalNotConfirmedError: If nothing was heard of it for 5 s.
        """
        outcome = self._end(run_id, StopKind.CANCEL, principal, grace_seconds)
        if outcome.status in TERMINAL_STATUSES:
            return outcome
        grace = self._grace_seconds if grace_seconds is None else grace_seconds
        longest = grace + AFTER_GRACE_SECONDS
        wait = longest if wait_seconds is None else min(wait_seconds, longest)
        self._waiter.wait(run_id, wait)
        return self._outcome(run_id)

    def _end(
        self,
        run_id: str,
        kind: StopKind,
        principal: str,
        grace_seconds: float | None,
    ) -> StopOutcome:
        order = self.order(
            run_id, kind, principal=principal, grace_seconds=grace_seconds
        )
        if not order.is_over:
            self._await_delivery(order)
        return self._outcome(run_id)

    def _await_delivery(self, order: Order) -> None:
        """Return when the order was carried out; raise if it was not, or came too late."""
        folder = self._folders.path(order.run_id)
        deadline = time.monotonic() + CONFIRM_SECONDS
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            wait = min(remaining, LOOK_SECONDS)
            seen = intent.await_delivery(folder, order.attempt, order.kind, wait)
            if seen.delivered or self._ended_by_order(folder, order):
                return
            if self._waiter.is_over(order.run_id):
                self._check_end(order)
                return
            if remaining == 0.0:
                raise SignalNotConfirmedError
            if seen.ended:
                # Its end stands but is not in the record yet; that decides.
                self._waiter.wait(order.run_id, remaining)

    def _ended_by_order(self, folder: str, order: Order) -> bool:
        """Return whether the attempt ended because of such an order, perhaps unstarted."""
        record = control_file.read(control_file.path_of(folder, order.attempt))
        if record is None or record.end is None:
            return False
        weight = intent.WEIGHTS.get(str(record.end.get("reason")), 0)
        return weight >= intent.WEIGHTS[order.kind]

    def _check_end(self, order: Order) -> None:
        """Raise unless the run, which is over, was ended by a person."""
        with self._database.read() as connection:
            run = state.find(connection, order.run_id)
        if run is None:
            raise RunNotFoundError
        if run.status != Status.CANCELLED:
            raise RunFinishedError(_finished_message(order.kind))

    def _outcome(self, run_id: str) -> StopOutcome:
        status, phase = self._waiter.get_status(run_id)
        return StopOutcome(run_id=run_id, status=status, phase=phase)


def order_of(run: StoredRun, kind: StopKind) -> Order:
    """Return the order that was just accepted for ``run``."""
    return Order(run.id, kind, run.attempt, is_over=run.phase == Phase.FINAL)


def _finished_message(kind: StopKind) -> str:
    if kind is StopKind.CANCEL:
        return "Run already finished"
    return "Run is not active"
