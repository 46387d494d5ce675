"""How much history is kept: by age, by number, by size; what that would remove; doing it.

Every rule comes down to a moment before which everything goes. The latest one decides.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from scriptrunner.clock import Clock, to_text
from scriptrunner.history.models import Removed
from scriptrunner.history.store import HistoryStore
from scriptrunner.supervisor.rounds import Rounds

logger = logging.getLogger(__name__)

#: Seconds between two rounds of the automatic retention.
ROUND_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is kept; None means no limit."""

    days: int | None = None
    #: Executions, the newest.
    max_runs: int | None = None
    #: MiB that executions may take, as estimated.
    max_mb: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything is kept."""
        return self.days is None and self.max_runs is None and self.max_mb is None

    def to_json(self) -> dict[str, int | None]:
        """Return the rules as answers show them."""
        return {"days": self.days, "max_runs": self.max_runs, "max_mb": self.max_mb}


def find_cutoffs(
    store: HistoryStore, policy: Policy, *, now: datetime
) -> Mapping[str, datetime]:
    """Return, by rule, the moment before which it removes everything.

    A rule that removes nothing is left out.
    """
    cutoffs: dict[str, datetime] = {}
    if policy.days is not None:
        cutoffs["age"] = now - timedelta(days=policy.days)
    places = {"count": policy.max_runs}
    if policy.max_mb is not None:
        row_bytes = store.estimate_row_bytes()
        places["size"] = max(1, int(policy.max_mb * (1 << 20) / row_bytes))
    for rule, kept in places.items():
        oldest_kept = None if kept is None else store.find_start_of(kept - 1)
        if oldest_kept is not None:
            cutoffs[rule] = oldest_kept
    return cutoffs


def preview(store: HistoryStore, policy: Policy, *, now: datetime) -> dict[str, Any]:
    """Return what a policy would remove, in all and by rule, and what would be left."""
    cutoffs = find_cutoffs(store, policy, now=now)
    by_rule = {rule: store.count_before(cutoff) for rule, cutoff in cutoffs.items()}
    total = store.count_all()
    cutoff = max(cutoffs.values(), default=None)
    gone = Removed() if cutoff is None else store.count_before(cutoff)
    row_bytes = store.estimate_row_bytes()
    return {
        "policy": policy.to_json(),
        "cutoff": None if cutoff is None else to_text(cutoff),
        "would_delete": removed_to_json(gone),
        "by_rule": {
            rule: by_rule[rule].executions if rule in by_rule else 0
            for rule in ("age", "count", "size")
        },
        "total_executions": total,
        "would_keep": total - gone.executions,
        "estimated_mb": round(total * row_bytes / (1 << 20), 3),
        "estimated_mb_after": round(
            (total - gone.executions) * row_bytes / (1 << 20), 3
        ),
    }


def removed_to_json(removed: Removed) -> dict[str, int]:
    """Return counts as answers show them."""
    return {
        "executions": removed.executions,
        "metrics": removed.metrics,
        "alerts": removed.alerts,
    }


class RetentionJob:
    """Applies the policy of the settings once an hour, in the background process.

    Args:
        store: The service's own history.
        policy: What is kept.
        stamp: File that tells when it was last done.
        clock: Tells what is old.
    """

    name = "history retention"

    def __init__(
        self, store: HistoryStore, policy: Policy, *, stamp: Path, clock: Clock
    ) -> None:
        """Look for the first time when asked."""
        self._store = store
        self._policy = policy
        self._clock = clock
        self._rounds = Rounds(stamp, seconds=ROUND_SECONDS, clock=clock)

    def is_due(self) -> bool:
        """Return whether the last round was an hour ago."""
        return not self._policy.is_empty and self._rounds.is_due()

    def work(self, stop: threading.Event) -> None:
        """Remove what the policy says, in small transactions."""
        cutoffs = find_cutoffs(self._store, self._policy, now=self._clock.utc_now())
        if cutoffs:
            removed = self._store.remove_before(max(cutoffs.values()), stop=stop)
            if removed.executions or removed.alerts:
                logger.info(
                    "removed %d executions and %d alerts from the history",
                    removed.executions,
                    removed.alerts,
                    extra={"action": "history_retention"},
                )
        if not stop.is_set():
            self._rounds.finish()
