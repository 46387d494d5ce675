"""What the end of a run does about alerts: rules that were met, and their outbox rows.

Everything is stored in the transaction that ends the run, or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scriptrunner.alerts.desk import AlertDesk, to_deliveries
from scriptrunner.alerts.models import DeliveryStatus, NewAlert, NewDelivery
from scriptrunner.clock import to_text
from scriptrunner.engine.events import EventType
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.rules import Rule
from scriptrunner.engine.steps.ending import Ending
from scriptrunner.runs.models import RunRecord
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.storage.database import Connection


class RunAlerts:
    """Connects the ends of runs with the desk of alerts. Threads may share it.

    Args:
        desk: Where alerts go.
    """

    def __init__(self, desk: AlertDesk) -> None:
        """Keep nothing."""
        self._desk = desk

    def check(self, options: RunOptions) -> None:
        """Refuse channels that do not exist.

        Raises:
            MalformedInputError: With a fault per unknown name.
        """
        self._desk.check(options.alerts)

    def find_warnings(self, options: RunOptions) -> list[str]:
        """Return what a caller should know of their rules although nothing is wrong."""
        has_webhook = options.slack_webhook is not None
        return self._desk.find_warnings(options.alerts, has_webhook=has_webhook)

    def find_early(
        self, connection: Connection, run: StoredRun
    ) -> Mapping[int, Mapping[str, float]]:
        """Return the values that met rules of a run while it was running, by rule."""
        if not rules_of(run):
            return {}
        return self._desk.find_early(connection, [run.id]).get(run.id, {})

    def show(self, connection: Connection, record: RunRecord) -> RunRecord:
        """Return a record whose result tells how far each delivery has come by now."""
        result = record.result or {}
        entries = result.get("alerts")
        if not entries or result.get("dry_run"):
            return record
        shown = self._desk.show_deliveries(connection, record.id, entries)
        return replace(record, result={**result, "alerts": shown})

    def plan(self, ending: Ending) -> None:
        """Say in the result whom each rule that was met is to be told to.

        Channels that are not configured are skipped, and an event says so.
        """
        entries = ending.result.get("alerts") or ()
        rules = ending.request.get("alerts") or ()
        early = ending.found.early_alerts
        for place, (rule, entry) in enumerate(zip(rules, entries, strict=False)):
            if not entry["triggered"] or place in early:
                continue
            entry["deliveries"] = [
                each.to_json() for each in self.plan_rule(ending.request, rule)
            ]
            for delivery in entry["deliveries"]:
                if delivery["status"] == DeliveryStatus.SKIPPED:
                    data = {"name": rule["name"], **delivery}
                    ending.note(EventType.ALERT_DELIVERY, **data)

    def plan_rule(self, request: Mapping[str, Any], rule: Rule) -> list[NewDelivery]:
        """Return the deliveries of a rule that was met.

        Args:
            request: All options of the run by name.
            rule: One of its rules.
        """
        has_webhook = request.get("slack_webhook") is not None
        return self._desk.plan(rule, has_webhook=has_webhook)

    def add(self, connection: Connection, new: Sequence[NewAlert]) -> set[int]:
        """Store alerts of one run; return which of its rules were not met before."""
        return self._desk.add(connection, new)

    def store(self, connection: Connection, run: StoredRun, ending: Ending) -> None:
        """Store the rules that were met at the end, and their deliveries.

        Args:
            connection: In the transaction that ends the run.
            run: The run, as it has ended.
            ending: Its end.
        """
        entries = ending.result.get("alerts") or ()
        new = [
            self._make(run, place, entry, ending.metrics)
            for place, entry in enumerate(entries)
            if entry["triggered"] and place not in ending.found.early_alerts
        ]
        self._desk.add(connection, new)

    def _make(
        self,
        run: StoredRun,
        place: int,
        entry: Mapping[str, Any],
        metrics: Mapping[str, Any],
    ) -> NewAlert:
        own = run.request.get("slack_webhook") is not None
        return NewAlert(
            run_id=run.id,
            rule=place,
            name=entry["name"],
            severity=entry["severity"],
            condition=entry["condition"],
            measured=entry["values"],
            triggered_at=run.finished_at or run.queued_at,
            is_early=False,
            script_path=run.script_path,
            run=describe_run(run),
            metrics=metrics,
            deliveries=to_deliveries(entry["deliveries"], own=own),
        )


def describe_run(run: StoredRun) -> dict[str, Any]:
    """Return what receivers are told of a run as it is now."""
    finished_at = run.finished_at
    return {
        "id": run.id,
        "script_path": run.script_path,
        "status": str(run.status),
        "run_status": None if run.run_status is None else str(run.run_status),
        "exit_code": run.exit_code,
        "finished_at": None if finished_at is None else to_text(finished_at),
        "correlation_id": run.correlation_id,
    }


def rules_of(run: StoredRun) -> list[Rule]:
    """Return the alert rules of a run; runs of earlier versions have none."""
    return run.request.get("alerts") or []
