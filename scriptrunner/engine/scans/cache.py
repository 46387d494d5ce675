"""Reports that are kept by what they depend on, so that nothing is scanned twice.

Standard library only: the shim reads the cache. An entry is a file named by a hash of the
scan, the content, the rules and the advisory data; it appears whole or not at all. It
holds nothing that depends on who asked: neither file names nor what blocks.
"""

import json
import os
import stat

from scriptrunner.engine import whole_file
from scriptrunner.engine.digest import sha256
from scriptrunner.engine.scans.report import is_report

TYPE_CHECKING = False  # typing itself is not loaded: every scanned run would pay for it
if TYPE_CHECKING:
    from typing import Any

#: Entries beyond which the oldest are removed, and how many stay.
MAX_ENTRIES, KEPT_ENTRIES = 2_000, 1_500
#: Statuses that are worth keeping: the others may be different the next time.
_KEPT = ("clean", "findings")
#: Bytes of a file that are read; no report is as large.
MAX_FILE_BYTES = 4 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def key_of(kind: str, *parts: str) -> str:
    """Return the name of an entry: 64 hexadecimal digits."""
    return sha256("\0".join((kind, *parts)).encode("utf-8", "surrogatepass"))


def find(folder: str, key: str) -> "dict[str, Any] | None":
    """Return the report kept under ``key``, or None."""
    found = read_mapping(f"{folder}/{key}.json")
    is_kept = is_report(found) and found is not None and found["status"] in _KEPT
    return found if is_kept else None


def read_mapping(path: str) -> "dict[str, Any] | None":
    """Return the mapping in a JSON file, or None if there is none.

    Scripts run as the same user, so anything may be there: no link is followed, and
    nobody waits for a writer.
    """
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = os.read(descriptor, MAX_FILE_BYTES)
        found = json.loads(data, parse_constant=_refuse)
    except (OSError, ValueError, RecursionError):
        return None
    finally:
        os.close(descriptor)
    return found if isinstance(found, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def keep(folder: str, key: str, report: "dict[str, Any]") -> None:
    """Keep ``report`` unless it says that nothing was found out.

    A full or missing folder is no reason to fail: then the next run scans again.
    """
    if report.get("status") not in _KEPT:
        return
    try:
        whole_file.write(f"{folder}/{key}.json", json.dumps(report).encode("ascii"))
        _thin_out(folder)
    except OSError:
        return


def _thin_out(folder: str) -> None:
    """Remove the oldest entries when there are too many."""
    with os.scandir(folder) as entries:
        found = [(each.stat().st_mtime_ns, each.path) for each in entries]
    if len(found) <= MAX_ENTRIES:
        return
    for _, path in sorted(found)[: len(found) - KEPT_ENTRIES]:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
