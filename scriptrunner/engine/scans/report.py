"""The report of one scan, and what the reports of a script amount to.

Standard library only: the shim decides by these functions whether a script may start. A
report is a mapping, because it goes as JSON from the child to the shim and to the record.
"""

from scriptrunner.engine.scans.kinds import (
    KINDS,
    LABELS,
    MAX_LISTED,
    SEVERITIES,
    STATUSES,
)

TYPE_CHECKING = False  # typing itself is not loaded: every scanned run would pay for it
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Finding = dict[str, Any]
    Report = dict[str, Any]

#: Findings that the message of a blocked run names for each scan.
NAMED = 3


def weigh(severity: str) -> int:
    """Return the place of a severity, 0 for LOW."""
    return SEVERITIES.index(severity)


def of_findings(
    findings: "Iterable[Finding]", *, suppressed: int = 0, **more: object
) -> "Report":
    """Return the report of a scan that came to its end.

    Args:
        findings: Each with ``id``, ``severity``, ``line``, ``message`` and more.
        suppressed: How many others a comment in the script has suppressed.
        **more: Further keys of the report.

    Returns:
        At most ``MAX_LISTED`` findings, the worst first, then by line; all are counted.
    """
    found = sorted(
        findings, key=lambda each: (-weigh(each["severity"]), each.get("line") or 0)
    )
    counts: dict[str, int] = {}
    for each in found:
        counts[each["severity"]] = counts.get(each["severity"], 0) + 1
    return {
        "status": "findings" if found else "clean",
        "counts": counts,
        "suppressed": suppressed,
        "findings": found[:MAX_LISTED],
        **more,
    }


def without_result(status: str, reason: str, **more: object) -> "Report":
    """Return the report of a scan that is ``unavailable`` or ended in an ``error``."""
    return {
        "status": status,
        "reason": reason,
        "counts": {},
        "suppressed": 0,
        "findings": [],
        **more,
    }


def judge(report: "Report", *, block: str) -> "Report":
    """Add to a report whether it blocks the run.

    Args:
        report: As the functions above return it.
        block: The least severity that blocks, or ``NONE``.
    """
    worst = worst_of(report)
    is_blocked = worst is not None and block != "NONE" and weigh(worst) >= weigh(block)
    return {**report, "blocked": is_blocked}


def is_report(value: object) -> bool:
    """Return whether ``value`` has the form of a report.

    It may come from a file that a script could write to.
    """
    if not isinstance(value, dict) or value.get("status") not in STATUSES:
        return False
    counts, findings = value.get("counts"), value.get("findings")
    return (
        isinstance(counts, dict)
        and all(name in SEVERITIES for name in counts)
        and all(type(count) is int for count in counts.values())
        and isinstance(findings, list)
        and len(findings) <= MAX_LISTED
        and all(isinstance(each, dict) for each in findings)
        and isinstance(value.get("duration_s"), (int, float))
        and isinstance(value.get("reason"), (str, type(None)))
    )


def is_judged(value: object) -> bool:
    """Return whether ``value`` has the form of a report that ``judge`` has seen."""
    if not isinstance(value, dict):
        return False
    return is_report(value) and type(value.get("blocked")) is bool


def worst_of(report: "Mapping[str, Any]") -> str | None:
    """Return the worst severity of a report's findings, or None without any."""
    counts = report.get("counts") or {}
    found = [severity for severity in SEVERITIES if counts.get(severity)]
    return found[-1] if found else None


def blocking_kinds(reports: "Mapping[str, Mapping[str, Any]]") -> list[str]:
    """Return the scans that block the run, in their order."""
    return [kind for kind in KINDS if kind in reports and reports[kind].get("blocked")]


def blocked_message(
    reports: "Mapping[str, Mapping[str, Any]]", *, block: str
) -> str | None:
    """Return one line that says which findings block the run; None if none does.

    Args:
        reports: Judged reports by kind.
        block: The least severity that blocks.
    """
    parts = [
        _blocked_part(kind, reports[kind], block) for kind in blocking_kinds(reports)
    ]
    return f"Blocked by {'; '.join(parts)}" if parts else None


def _blocked_part(kind: str, report: "Mapping[str, Any]", block: str) -> str:
    least = weigh(block)
    counts = report["counts"]
    count = sum(n for severity, n in counts.items() if weigh(severity) >= least)
    listed = [each for each in report["findings"] if weigh(each["severity"]) >= least]
    named = "; ".join(
        f"line {each.get('line')}: {each['message']}" for each in listed[:NAMED]
    )
    more = f"; {count - NAMED} more" if count > NAMED else ""
    word = "finding" if count == 1 else "findings"
    return f"{LABELS[kind]}: {count} {word} at {block} or above ({named}{more})"


def list_events(reports: "Mapping[str, Mapping[str, Any]]") -> "list[dict[str, Any]]":
    """Return the data of a ``scan`` event per scan, in their order."""
    return [
        {
            "scan": kind,
            "findings": sum((reports[kind].get("counts") or {}).values()),
            "worst": worst_of(reports[kind]),
            "blocked": bool(reports[kind].get("blocked")),
            "status": reports[kind]["status"],
            "duration_s": reports[kind].get("duration_s"),
        }
        for kind in KINDS
        if kind in reports
    ]


def describe(reports: "Mapping[str, Mapping[str, Any]] | None") -> "dict[str, Any]":
    """Return the keys of a dry run's result that speak of scans."""
    reports = reports or {}
    return {"scans": dict(reports), "would_be_blocked": bool(blocking_kinds(reports))}


def list_warnings(reports: "Mapping[str, Mapping[str, Any]]") -> list[tuple[str, str]]:
    """Return word and explanation of a warning per scan that gave no result."""
    return [
        (f"{kind}_scan_{report['status']}", str(report.get("reason") or ""))
        for kind in KINDS
        if (report := reports.get(kind)) is not None
        and report["status"] in ("unavailable", "error")
    ]
