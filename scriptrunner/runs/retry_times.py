"""The time of the next retry, remembered."""

from datetime import datetime

from scriptrunner.clock import Clock


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
