"""Streaks: how many of a task's last runs in a row went well, or did not."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Self

from scriptrunner.engine.outcomes import RunStatus

#: Runs that a streak looks at: what a list of 10 000 tasks can afford to read.
COUNTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentRuns:
    """How the last runs of a task ended.

    Args:
        statuses: ``success``, ``failed``, ``timeout`` or ``killed``, newest first. A
            cancelled run says nothing about the script: it is left out.
        has_more: Whether there were more runs before these.
    """

    statuses: Sequence[str]
    has_more: bool

    @classmethod
    def from_newest(cls, statuses: Sequence[str]) -> Self:
        """Keep at most ``COUNTED`` of ``statuses``, which are newest first."""
        return cls(statuses=statuses[:COUNTED], has_more=len(statuses) > COUNTED)

    def streak_to_json(self) -> dict[str, Any] | None:
        """Return the runs at the end that went the same way; None without a run."""
        if not self.statuses:
            return None
        went_well = self.statuses[0] == RunStatus.SUCCESS
        row = takewhile(
            lambda each: (each == RunStatus.SUCCESS) is went_well, self.statuses
        )
        count = len(list(row))
        return {
            "outcome": "success" if went_well else "failed",
            "count": count,
            "at_least": count == len(self.statuses) and self.has_more,
        }
