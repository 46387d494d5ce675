"""What the analytics are asked: the common part of every question, and of a benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scriptrunner.engine.metric_names import METRICS, canonical
from scriptrunner.history.models import Outcome

#: Values of a series unless more are asked for.
LIMIT = 500
#: Numeric metrics by name.
NUMERIC = {name: each for name, each in METRICS.items() if each.is_numeric}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which executions are meant."""

    #: Canonical, or as in a request to run it; None for all scripts.
    script_path: str | None = None
    #: The last so many days, unless ``since`` is given.
    days: int = 30
    since: datetime | None = None
    until: datetime | None = None
    outcome: Outcome = Outcome.ALL
    #: Name of a history; None for the service's own.
    history_db: str | None = None
    #: Values of a series at most, the newest.
    limit: int = LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One version of a benchmark."""

    name: str
    version: str
    script_path: str
    history_db: str | None
    notes: str | None
    created_at: datetime
    #: Reach of the snapshot in days.
    days: int
    sample_count: int
    #: Metric → its summary.
    summary: Mapping[str, Mapping[str, Any]]
    #: Metric → its values, oldest first.
    samples: Mapping[str, Sequence[float]]
    #: Number in the database; None before it is stored.
    id: int | None = None


def find_metric(name: str) -> str | None:
    """Return the metric's own name, or None if no number of that name is measured."""
    own = canonical(name)
    return own if own in NUMERIC else None


def unknown_metric(name: str) -> str:
    """Return the sentence about a metric that is none."""
    return f"Unknown metric '{name}'. Known metrics: {', '.join(sorted(NUMERIC))}"
