"""Alerts as JSON: the keys and values of the API, in plain dictionaries."""

from typing import Any

from scriptrunner.alerts.channels import Channel
from scriptrunner.alerts.checking import Check
from scriptrunner.alerts.models import Alert, Delivery, Mute
from scriptrunner.clock import to_text


def alert_to_json(alert: Alert) -> dict[str, Any]:
    """Return an alert with its deliveries."""
    seen_at = alert.acknowledged_at
    return {
        "id": alert.id,
        "run_id": alert.run_id,
        "name": alert.name,
        "severity": alert.severity,
        "condition": alert.condition,
        "values": dict(alert.measured),
        "triggered_at": to_text(alert.triggered_at),
        "early": alert.is_early,
        "script_path": alert.script_path,
        "run": dict(alert.run),
        "acknowledged_at": None if seen_at is None else to_text(seen_at),
        "acknowledged_by": alert.acknowledged_by,
        "deliveries": [delivery_to_json(each) for each in alert.deliveries],
    }


def delivery_to_json(delivery: Delivery) -> dict[str, Any]:
    """Return one delivery."""
    next_try_at, finished_at = delivery.next_try_at, delivery.finished_at
    return {
        "delivery_id": delivery.id,
        "channel": delivery.channel,
        "status": str(delivery.status),
        "tries": delivery.tries,
        "next_try_at": None if next_try_at is None else to_text(next_try_at),
        "finished_at": None if finished_at is None else to_text(finished_at),
        "error": delivery.error,
    }


def mute_to_json(mute: Mute) -> dict[str, Any]:
    """Return what is muted, by whom and until when."""
    return {
        "id": mute.id,
        "script_path": mute.script_path,
        "rule": mute.rule,
        "condition": mute.condition,
        "muted_at": to_text(mute.muted_at),
        "muted_by": mute.muted_by,
        "until": None if mute.until is None else to_text(mute.until),
        "note": mute.note,
    }


def channel_to_json(channel: Channel) -> dict[str, Any]:
    """Return a channel and whether anything can be sent by it."""
    return {
        "name": channel.name,
        "kind": channel.kind,
        "configured": channel.problem is None,
        "problem": channel.problem,
    }


def check_to_json(check: Check) -> dict[str, Any]:
    """Return what there is to say of a condition."""
    return {
        "valid": check.problem is None,
        "problem": check.problem,
        "column": check.column,
        "metrics": list(check.metrics),
        "warnings": list(check.warnings),
        "met": check.is_met,
        "values": dict(check.values),
        "missing": list(check.missing),
    }
