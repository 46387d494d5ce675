"""Work that is done again and again: when was the last time, across processes and restarts.

The answer is the time of a file, so that the supervisor, which asks, and the background
process, which works, agree on it.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from scriptrunner.clock import Clock

#: Seconds between two looks at the file.
LOOK_SECONDS = 30.0


class Rounds:
    """Tells when the next round is due.

    Args:
        stamp: The file; made by the first round.
        seconds: From the end of a round to the next one.
        clock: Tells when to look again.
    """

    def __init__(self, stamp: Path, *, seconds: float, clock: Clock) -> None:
        """Look for the first time when asked."""
        self._stamp = stamp
        self._seconds = seconds
        self._clock = clock
        self._next_look = 0.0

    def is_due(self) -> bool:
        """Return whether the last round was long enough ago; cheap."""
        if self._clock.monotonic() < self._next_look:
            return False
        done_at = last_round(self._stamp)
        # A file from the future is no reason to wait until then.
        if done_at is None or abs(time.time() - done_at.timestamp()) >= self._seconds:
            return True
        self._next_look = self._clock.monotonic() + LOOK_SECONDS
        return False

    def finish(self) -> None:
        """Note that a round was done just now."""
        self._stamp.touch(mode=0o600)
        os.utime(self._stamp)


def last_round(stamp: Path) -> datetime | None:
    """Return when the last round ended (UTC), or None if there was none."""
    try:
        return datetime.fromtimestamp(stamp.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
