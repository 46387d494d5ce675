"""The scanning process: reads a script it must not trust, and says what it found.

Started by its path as ``python -P child.py``; the script is on standard input, the order
(JSON) on descriptor 3, and each report goes as a line of JSON to standard output as soon
as it is there. The limits come first: parsing alone can use up memory and time, and then
this process ends, and nothing else does.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time

if not __package__:  # started by its path: the package lies three folders above
    sys.path.insert(0, __file__.rsplit("/", 4)[0])

from scriptrunner.engine.scans import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Report = dict[str, Any]

#: Descriptor of the order.
ORDER = 3
#: Bytes that the reports may take together.
MAX_ANSWER_BYTES = 8 << 20
#: Calls within each other: a script that Python can compile can be looked through too.
RECURSION_LIMIT = 10_000
#: Exceptions that say nothing against the script but against our reading of it.
_FAILURES = {
    MemoryError: "more memory needed than a scan may use",
    RecursionError: "nested too deeply to be read",
}


def main() -> None:
    """Scan for everything the order asks for, one after another."""
    with os.fdopen(ORDER, "rb") as file:
        order = json.load(file)
    limit(order["memory_bytes"], order["seconds"])
    source = sys.stdin.buffer.read()
    for kind in order["kinds"]:
        found = scan(kind, source, order)
        line = json.dumps({"kind": kind, "report": found}).encode("ascii")
        os.write(1, line + b"\n")


def limit(memory_bytes: int, seconds: float) -> None:
    """Limit this process: address space, CPU, wall time, file size, no core, depth."""
    whole_seconds = int(seconds) + 1
    for kind, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, whole_seconds),
        (resource.RLIMIT_FSIZE, MAX_ANSWER_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):  # not every system has each
            resource.setrlimit(kind, (wanted, wanted))
    # The shim watches too; this is for the case that it is dead.
    signal.alarm(whole_seconds)
    sys.setrecursionlimit(RECURSION_LIMIT)


def scan(kind: str, source: bytes, order: "dict[str, Any]") -> "Report":
    """Return the report of one scan; whatever goes wrong is a report too."""
    began = time.monotonic()
    try:
        found = _scan(kind, source, order)
    except ImportError as error:
        name = error.name or str(error)
        reason = f"the package {name} is not installed"
        found = report.without_result("unavailable", reason)
    except (MemoryError, RecursionError) as error:
        found = report.without_result("error", _FAILURES[type(error)])
    except Exception as error:  # noqa: BLE001 - a defect of a scanner is no clean script
        found = report.without_result("error", f"failed with {type(error).__name__}")
    return {**found, "duration_s": round(time.monotonic() - began, 6)}


def _scan(kind: str, source: bytes, order: "dict[str, Any]") -> "Report":
    # Imported here: each scanner loads its own library and no other.
    if kind == "secrets":
        from scriptrunner.engine.scans import secret_scan  # noqa: PLC0415

        return secret_scan.scan(source)
    if kind == "code_analysis":
        from scriptrunner.engine.scans import code_analysis  # noqa: PLC0415

        return code_analysis.scan(source)
    from scriptrunner.engine.scans import dependency_scan  # noqa: PLC0415

    return dependency_scan.scan(
        source,
        requirements=order["requirements"],
        advisory_db=order["advisory_db"],
    )


if __name__ == "__main__":
    main()
