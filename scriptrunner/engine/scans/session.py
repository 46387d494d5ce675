"""The scans of one run, as the shim makes them before the first attempt.

Standard library only. A scan that is known from the cache is not made again; the others
are made by one child process. If that dies, the scan it was at has failed, and another
child goes on with the rest: a hostile script costs its own scan, never a false ``clean``.
"""

import json
import os
import time

from scriptrunner.engine import whole_file
from scriptrunner.engine.scans import cache, report, requirements_file
from scriptrunner.engine.scans.child_process import ScanStoppedError, ask
from scriptrunner.engine.scans.kinds import KINDS, MAX_SCAN_BYTES, STATUSES

__all__ = ["ScanStoppedError", "perform", "read_reports"]

TYPE_CHECKING = False  # typing itself is not loaded: every scanned run would pay for it
if TYPE_CHECKING:
    from typing import Any

    Report = dict[str, Any]

#: Name of the reports in a run's folder.
FILE_NAME = "scans.json"
_DAY_SECONDS = 86_400


def read_reports(run_dir: str, sha256: str | None = None) -> "dict[str, Report] | None":
    """Return the judged reports kept in a run's folder, or None.

    Args:
        run_dir: The run's folder.
        sha256: What must have been scanned, or None for whatever it was.
    """
    found = cache.read_mapping(f"{run_dir}/{FILE_NAME}")
    if found is None or sha256 not in (None, found.get("sha256")):
        return None
    return {
        kind: found[kind]
        for kind in KINDS
        if kind in found and report.is_judged(found[kind])
    }


def perform(
    launch: "dict[str, Any]", source: bytes, sha256: str, wake: int
) -> "dict[str, Report]":
    """Scan a script as its launch order asks and keep the reports in the run's folder.

    A script that was scanned for an earlier attempt is not scanned again unless it has
    changed since.

    Args:
        launch: The launch order (``Launch.to_mapping``) with ``scans``.
        source: The bytes that would run.
        sha256: Their hash.
        wake: Becomes readable when there may be an order.

    Returns:
        Judged reports by kind.

    Raises:
        ScanStoppedError: If the end of the run was ordered meanwhile.
        OSError: If the disk is full, or no process to be had.
    """
    run_dir = launch["run_dir"]
    known = read_reports(run_dir, sha256)
    if known is not None:
        return known
    reports = _Session(launch, source, sha256, wake).perform()
    text = json.dumps({"sha256": sha256, **reports})
    whole_file.write(f"{run_dir}/{FILE_NAME}", text.encode("ascii"))
    return reports


class _Session:
    """What is known while one script is scanned."""

    def __init__(
        self, launch: "dict[str, Any]", source: bytes, sha256: str, wake: int
    ) -> None:
        self._launch = launch
        self._order: dict[str, Any] = launch["scans"]
        self._source = source
        self._sha256 = sha256
        self._wake = wake
        self._deadline = time.monotonic() + self._order["seconds"]
        self._reports: dict[str, Report] = {}
        self._keys: dict[str, str] = {}
        self._requirements: requirements_file.RequirementsFile | None = None

    def perform(self) -> "dict[str, Report]":
        asked = [kind for kind in KINDS if kind in self._order["kinds"]]
        for kind in asked:
            self._settle_without_child(kind)
        while rest := [kind for kind in asked if kind not in self._reports]:
            self._scan(rest)
        return {kind: self._finish(kind) for kind in asked}

    def _settle_without_child(self, kind: str) -> None:
        """Note a report that needs no scan: from the cache, or because none can be."""
        began = time.monotonic()
        if len(self._source) > MAX_SCAN_BYTES:
            reason = f"the script is larger than {MAX_SCAN_BYTES >> 20} MiB"
            self._note(kind, report.without_result("error", reason))
            return
        parts = [str(self._order["rules"]), self._sha256]
        if kind == "dependencies":
            further = self._look_at_dependencies()
            if further is None:
                return
            parts += further
        self._keys[kind] = cache.key_of(kind, *parts)
        if self._order["cache_dir"] is None:
            return
        found = cache.find(self._order["cache_dir"], self._keys[kind])
        if found is not None:
            took = round(time.monotonic() - began, 6)
            self._reports[kind] = {**found, "duration_s": took, "cached": True}

    def _look_at_dependencies(self) -> list[str] | None:
        """Return what the report depends on; None if it was settled.

        The day is part of it because the report tells the age of the data.
        """
        self._requirements = requirements_file.find(
            self._launch["script_root"], self._launch["script_relative"]
        )
        found = self._requirements
        path = None if found is None else found.path
        stamp = _stamp(self._order["advisory_db"])
        if stamp is None:
            reason = "no advisory data"
        elif found is not None and found.problem is not None:
            reason = f"{found.path}: {found.problem}"
        else:
            text = "" if found is None else found.data.decode("utf-8", "replace")
            day = str(int(time.time()) // _DAY_SECONDS)
            return ["none" if path is None else text, stamp, day]
        self._note(
            "dependencies",
            report.without_result("unavailable", reason, requirements=path),
        )
        return None

    def _scan(self, kinds: list[str]) -> None:
        """Let a child scan; whatever it could not bring to an end has failed."""
        answer = ask(
            self._launch["run_dir"],
            self._source,
            self._child_order(kinds),
            wake=self._wake,
            deadline=self._deadline,
        )
        for kind in kinds:
            found = answer.reports.get(kind)
            if found is None or found.get("status") not in STATUSES:
                break
            self._note(kind, found)
            if self._order["cache_dir"] is not None:
                cache.keep(self._order["cache_dir"], self._keys[kind], found)
        failed = [kind for kind in kinds if kind not in self._reports]
        is_late = time.monotonic() >= self._deadline
        for kind in failed if is_late else failed[:1]:
            reason = answer.failure or "the scanning process gave no answer"
            self._note(kind, report.without_result("error", reason))

    def _child_order(self, kinds: list[str]) -> "dict[str, Any]":
        found = self._requirements
        text = None if found is None else found.data.decode("utf-8", "replace")
        return {
            "kinds": kinds,
            "seconds": self._order["seconds"],
            "memory_bytes": self._order["memory_bytes"],
            "advisory_db": self._order["advisory_db"],
            "requirements": text,
        }

    def _note(self, kind: str, found: "Report") -> None:
        self._reports[kind] = {"duration_s": 0.0, "cached": False, **found}

    def _finish(self, kind: str) -> "Report":
        """Add names to a report, which is kept without any, and judge it."""
        names = {"script": self._order["script_name"], "requirements": None}
        found = dict(self._reports[kind])
        if kind == "dependencies":
            path = None if self._requirements is None else self._requirements.path
            found["requirements"] = names["requirements"] = path
        found["findings"] = [
            {**each, "file": names.get(each.get("file", "script"))}
            for each in found["findings"]
        ]
        return report.judge(found, block=self._order["block"])


def _stamp(path: str | None) -> str | None:
    """Return what changes when the advisory data change; None if there are none.

    A folder counts by the names, sizes and times of everything below it.
    """
    if path is None:
        return None
    try:
        found = os.stat(path)
        if not os.path.isdir(path):
            return f"{path}:{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"
        count = size = newest = 0
        for folder, _, names in os.walk(path):
            for name in names:
                each = os.stat(f"{folder}/{name}")
                count, size = count + 1, size + each.st_size
                newest = max(newest, each.st_mtime_ns)
        return f"{path}:{count}:{size}:{newest}"
    except OSError:
        return None
