"""Benchmarks: what a script cost at a time, kept under a name and a version, compared.

A version keeps the measured values, not only their means, so that a later comparison can
say how sure it is: by the test of Mann and Whitney and by Cliff's delta (``rank_tests``).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scriptrunner.analytics import repository
from scriptrunner.analytics.errors import (
    BenchmarkNotFoundError,
    BenchmarkScriptMismatchError,
    NotEnoughDataError,
    VersionExistsError,
)
from scriptrunner.analytics.histories import Histories
from scriptrunner.analytics.models import Benchmark
from scriptrunner.analytics.rank_tests import compare
from scriptrunner.analytics.summary import exact_percent_of, percent_change, summarise
from scriptrunner.clock import Clock, to_text
from scriptrunner.history.models import HistoryFilter, Outcome
from scriptrunner.storage.database import Connection, Database

#: Metric → key in the answer to a creation, and name in regressions.
MEASURED = {
    "execution_time_seconds": ("execution_time", "execution_time_seconds"),
    "cpu_avg": ("cpu", "cpu_percent"),
    "memory_max_mb": ("memory", "memory_mb"),
}
#: Percent beyond which a regression is critical.
CRITICAL_PERCENT = 30.0
#: Of percents that are judged: what binary fractions add is gone, nothing else is.
DECIMALS = 9
#: p-value below which a difference is taken for one.
SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A benchmark that is to be made."""

    name: str
    script_path: str
    #: The time if None.
    version: str | None = None
    notes: str | None = None
    #: Reach back.
    days: int = 30
    #: Executions at most, the newest.
    sample_size: int = 20
    history_db: str | None = None


class Benchmarks:
    """The benchmarks of one service. Threads may share it.

    Args:
        database: The service's own, in which they are kept.
        histories: What they are made from.
        clock: Tells when.
    """

    def __init__(
        self, database: Database, histories: Histories, *, clock: Clock
    ) -> None:
        """Open nothing yet."""
        self._database = database
        self._histories = histories
        self._clock = clock

    def create(self, order: Order) -> dict[str, Any]:
        """Make a version from the newest successful executions, and store it.

        Raises:
            NotEnoughDataError: If there are none.
            VersionExistsError: If the version is taken.
            BenchmarkScriptMismatchError: If the name belongs to another script.
            InvalidHistoryDbError: If the history may not be named.
            HistoryDbNotFoundError: If there is none of that name.
        """
        benchmark = self._measure(order)
        number = self._database.retrying(lambda each: _store(each, benchmark))
        return {
            "status": "success",
            "benchmark_id": number,
            "name": benchmark.name,
            "version": benchmark.version,
            "script_path": benchmark.script_path,
            "created": to_text(benchmark.created_at),
            "samples": benchmark.sample_count,
            **{
                key: _mean_and_stdev(benchmark.summary.get(metric))
                for metric, (key, _) in MEASURED.items()
            },
        }

    def _measure(self, order: Order) -> Benchmark:
        now = self._clock.utc_now()
        store = self._histories.open(order.history_db)
        path = self._histories.find_script(store, order.script_path)
        wanted = HistoryFilter(
            script_path=path,
            since=now - timedelta(days=order.days),
            outcome=Outcome.SUCCESS,
        )
        columns = store.list_columns(list(MEASURED), wanted, limit=order.sample_size)
        samples = dict(zip(MEASURED, columns, strict=True))
        return Benchmark(
            name=order.name,
            version=order.version or to_text(now),
            script_path=path,
            history_db=order.history_db,
            notes=order.notes,
            created_at=now,
            days=order.days,
            sample_count=len(columns[0]),
            summary={
                metric: summarise(values).to_json()
                for metric, values in samples.items()
                if values
            },
            samples=samples,
        )

    def list_all(self) -> dict[str, Any]:
        """Return the names of all benchmarks."""
        with self._database.read() as connection:
            names = repository.list_names(connection)
        return {"status": "success", "benchmarks": names, "benchmark_count": len(names)}

    def list_versions(self, name: str) -> dict[str, Any]:
        """Return the versions of a benchmark, newest first; none if it is not known."""
        versions = self._versions(name)
        return {
            "status": "success",
            "benchmark": name,
            "versions": [_version_to_json(each) for each in versions],
            "version_count": len(versions),
        }

    def find_regressions(self, name: str, *, threshold: float) -> dict[str, Any]:
        """Compare each version with the one before it, newest pair first.

        Args:
            name: Of the benchmark.
            threshold: Percent from which a rise of a mean counts.

        Raises:
            BenchmarkNotFoundError: If there is none of that name.
        """
        versions = self._versions(name)
        if not versions:
            raise BenchmarkNotFoundError
        answer: dict[str, Any] = {
            "status": "success",
            "benchmark_name": name,
            "threshold_percent": threshold,
            "regression_count": 0,
            "regressions": [],
            "improvements": [],
        }
        if len(versions) < 2:
            words = "Need at least 2 benchmark versions for regression detection"
            return {
                **answer,
                "status": "insufficient_data",
                "message": words,
                "needed": 2,
            }
        for newer, older in itertools.pairwise(versions):
            for metric in MEASURED:
                change = _compare(older, newer, metric, threshold)
                if change is not None:
                    kind = "regressions" if change.is_rise else "improvements"
                    answer[kind].append(change.words)
        answer["regression_count"] = len(answer["regressions"])
        return answer

    def _versions(self, name: str) -> list[Benchmark]:
        with self._database.read() as connection:
            return repository.list_versions(connection, name)


