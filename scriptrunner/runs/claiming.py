"""What a claim is decided by: the candidates, and the time of the next retry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.engine.launch import Launch
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import state
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.storage.database import Connection


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that may be claimed, with the order for it or the reason against it."""

    run: StoredRun
    correlation_id: str
    launch: Launch | None
    error: str | None = None
    #: Reason of the end that the error makes.
    reason: str = "spawn_error"


class RetryTimes:
    """When the next retry is due, so that nobody has to ask each time.

    All waits are made by one ledger; what others end early is noticed after a while.
    """

    #: Seconds after which the database is asked again.
    LIFETIME_SECONDS = 5.0

    def __init__(self, clock: Clock) -> None:
        """Know nothing yet."""
        self._clock = clock
        self._learnt_at: float | None = None
        self.next_at: datetime | None = None

    @property
    def is_known(self) -> bool:
        """Whether ``next_at`` can be relied on."""
        if self._learnt_at is None:
            return False
        return self._clock.monotonic() - self._learnt_at < self.LIFETIME_SECONDS

    def learn(self, next_at: datetime | None) -> None:
        """Remember what the database says."""
        self.next_at, self._learnt_at = next_at, self._clock.monotonic()

    def forget(self) -> None:
        """A wait has begun or ended."""
        self._learnt_at = None

    def is_due(self, now: datetime) -> bool:
        """Return whether some retry is due, by what is known."""
        return self.next_at is not None and self.next_at <= now


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
