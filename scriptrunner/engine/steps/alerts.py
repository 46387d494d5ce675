"""Alert rules: which of them a run has met, and whom each of them tells.

Pure: rules and metrics in, entries of the result out. Sending is not the step's business:
the service puts deliveries into its outbox, ``ScriptRunner`` has them sent by its caller.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from scriptrunner.engine.condition_tree import Range
from scriptrunner.engine.conditions import Condition, parse
from scriptrunner.engine.rules import Rule
from scriptrunner.engine.steps.ending import Ending

STAGE = "Alerts"
#: Channels that need no name in the administrator's configuration.
BUILT_IN_CHANNELS = ("slack", "webhook", "email", "log")
#: Channel by its other names.
CHANNEL_ALIASES: Mapping[str, str] = {"stdout": "log", "console": "log"}

#: The same few conditions are asked again and again.
_parse = lru_cache(maxsize=1_024)(parse)


def is_wanted(request: Mapping[str, Any]) -> bool:
    """Return whether a run with these options has alert rules."""
    return bool(request.get("alerts"))


def work(ending: Ending) -> Mapping[str, Any]:
    """Judge every rule once, on the final metrics, and note what came of it.

    A run whose script was never started meets no rule.
    """
    if not ending.is_started:
        return {"rules": 0}
    rules, early = ending.request["alerts"], ending.found.early_alerts
    entries = evaluate(rules, ending.metrics, earlier=early)
    for place, entry in enumerate(entries):
        facts = {name: entry[name] for name in ("name", "condition")}
        if entry["triggered"] and place not in early:
            ending.note(
                "alert_triggered",
                **facts,
                severity=entry["severity"],
                values=entry["values"],
                early=False,
            )
        elif entry["missing"]:
            ending.note("alert_skipped", **facts, missing=entry["missing"])
    ending.result["alerts"] = entries
    met = [entry["name"] for entry in entries if entry["triggered"]]
    return {"rules": len(entries), "triggered": met}


def condition_of(rule: Rule) -> Condition:
    """Return the parsed condition of a rule that was checked when it was submitted."""
    return _parse(rule["condition"])


def channels_of(rule: Rule) -> tuple[str, ...]:
    """Return the channels of a rule by their own names, each once, in order."""
    names = (CHANNEL_ALIASES.get(name, name) for name in rule["channels"])
    return tuple(dict.fromkeys(names))


def evaluate(
    rules: Sequence[Rule],
    metrics: Mapping[str, Any],
    *,
    earlier: Mapping[int, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return an entry of ``result.alerts`` for each rule, in order.

    Args:
        rules: As the run was asked for.
        metrics: Of the finished run.
        earlier: Values that met a rule while the script was running, by the rule's place;
            such a rule stays met, whatever the final metrics say.

    Returns:
        Entries with ``name``, ``severity``, ``condition``, ``triggered``, ``values`` (of
        the condition's metrics), ``missing`` (names without a value, if these leave the
        rule undecided) and ``deliveries``, still empty.
    """
    met = earlier or {}
    return [_judge(rule, metrics, met.get(place)) for place, rule in enumerate(rules)]


def _judge(
    rule: Rule, metrics: Mapping[str, Any], earlier: Mapping[str, Any] | None
) -> dict[str, Any]:
    condition = condition_of(rule)
    holds = True if earlier is not None else condition.evaluate(metrics)
    return {
        "name": rule["name"],
        "severity": rule["severity"],
        "condition": rule["condition"],
        "triggered": holds is True,
        "values": condition.values(metrics) if earlier is None else dict(earlier),
        "missing": condition.missing(metrics) if holds is None else [],
        "deliveries": [],
    }


def find_decided(
    rules: Sequence[Rule], ranges: Mapping[str, Range], *, besides: Collection[int] = ()
) -> dict[int, dict[str, float]]:
    """Return which rules are met already, whatever the run will still do.

    Args:
        rules: As the run was asked for.
        ranges: Where each metric will lie in the end, as far as that is known.
        besides: Places of rules that were met before and are not asked again.

    Returns:
        The least values that met it, by the place of the rule.
    """
    found = {}
    for place, rule in enumerate(rules):
        if place not in besides:
            condition = condition_of(rule)
            if condition.is_decided(ranges):
                names = [name for name in condition.names if name in ranges]
                found[place] = {name: ranges[name][0] for name in names}
    return found


def can_be_decided_early(rules: Sequence[Rule], growing: Collection[str]) -> bool:
    """Return whether any rule could be met before the end.

    Args:
        rules: As the run was asked for.
        growing: Metrics that only grow while a script runs.
    """
    wanted = set(growing)
    return any(not wanted.isdisjoint(condition_of(rule).names) for rule in rules)