def _store(connection: Connection, benchmark: Benchmark) -> int:
    known = repository.list_versions(connection, benchmark.name)
    if known and known[-1].script_path != benchmark.script_path:
        raise BenchmarkScriptMismatchError
    if any(each.version == benchmark.version for each in known):
        raise VersionExistsError
    if not benchmark.sample_count:
        raise NotEnoughDataError
    return repository.add(connection, benchmark)


def _mean_and_stdev(summary: Mapping[str, Any] | None) -> dict[str, Any]:
    names = ("mean", "stdev", "median", "min", "max", "count")
    return {name: None if summary is None else summary[name] for name in names}


def _version_to_json(benchmark: Benchmark) -> dict[str, Any]:
    means = {
        metric: (benchmark.summary.get(metric) or {}).get("mean") for metric in MEASURED
    }
    return {
        "version": benchmark.version,
        "created": to_text(benchmark.created_at),
        "cpu_mean": means["cpu_avg"],
        "memory_mean": means["memory_max_mb"],
        "exec_time_mean": means["execution_time_seconds"],
        "samples": benchmark.sample_count,
        "script_path": benchmark.script_path,
        "history_db": benchmark.history_db,
        "notes": benchmark.notes,
        "summary": benchmark.summary,
    }


@dataclass(frozen=True, slots=True)
class _Change:
    is_rise: bool
    words: dict[str, Any]


def _compare(
    older: Benchmark, newer: Benchmark, metric: str, threshold: float
) -> _Change | None:
    """Return how a metric changed from one version to the next, if by enough."""
    first, second = older.samples.get(metric), newer.samples.get(metric)
    if not first or not second:
        return None
    before = float(older.summary[metric]["mean"])
    after = float(newer.summary[metric]["mean"])
    percent = exact_percent_of(after - before, before)
    if percent is not None:
        percent = round(percent, DECIMALS)
    if before == after or (percent is not None and abs(percent) < threshold):
        return None
    is_rise = after > before
    is_critical = percent is None or abs(percent) > CRITICAL_PERCENT
    return _Change(
        is_rise,
        {
            "from_version": older.version,
            "to_version": newer.version,
            "metric": MEASURED[metric][1],
            "previous": before,
            "current": after,
            "percent_change": percent_change(before, after),
            "severity": ("critical" if is_critical else "warning") if is_rise else None,
            **_judge(first, second, is_rise=is_rise),
        },
    )


def _judge(
    first: Sequence[float], second: Sequence[float], *, is_rise: bool
) -> dict[str, Any]:
    """Return how sure the difference of two samples is, in figures and in words."""
    found = compare(first, second)
    is_sure = found.p_value < SIGNIFICANCE
    what = "regression" if is_rise else "improvement"
    sizes = f"{len(first)} against {len(second)} runs"
    if is_sure:
        reason = (
            f"{sizes}: the values differ (Mann-Whitney p = {found.p_value:.2g}), a"
            f" {found.effect} effect"
        )
    else:
        reason = (
            f"{sizes}: chance may explain it (Mann-Whitney p = {found.p_value:.2g})"
        )
    return {
        "p_value": found.p_value,
        "effect_size": found.delta,
        "effect": found.effect,
        "significant": is_sure,
        "verdict": what if is_sure else f"possible {what}",
        "reason": reason,
    }
