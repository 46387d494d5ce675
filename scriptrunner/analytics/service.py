"""The use cases of the analytics, for every front end alike.

Answers are plain values under the names of the API. A question that the history cannot
answer yet is no error: the answer says so in ``message`` and ``needed``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scriptrunner.analytics import retention
from scriptrunner.analytics.anomalies import AnomalyMethod
from scriptrunner.analytics.answers import NOT_ENOUGH, echo, flag, head_for
from scriptrunner.analytics.baselines import (
    PERCENTILE,
    BaselineMethod,
    compute_baseline,
)
from scriptrunner.analytics.benchmarks import Benchmarks
from scriptrunner.analytics.chart import describe_fit, place_in_chart, thin_out
from scriptrunner.analytics.export import ExportFormat, iter_file, make_writer
from scriptrunner.analytics.histories import Histories
from scriptrunner.analytics.models import (
    NUMERIC,
    Question,
    find_metric,
    unknown_metric,
)
from scriptrunner.analytics.overview import NEWEST, describe_all
from scriptrunner.analytics.retention import Policy, removed_to_json
from scriptrunner.analytics.series import (
    describe_levels,
    levels_to_json,
    point_to_json,
)
from scriptrunner.clock import Clock, to_text
from scriptrunner.engine.metric_names import METRICS, aliases_of
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.history.locations import HistoryLocations
from scriptrunner.history.models import Cursor, HistoryFilter, Point
from scriptrunner.history.representation import stats_to_json
from scriptrunner.history.store import HistoryStore
from scriptrunner.storage.database import Database

#: Values that a trend lists by themselves.
LISTED_VALUES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """What an export is to hold; None means everything."""

    kind: ExportFormat = ExportFormat.JSON
    script_path: str | None = None
    metric: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    history_db: str | None = None


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that is made while it is read."""

    name: str
    media_type: str
    pieces: Iterator[bytes]


