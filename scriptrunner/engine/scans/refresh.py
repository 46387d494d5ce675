"""Advisory data made small: what the dependency scan needs, as one packed JSON list.

The source is what databases in the OSV format offer: an archive or a folder with one file
per advisory, or a list in one file. Nothing is fetched here.
"""

import gzip
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scriptrunner.engine import whole_file
from scriptrunner.engine.scans.advisories import (
    ECOSYSTEM,
    Advisories,
    AdvisoryDataError,
    iter_entries,
)

#: Characters of a summary that are kept.
MAX_SUMMARY = 240
#: Bytes that the files of an archive may have together, unpacked.
MAX_ARCHIVE_BYTES = 1 << 31


def refresh(source: Path, target: Path) -> Advisories:
    """Write the advisories in ``source`` to ``target`` and return them.

    Args:
        source: A ``.zip`` of OSV files, or what ``advisories.load`` reads.
        target: A ``.json.gz`` file; it is replaced as a whole, or not at all.

    Raises:
        AdvisoryDataError: If the source cannot be read or has nothing for Python packages.
        OSError: If the target cannot be written.
    """
    try:
        entries = sorted(_iter_slim(_iter_source(source)), key=lambda each: each["id"])
        found = Advisories(entries)
    except (
        *(OSError, EOFError, ValueError, zipfile.BadZipFile),
        *(AttributeError, TypeError, KeyError),
    ) as error:
        reason = getattr(error, "strerror", None) or "not in the OSV format"
        raise AdvisoryDataError(f"{source.name} cannot be read: {reason}") from error
    if not found.package_count:
        raise AdvisoryDataError(f"{source.name} has no advisories for {ECOSYSTEM}")
    text = json.dumps(entries, ensure_ascii=True, separators=(",", ":"))
    whole_file.write(str(target), gzip.compress(text.encode("ascii"), mtime=0))
    return found


def _iter_source(source: Path) -> Iterator[Mapping[str, Any]]:
    if source.is_dir() or not zipfile.is_zipfile(source):
        yield from iter_entries(source)
        return
    with zipfile.ZipFile(source) as archive:
        members = [one for one in archive.infolist() if one.filename.endswith(".json")]
        if sum(one.file_size for one in members) > MAX_ARCHIVE_BYTES:
            raise ValueError("too large")
        for member in members:
            yield json.loads(archive.read(member))


def _iter_slim(entries: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what is kept of each advisory that concerns Python packages."""
    for entry in entries:
        affected = [
            _slim_affected(each)
            for each in entry.get("affected") or ()
            if (each.get("package") or {}).get("ecosystem") == ECOSYSTEM
        ]
        if not affected or entry.get("withdrawn"):
            continue
        details = entry.get("summary") or entry.get("details") or ""
        slim = {
            "id": str(entry["id"]),
            "aliases": entry.get("aliases") or [],
            "summary": " ".join(str(details).split())[:MAX_SUMMARY],
            "modified": entry.get("modified"),
            "affected": affected,
        }
        if entry.get("severity"):
            slim["severity"] = entry["severity"]
        named = (entry.get("database_specific") or {}).get("severity")
        if named:
            slim["database_specific"] = {"severity": named}
        yield slim


def _slim_affected(affected: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "package": {"ecosystem": ECOSYSTEM, "name": affected["package"]["name"]},
        "ranges": [
            {"type": each["type"], "events": each["events"]}
            for each in affected.get("ranges") or ()
            if each.get("type") != "GIT"
        ],
        "versions": affected.get("versions") or [],
    }
