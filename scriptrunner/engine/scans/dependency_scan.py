"""Known vulnerabilities of the packages a script asks for, by data on this machine."""

from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from scriptrunner.engine.scans import report
from scriptrunner.engine.scans.source_text import decode

_SECONDS_PER_DAY = 86_400
#: Characters of a requirement, and of a message, that a finding repeats.
MAX_TEXT, MAX_MESSAGE = 200, 300


def scan(
    source: bytes, *, requirements: str | None, advisory_db: str
) -> dict[str, Any]:
    """Return the report on a script.

    Args:
        source: The script, for its inline metadata.
        requirements: Text of the requirements file that belongs to it, or None.
        advisory_db: File or folder with OSV entries.

    Returns:
        ``unavailable`` if the data cannot be read. A line that cannot be checked and a
        package without a pinned version are findings of their own, so that nothing
        unknown looks clean.

    Raises:
        ImportError: If packaging is not installed.
    """
    from scriptrunner.engine.scans.advisories import AdvisoryDataError, load  # noqa: PLC0415
    from scriptrunner.engine.scans.requirements import parse_file, parse_script  # noqa: PLC0415

    try:
        known = load(advisory_db)
    except AdvisoryDataError as error:
        return report.without_result("unavailable", str(error))
    wanted = [*parse_file(requirements or ""), *parse_script(decode(source))]
    if not known.count:
        return report.without_result("unavailable", "no advisory data")
    findings = [finding for each in wanted for finding in _check(each, known)]
    return report.of_findings(
        findings,
        packages=sum(each.package is not None for each in wanted),
        advisories={
            "source": PurePath(advisory_db).name,
            "date": known.newest,
            "age_days": _age_days(known.newest),
            "count": known.count,
            "unreadable_versions": known.unreadable_count,
        },
    )


def _check(dependency: Any, known: Any) -> list[dict[str, Any]]:
    if dependency.problem is not None:
        message = f"Not checked: {dependency.problem}"
        return [_finding(dependency, "not_checked", "LOW", message)]
    if dependency.version is None:
        message = (
            f"{_cut(dependency.package)} is not pinned to one version, so not checked"
        )
        return [_finding(dependency, "unpinned", "LOW", message)]
    return [
        _finding(
            dependency,
            match.id,
            match.severity,
            f"{_cut(dependency.package)} {_cut(dependency.version)}: "
            f"{match.summary or 'no summary'}",
            aliases=list(match.aliases),
            fixed_versions=list(match.fixed_versions),
        )
        for match in known.find(dependency.package, dependency.version)
    ]


def _finding(
    dependency: Any, rule: str, severity: str, message: str, **more: Any
) -> dict[str, Any]:
    return {
        "id": rule,
        "severity": severity,
        "file": dependency.file,
        "line": dependency.line,
        "column": 1,
        "message": message[:MAX_MESSAGE],
        "confidence": 1.0,
        "package": _cut(dependency.package),
        "specifier": _cut(dependency.specifier or dependency.text),
        "version": _cut(dependency.version),
        "aliases": [],
        "fixed_versions": [],
        **more,
    }


def _cut(value: object) -> str | None:
    """Return as much of what a requirement says as a report repeats."""
    return None if value is None else str(value)[:MAX_TEXT]


def _age_days(moment: str | None) -> float | None:
    """Return the days since a moment (RFC 3339), one decimal; None if it is not known."""
    if moment is None:
        return None
    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return None
    age = datetime.now(UTC) - then.astimezone(UTC)
    return round(max(0.0, age.total_seconds()) / _SECONDS_PER_DAY, 1)