class AnalyticsService:
    """What the history of runs says. Threads may share it.

    Args:
        database: The service's own, migrated.
        locations: The history files.
        roots: The allowed roots.
        clock: Tells what "the last days" are.
        policy: The automatic retention, for its preview.
    """

    def __init__(
        self,
        database: Database,
        locations: HistoryLocations,
        *,
        roots: AllowedRoots,
        clock: Clock,
        policy: Policy,
    ) -> None:
        """Open nothing yet."""
        self._histories = Histories(database, locations, roots=roots, clock=clock)
        self._clock = clock
        self._policy = policy
        self.benchmarks = Benchmarks(database, self._histories, clock=clock)

    # Executions

    def list_history(
        self, question: Question, *, limit: int, before: Cursor | None = None
    ) -> tuple[dict[str, Any], Cursor | None]:
        """Return a page of executions, newest first, and where the next one begins."""
        store = self._histories.open(question.history_db)
        wanted = self._histories.narrow(store, question, with_cancelled=True)
        items, following = store.list_items(wanted, limit=limit, before=before)
        answer = {
            "items": items,
            "count": len(items),
            "days": question.days,
            "total": store.count(wanted),
        }
        return answer, following

    def get_stats(self, history_db: str | None) -> dict[str, Any]:
        """Return figures over a whole history."""
        return stats_to_json(self._histories.open(history_db).get_stats())

    def describe_metrics(self) -> dict[str, Any]:
        """Return every metric with unit, meaning, and which direction is better."""
        metrics = [
            {
                "name": each.name,
                "unit": each.unit,
                "description": each.description,
                "kind": each.kind,
                "less_is_better": each.less_is_better,
                "aliases": aliases_of(each.name),
            }
            for each in METRICS.values()
        ]
        return {"metrics": metrics, "count": len(metrics)}

    def get_overview(self, question: Question) -> dict[str, Any]:
        """Return every script in one line."""
        store = self._histories.open(question.history_db)
        wanted = self._histories.narrow(store, question)
        scripts = store.list_scripts(wanted, newest=NEWEST)
        return {"days": question.days, "medians_of": NEWEST, **describe_all(scripts)}

    # One metric

    def find_trend(
        self, metric: str, question: Question, *, threshold: float
    ) -> dict[str, Any]:
        """Return where a metric is heading, and where its level shifted.

        Args:
            metric: Name or alias.
            question: Which executions.
            threshold: Percent by which the newest runs may get worse.
        """
        store, points = self._read(metric, question)
        name = find_metric(metric)
        values = [point.value for point in points]
        answer: dict[str, Any] = {
            **echo(metric, question),
            "value_count": len(values),
            "values": values[-LISTED_VALUES:],
            "points": [point_to_json(point) for point in points],
            "trend": None,
            "regression": None,
            "change_points": [],
            "drifts": False,
        }
        if name is None:
            return {**answer, "message": unknown_metric(metric)}
        if len(values) < 2:
            return {**answer, "message": NOT_ENOUGH, "needed": 2}
        levels, shifts = describe_levels(points, metric=name, store=store)
        return {
            **answer,
            **head_for(points, name, threshold),
            "change_points": shifts,
            "drifts": levels.drifts,
        }

    def find_anomalies(
        self,
        metric: str,
        question: Question,
        *,
        method: AnomalyMethod,
        threshold: float | None = None,
    ) -> dict[str, Any]:
        """Return the runs whose value lies far from the usual ones."""
        _, points = self._read(metric, question)
        return {
            **echo(metric, question),
            **flag(points, method, threshold),
            **({} if find_metric(metric) else {"message": unknown_metric(metric)}),
        }

    def find_baseline(
        self,
        metric: str,
        question: Question,
        *,
        method: BaselineMethod,
        percentile: float = PERCENTILE,
    ) -> dict[str, Any]:
        """Return the usual value of a metric."""
        _, points = self._read(metric, question)
        values = [point.value for point in points]
        answer: dict[str, Any] = {
            **echo(metric, question),
            "method": method.value,
            "baseline": None,
            "data_points": len(values),
            "min": min(values, default=None),
            "max": max(values, default=None),
        }
        if find_metric(metric) is None:
            return {**answer, "message": unknown_metric(metric)}
        if not values:
            words = "No data found for this metric"
            return {**answer, "message": words, "needed": 1}
        return {**answer, **compute_baseline(values, method, percentile=percentile)}

    def get_series(
        self,
        metric: str,
        question: Question,
        *,
        method: AnomalyMethod,
        flag_threshold: float | None = None,
        threshold: float = 10.0,
    ) -> dict[str, Any]:
        """Return all that a chart of a metric shows, at most a thousand points.

        Args:
            metric: Name or alias.
            question: Which executions.
            method: Of the anomalies.
            flag_threshold: Score above which a value is one; None for the method's own.
            threshold: Percent by which the newest runs may get worse.
        """
        store, points = self._read(metric, question)
        name = find_metric(metric)
        count = len(points)
        shown = thin_out(points)
        flagged = flag(points, method, flag_threshold)
        # What it says of too few values is about the anomalies alone.
        anomaly_message = flagged.pop("message", None)
        anomalies_needed = flagged.pop("needed", None)
        answer: dict[str, Any] = {
            **echo(metric, question),
            "unit": NUMERIC[name].unit if name else None,
            "less_is_better": NUMERIC[name].less_is_better if name else None,
            "points": shown,
            "aggregated": len(shown) < count,
            **describe_fit(points),
            "trend": None,
            "regression": None,
            **flagged,
            "band": flagged["bounds"],
            "anomalies": place_in_chart(flagged["anomalies"], ["index"], count),
            "anomaly_message": anomaly_message,
            "anomalies_needed": anomalies_needed,
            "change_points": [],
            "levels": [],
            "drifts": False,
        }
        if name is None:
            return {**answer, "message": unknown_metric(metric)}
        if count < 2:
            return {**answer, "message": NOT_ENOUGH, "needed": 2}
        levels, shifts = describe_levels(points, metric=name, store=store)
        in_chart = ["index", "earliest_index", "latest_index"]
        stretches = levels_to_json(points, levels)
        return {
            **answer,
            **head_for(points, name, threshold),
            "change_points": place_in_chart(shifts, in_chart, count),
            "levels": place_in_chart(stretches, ["from_index", "to_index"], count),
            "drifts": levels.drifts,
        }

    def _read(
        self, metric: str, question: Question
    ) -> tuple[HistoryStore, list[Point]]:
        """Return the history and the series; an unknown metric has no values."""
        store = self._histories.open(question.history_db)
        name = find_metric(metric)
        if name is None:
            return store, []
        wanted = self._histories.narrow(store, question)
        return store, store.list_points(name, wanted, limit=question.limit)

    # Files and removal

    def export(self, order: ExportOrder) -> ExportFile:
        """Return a file with the measured values.

        Raises:
            ParquetMissingError: If that form needs a library that is not there.
            InvalidHistoryDbError: If the history may not be named.
            HistoryDbNotFoundError: If there is none of that name.
        """
        writer = make_writer(order.kind)
        store = self._histories.open(order.history_db)
        path = order.script_path
        wanted = HistoryFilter(
            script_path=None
            if path is None
            else self._histories.find_script(store, path),
            since=order.since,
            until=order.until,
            with_cancelled=True,
        )
        metrics = list(NUMERIC)
        if order.metric is not None:
            name = find_metric(order.metric)
            metrics = [] if name is None else [name]
        pieces = iter_file(store, wanted, metrics, writer)
        return ExportFile(
            name=f"metrics_export.{order.kind.value}",
            media_type=writer.media_type,
            pieces=pieces,
        )

    def clean_up(
        self, *, days: int, dry_run: bool, history_db: str | None
    ) -> dict[str, Any]:
        """Remove executions older than ``days``, in small transactions.

        Args:
            days: Age in days, 1 or more.
            dry_run: Only count.
            history_db: Name of a history; None for the service's own.
        """
        store = self._histories.open_to_clean(history_db)
        cutoff = self._clock.utc_now() - timedelta(days=days)
        if dry_run:
            removed, verb = store.count_before(cutoff), "Would delete"
        else:
            removed, verb = store.remove_before(cutoff), "Deleted"
        return {
            "status": "ok",
            "days_kept": days,
            "message": f"{verb} {removed.executions} records older than {days} days",
            "deleted": removed_to_json(removed),
            "dry_run": dry_run,
            "cutoff": to_text(cutoff),
        }

    def preview_retention(
        self, policy: Policy | None, *, history_db: str | None
    ) -> dict[str, Any]:
        """Return what a policy would remove; None is that of the settings."""
        store = self._histories.open(history_db)
        chosen = self._policy if policy is None else policy
        found = retention.preview(store, chosen, now=self._clock.utc_now())
        return {**found, "automatic": not self._policy.is_empty}
