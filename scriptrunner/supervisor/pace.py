"""How far ahead to claim, and how long an end may wait for others to be recorded with.

Short scripts end every few milliseconds, and a transaction for each end would cost as much
as the scripts. While there is a queue of such scripts, the supervisor claims a few more
runs than it has slots, so that a slot is filled at once, and records ends together. With
longer scripts, or without a queue, it claims what it can start and records each end alone.
"""

from collections import deque

#: Attempts whose durations are averaged.
WINDOW = 8
#: Seconds of work that may be claimed ahead.
AHEAD_SECONDS = 0.1
#: Most runs claimed ahead.
MAX_AHEAD = 16
#: Seconds an end may wait for others while slots are being filled from ahead.
BATCH_SECONDS = 0.05
#: Seconds after which a run that was claimed ahead is put back, if no slot came free.
STALE_SECONDS = 0.25


class Pace:
    """Averages the durations of recent attempts; ``slots`` is how many run at once."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._durations: deque[float] = deque(maxlen=WINDOW)

    def note(self, duration_seconds: float) -> None:
        """Take the duration of an attempt that ended."""
        self._durations.append(duration_seconds)

    def forget(self) -> None:
        """Claim nothing ahead until it has been seen again that scripts are short."""
        self._durations.clear()

    @property
    def ahead(self) -> int:
        """How many runs may be claimed beyond the free slots, 0 to ``MAX_AHEAD``."""
        if len(self._durations) < WINDOW:
            return 0
        mean = max(sum(self._durations) / WINDOW, 0.001)
        return min(MAX_AHEAD, int(self._slots * AHEAD_SECONDS / mean))
