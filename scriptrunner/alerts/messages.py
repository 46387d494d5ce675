"""What receivers are told, in the form of each kind of channel."""

from collections.abc import Mapping
from typing import Any

from scriptrunner.alerts.models import Notice
from scriptrunner.clock import to_text

#: Bar beside a Slack message.
COLORS = {
    "INFO": "#36a64f",
    "WARNING": "#ff9900",
    "ERROR": "#ff4d00",
    "CRITICAL": "#ff0000",
}
FOOTER = "Script Runner"


def title_of(notice: Notice) -> str:
    """Return one line that says what it is about."""
    return f"[{notice.severity}] {notice.name}: {notice.run['script_path']}"


def to_slack(notice: Notice) -> dict[str, Any]:
    """Return the body for a Slack-compatible webhook."""
    metrics = notice.metrics
    fields = {
        "Severity": notice.severity,
        "Condition": notice.condition,
        "Script": notice.run["script_path"],
        "Exit Code": _shown(notice.run["exit_code"]),
        "Duration": _shown(metrics.get("execution_time_seconds"), "s"),
        "CPU Max": _shown(metrics.get("cpu_max"), "%"),
        "Memory Max": _shown(metrics.get("memory_max_mb"), "MiB"),
    }
    attachment = {
        "fallback": _escaped(title_of(notice)),
        "color": COLORS[notice.severity],
        "title": _escaped(f"Alert: {notice.name}"),
        "fields": [
            {"title": title, "value": _escaped(value), "short": title != "Condition"}
            for title, value in fields.items()
        ],
        "footer": f"{FOOTER} | run {notice.run['id']} | {notice.delivery_id}",
        "ts": int(notice.triggered_at.timestamp()),
    }
    return {"attachments": [attachment]}


def _escaped(text: str) -> str:
    """Return ``text`` so that Slack finds no link and no mention in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _shown(value: object, unit: str = "") -> str:
    return "unknown" if value is None else f"{value} {unit}".rstrip()


def to_webhook(notice: Notice) -> dict[str, Any]:
    """Return the body for any webhook."""
    return {
        "event": "alert",
        "delivery_id": notice.delivery_id,
        "alert": {
            "name": notice.name,
            "severity": notice.severity,
            "condition": notice.condition,
            "values": dict(notice.values),
            "triggered_at": to_text(notice.triggered_at),
        },
        "run": dict(notice.run),
        "metrics": dict(notice.metrics),
    }


def to_plain_text(notice: Notice) -> str:
    """Return the same as lines of text, for e-mail and whatever shows only text."""
    lines = {
        "Alert": notice.name,
        "Severity": notice.severity,
        "Condition": notice.condition,
        "Values": _joined(notice.values),
        "Triggered at": to_text(notice.triggered_at),
        "Delivery": notice.delivery_id,
    }
    run = {_words(name): value for name, value in notice.run.items()}
    metrics = {
        name: value
        for name, value in notice.metrics.items()
        if isinstance(value, int | float) and name not in notice.run
    }
    sections = (lines, run, metrics)
    return "\n\n".join(_table(each) for each in sections if each) + "\n"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _joined(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or "none"


def _table(rows: Mapping[str, object]) -> str:
    width = max(len(name) for name in rows) + 2
    return "\n".join(
        f"{name + ':':{width}}{_one_line(_shown(value))}"
        for name, value in rows.items()
    )


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else "�" for each in text)


def to_log_line(notice: Notice) -> str:
    """Return one line without control characters for the service's log."""
    return _one_line(
        f"{title_of(notice)} ({notice.condition}; {_joined(notice.values)}) "
        f"run {notice.run['id']} delivery {notice.delivery_id}"
    )
