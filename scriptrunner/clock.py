"""The two clocks: wall time for people, monotonic time for durations."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a service needs to know about time; tests hand in one they can set."""

    def utc_now(self) -> datetime:
        """Return the wall time as an aware UTC datetime with microseconds."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps; only differences mean something."""


class SystemClock:
    """The clocks of this machine."""

    def utc_now(self) -> datetime:
        """Return the wall time as an aware UTC datetime."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds on ``CLOCK_MONOTONIC``."""
        return time.monotonic()


def to_text(moment: datetime) -> str:
    """Return ``moment`` (aware) as RFC 3339 in UTC with six digits and ``Z``."""
    # Not strftime: it writes years before 1000 with fewer digits.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def from_microseconds(microseconds: int) -> datetime:
    """Return the UTC datetime that lies ``microseconds`` after 1970-01-01T00:00Z."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def to_microseconds(moment: datetime) -> int:
    """Return whole microseconds from 1970-01-01T00:00Z to ``moment`` (aware)."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in time; attach a zone")
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + moment.microsecond
