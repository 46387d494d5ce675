"""The door for whoever keeps the record of runs: rules in, alerts and deliveries stored.

Everything here takes part in a transaction of the caller, so that an alert is stored with
the very change of the run that met its rule, or not at all.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.models import DeliveryStatus, NewAlert, NewDelivery
from scriptrunner.alerts.repository import triggered
from scriptrunner.engine.metric_names import find_unknown
from scriptrunner.engine.rules import Rule
from scriptrunner.engine.steps.alerts import condition_of
from scriptrunner.errors import MalformedInputError
from scriptrunner.storage.changes import reserve
from scriptrunner.storage.database import Connection


class AlertDesk:
    """Takes alerts in and tells how far they have come. Threads may share it.

    Args:
        channels: The service's channels.
    """

    def __init__(self, channels: Channels) -> None:
        """Keep nothing."""
        self._channels = channels

    def check(self, rules: Sequence[Rule]) -> None:
        """Refuse channels that do not exist.

        Raises:
            MalformedInputError: With a fault per unknown name.
        """
        faults = [
            {
                "type": "unknown_channel",
                "loc": ["body", "alerts", number, "channels", place],
                "msg": words,
            }
            for number, place, words in self._channels.find_unknown(rules)
        ]
        if faults:
            raise MalformedInputError(faults)

    def find_warnings(self, rules: Sequence[Rule], *, has_webhook: bool) -> list[str]:
        """Return a sentence for each thing that will not do what its rule hopes for.

        Args:
            rules: Checked.
            has_webhook: Whether the run brings an address for ``slack``.
        """
        found = self._channels.find_warnings(rules, has_webhook=has_webhook)
        for rule in rules:
            for words in find_unknown(condition_of(rule).names):
                found.append(f"alerts: {rule['name']}: {words}")
        return found

    def plan(self, rule: Rule, *, has_webhook: bool) -> list[NewDelivery]:
        """Return the deliveries of a rule that was met."""
        return self._channels.plan(rule, has_webhook=has_webhook)

    def find_early(
        self, connection: Connection, run_ids: Collection[str]
    ) -> Mapping[str, Mapping[int, Mapping[str, float]]]:
        """Return what met rules of runs while these were running, by run and rule."""
        return triggered.list_early(connection, run_ids)

    def add(self, connection: Connection, new: Sequence[NewAlert]) -> set[int]:
        """Store alerts of one transaction; return the rules that were not met before.

        Their places; it tells them apart only if all alerts are of one run.
        """
        if not new:
            return set()
        added = triggered.add(connection, new, reserve(connection, len(new)))
        return {each.rule for each in added}

    def show_deliveries(
        self, connection: Connection, run_id: str, entries: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return the entries of ``result.alerts`` with their deliveries as they are now.

        Args:
            connection: Any.
            run_id: Their run.
            entries: One per rule, in order.
        """
        known = triggered.list_deliveries_of_run(connection, run_id)
        return [
            {**entry, "deliveries": known.get(place, entry["deliveries"])}
            for place, entry in enumerate(entries)
        ]


def to_deliveries(
    shown: Sequence[Mapping[str, Any]], *, own: bool
) -> list[NewDelivery]:
    """Return the deliveries that an entry of a fresh result shows.

    Args:
        shown: As ``NewDelivery.to_json`` gave them.
        own: Whether the run brought an address for ``slack``.
    """
    return [
        NewDelivery(
            each["delivery_id"],
            each["channel"],
            DeliveryStatus(each["status"]),
            each["error"],
            own and each["channel"] == "slack",
        )
        for each in shown
    ]
