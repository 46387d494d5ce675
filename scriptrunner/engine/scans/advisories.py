"""Known vulnerabilities in the OSV format, read from files, and which apply to a version.

The format: https://ossf.github.io/osv-schema/. Both the listed versions and the ranges of
an advisory are matched: some have only ranges, and some list versions outside them.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from scriptrunner.engine.scans.cvss import severity_of_vector
from scriptrunner.engine.scans.kinds import SEVERITIES

ECOSYSTEM = "PyPI"
#: Ranges by package version; those by commit say nothing about versions.
_RANGE_TYPES = ("ECOSYSTEM", "SEMVER")
#: Severity of an advisory that names none.
UNKNOWN_SEVERITY = "MEDIUM"
#: Bytes that the unpacked data may have.
MAX_BYTES = 1 << 29


class AdvisoryDataError(Exception):
    """The advisory data cannot be read; the message says why and names no path."""


class Match(NamedTuple):
    """An advisory that applies to a version."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: str
    #: Versions beyond the matched one in which it is fixed, in order.
    fixed_versions: tuple[str, ...]


class Advisories:
    """Advisories by package."""

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Sort OSV entries; withdrawn ones and other ecosystems are left out."""
        self._by_package: dict[str, list[tuple[Mapping[str, Any], Any]]] = {}
        self.count = 0
        #: Version strings that do not follow PEP 440, met by ``find`` so far.
        self.unreadable_count = 0
        newest = ""
        now = _text_of(datetime.now(UTC))
        for entry in entries:
            if entry.get("withdrawn"):
                continue
            self.count += 1
            modified = str(entry.get("modified") or "")
            if newest < modified <= now:
                newest = modified
            for affected in entry.get("affected") or ():
                self._add(entry, affected)
        #: When the newest advisory was last changed (RFC 3339), or None.
        self.newest: str | None = newest or None

    def _add(self, entry: Mapping[str, Any], affected: Any) -> None:
        package = affected.get("package") or {}
        if package.get("ecosystem") == ECOSYSTEM:
            name = canonicalize_name(str(package.get("name") or ""))
            self._by_package.setdefault(name, []).append((entry, affected))

    @property
    def package_count(self) -> int:
        """How many packages have an advisory."""
        return len(self._by_package)

    def find(self, package: str, version: Version) -> list[Match]:
        """Return the advisories that apply, by id; aliases of one another count once.

        Args:
            package: Name in any spelling.
            version: The version that would be installed.
        """
        found: dict[str, tuple[Mapping[str, Any], set[str]]] = {}
        for entry, affected in self._by_package.get(canonicalize_name(package), ()):
            if self._affects(affected, version):
                fixed = found.setdefault(entry["id"], (entry, set()))[1]
                fixed.update(_iter_fixes(affected))
        matches = [self._to_match(*each, version) for each in found.values()]
        return _merge_aliases(matches)

    def count_unreadable(self) -> int:
        """Return how many version strings of all advisories do not follow PEP 440."""
        texts = (
            text
            for several in self._by_package.values()
            for _, affected in several
            for text in (*_iter_listed(affected), *_iter_bounds(affected))
        )
        return sum(_parse(text) is None for text in texts)

    def _affects(self, affected: Mapping[str, Any], version: Version) -> bool:
        # Not any(): every version is looked at, so that those without sense are counted.
        is_listed = [self._read(text) == version for text in _iter_listed(affected)]
        in_range = [
            self._is_in_range(each.get("events") or (), version)
            for each in affected.get("ranges") or ()
            if each.get("type") in _RANGE_TYPES
        ]
        return any(is_listed) or any(in_range)

    def _is_in_range(self, events: Any, version: Version) -> bool:
        """Walk the events up to ``version``, as the format's specification has it."""
        known = []
        for event in events:
            for kind, text in event.items():
                bound = Version("0.dev0") if text == "0" else self._read(str(text))
                if bound is not None:
                    known.append((bound, kind))
        is_affected = False
        for bound, kind in sorted(known, key=lambda each: each[0]):
            if kind == "introduced" and version >= bound:
                is_affected = True
            elif (kind == "fixed" and version >= bound) or (
                kind == "last_affected" and version > bound
            ):
                is_affected = False
        return is_affected

    def _read(self, text: str) -> Version | None:
        version = _parse(text)
        self.unreadable_count += version is None
        return version

    def _to_match(
        self, entry: Mapping[str, Any], fixes: set[str], version: Version
    ) -> Match:
        later = sorted(
            (parsed, text)
            for text in fixes
            if (parsed := _parse(text)) is not None and parsed > version
        )
        return Match(
            id=str(entry["id"]),
            aliases=tuple(map(str, entry.get("aliases") or ())),
            summary=str(entry.get("summary") or entry.get("details") or "")[:240],
            severity=severity_of(entry),
            fixed_versions=tuple(text for _, text in later),
        )


