"""What the supervisor needs of the record of runs; ``runs/ledger.py`` provides it.

The supervisor stands below ``runs`` and must not import it, so it says here, as a
protocol, what it wants written. Every method is one short transaction and safe to repeat.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from scriptrunner.engine.launch import Launch


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """An attempt's script has been started."""

    run_id: str
    attempt: int
    #: Slot 1 of the control file: ``at_us``, ``sha256``, ``size``.
    spawn: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """An attempt is over and its process tree is gone."""

    run_id: str
    attempt: int
    #: Slot 1, or None if the script was never started.
    spawn: Mapping[str, Any] | None
    #: Slot 2, or None if the keeper vanished without one.
    end: Mapping[str, Any] | None
    #: ``lost`` or ``host_restart`` when ``end`` is None.
    lost_reason: str | None = None
    #: Words for people about a loss, such as "exit record damaged".
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAttempt:
    """A row with status ``running`` whose attempt may have a shim."""

    run_id: str
    attempt: int
    #: ``starting``, ``running`` or ``stopping``; rows in ``backoff`` are not listed.
    phase: str
    boot_id: str
    run_dir: str
    recovery_failures: int
    #: Whether the record says that its script was started.
    is_started: bool = False


class RunLedger(Protocol):
    """The record of runs as the supervisor writes it."""

    def claim(self, limit: int, *, boot_id: str) -> list[Launch]:
        """Claim up to ``limit`` (>= 0) attempts that are due, oldest first, and commit.

        Retries that are due come before the queue; the queue goes by priority, then
        first in, first out. Runs that need no process (dry runs, runs that somebody
        stopped meanwhile, scripts that are gone) are ended here and not returned, also
        with ``limit`` 0.
        """

    def turn_over(
        self, ends: Sequence[End], limit: int, *, boot_id: str
    ) -> list[Launch]:
        """Record ``ends`` and claim as ``claim`` does, in one transaction.

        If it raises, neither has been done.
        """

    def record_starts(self, starts: Sequence[Start]) -> None:
        """Turn ``starting`` attempts into ``running`` ones, with their start event."""

    def record_ends(self, ends: Sequence[End]) -> None:
        """End attempts: the run becomes terminal or waits for its next attempt."""

    def requeue(self, run_id: str, attempt: int, *, was_launched: bool = True) -> None:
        """Put back a run whose attempt provably never started its script.

        Unless it ``was_launched``, handed to a shim, its number is given once more.
        """

    def list_active(self) -> list[ActiveAttempt]:
        """Return every attempt that has been claimed and is not over."""

    def next_retry_at(self) -> datetime | None:
        """Return when the next waiting attempt is due, or None."""

    def note(
        self, run_id: str, event_type: str, level: str, data: Mapping[str, Any]
    ) -> None:
        """Add an event to a run; a run that is gone is ignored."""

    def record_recovery_failure(self, run_id: str, attempt: int, error: str) -> int:
        """Count a failed recovery of a run and return the new count."""


class Timer(Protocol):
    """Work that comes due at certain times, done by the supervisor itself."""

    def poke(self) -> None:
        """Something has happened that may concern it; cheap."""

    def seconds_left(self) -> float:
        """Return the seconds until ``tick`` has something to do, >= 0; cheap."""

    def tick(self) -> bool:
        """Do what is due, in short transactions; return whether a run was queued."""


class BackgroundJob(Protocol):
    """Work that takes long and is done in the background process.

    It must be safe to kill at any moment and to begin again.
    """

    #: For people and the log: "library scan".
    name: str

    def is_due(self) -> bool:
        """Return whether there is anything to do; cheap, asked about once a second."""

    def work(self, stop: threading.Event) -> None:
        """Do all that is due and return; soon, when ``stop`` is set."""
