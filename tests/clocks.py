"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Both clocks of ``scriptrunner.clock.Clock``; ``advance`` moves them together."""

    def __init__(
        self, start: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)
    ) -> None:
        self._now = start
        self._monotonic = 1_000.0

    def utc_now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