def severity_of(entry: Mapping[str, Any]) -> str:
    """Return the severity of an advisory: named, else by its CVSS vector, else MEDIUM."""
    if str(entry.get("id")).startswith("MAL-"):
        return "CRITICAL"  # not a package with a fault, but a harmful package
    named = (entry.get("database_specific") or {}).get("severity")
    named = {"MODERATE": "MEDIUM"}.get(str(named).upper(), str(named).upper())
    if named in SEVERITIES:
        return named
    vectors = (str(each.get("score")) for each in entry.get("severity") or ())
    rated = [one for one in map(severity_of_vector, vectors) if one is not None]
    return max(rated, key=SEVERITIES.index, default=UNKNOWN_SEVERITY)


def load(path: str) -> Advisories:
    """Return the advisories in a file (a JSON list or object, also ``.gz``) or a folder.

    Raises:
        AdvisoryDataError: If there is nothing to be read, or no JSON.
    """
    try:
        return Advisories(list(iter_entries(Path(path))))
    except (
        OSError,
        EOFError,
        ValueError,
        AttributeError,
        TypeError,
        KeyError,
    ) as error:
        reason = getattr(error, "strerror", None) or "not in the OSV format"
        raise AdvisoryDataError(
            f"the advisory data cannot be read: {reason}"
        ) from error


def iter_entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the OSV entries in a file, or in all ``.json`` files below a folder."""
    if path.is_dir():
        for pattern in ("*.json", "*.json.gz"):
            for file in sorted(path.rglob(pattern)):
                yield from iter_entries(file)
        return
    found = json.loads(_read_file(path))
    yield from found if isinstance(found, list) else [found]


def _read_file(path: Path) -> bytes:
    if path.suffix != ".gz":
        data = path.read_bytes()
    else:
        with gzip.open(path) as file:
            data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError("too large")
    return data


def _iter_listed(affected: Mapping[str, Any]) -> Iterator[str]:
    for text in affected.get("versions") or ():
        yield str(text)


def _iter_bounds(affected: Mapping[str, Any]) -> Iterator[str]:
    for each in affected.get("ranges") or ():
        if each.get("type") in _RANGE_TYPES:
            for event in each.get("events") or ():
                yield from (str(text) for text in event.values() if text != "0")


def _iter_fixes(affected: Mapping[str, Any]) -> Iterator[str]:
    for each in affected.get("ranges") or ():
        for event in each.get("events") or ():
            if each.get("type") in _RANGE_TYPES and "fixed" in event:
                yield str(event["fixed"])


def _parse(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _merge_aliases(matches: list[Match]) -> list[Match]:
    """Join matches that name each other: the first id, all aliases, the worst severity."""
    merged: list[Match] = []
    for match in sorted(matches, key=lambda each: (each.id[:5] != "PYSEC", each.id)):
        names = {match.id, *match.aliases}
        for place, other in enumerate(merged):
            if names & {other.id, *other.aliases}:
                merged[place] = _join(other, match)
                break
        else:
            merged.append(match)
    return sorted(merged, key=lambda each: each.id)


def _join(one: Match, other: Match) -> Match:
    names = dict.fromkeys((*one.aliases, other.id, *other.aliases))
    return one._replace(
        aliases=tuple(name for name in names if name != one.id),
        severity=max(one.severity, other.severity, key=SEVERITIES.index),
        fixed_versions=one.fixed_versions or other.fixed_versions,
    )


def _text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
