"""Reports that are kept by what they depend on, so that nothing is scanned twice.

Standard library only: the shim reads the cache. An entry is a file named by a hash of the
scan, the content, the rules and the advisory data; it appears whole or not at all. It
holds nothing that depends on who asked: neither file names nor what blocks.
"""

import json
import os
import time

from scriptrunner.engine.digest import sha256

TYPE_CHECKING = False  # typing itself is not loaded: every scanned run would pay for it
if TYPE_CHECKING:
    from typing import Any

#: Entries beyond which the oldest are removed, and how many stay.
MAX_ENTRIES, KEPT_ENTRIES = 2_000, 1_500
#: Statuses that are worth keeping: the others may be different the next time.
_KEPT = ("clean", "findings")


def key_of(kind: str, *parts: str) -> str:
    """Return the name of an entry: 64 hexadecimal digits."""
    return sha256("\0".join((kind, *parts)).encode("utf-8", "surrogatepass"))


def find(folder: str, key: str) -> "dict[str, Any] | None":
    """Return the report kept under ``key``, or None."""
    try:
        with open(f"{folder}/{key}.json", "rb") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return None
    is_report = isinstance(report, dict) and report.get("status") in _KEPT
    return report if is_report else None


def keep(folder: str, key: str, report: "dict[str, Any]") -> None:
    """Keep ``report`` unless it says that nothing was found out.

    A full or missing folder is no reason to fail: then the next run scans again.
    """
    if report.get("status") not in _KEPT:
        return
    target = f"{folder}/{key}.json"
    draft = f"{target}.{os.getpid()}.{time.monotonic_ns()}"
    try:
        write_whole(draft, target, json.dumps(report).encode("ascii"))
        _thin_out(folder)
    except OSError:
        return


def write_whole(draft: str, target: str, data: bytes) -> None:
    """Write ``data`` to ``target`` (0600) by way of a draft beside it.

    Raises:
        OSError: As the system says; no draft is left.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(draft, flags, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
        os.rename(draft, target)
    except OSError:
        os.unlink(draft)
        raise


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
