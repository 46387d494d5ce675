"""The JUnit report of a run: one suite, a test for the script, each gate and each scan."""

import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from scriptrunner.engine.output_files import OutputError
from scriptrunner.engine.steps.ending import Ending
from scriptrunner.engine.steps.gates import title_of

STAGE = "JUnit"
SCRIPT_TEST = "script exits with 0"
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
#: What XML 1.0 cannot hold in any form.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Stands for the result of a gate that was never looked at.
_NOT_EVALUATED: Mapping[str, Any] = {"passed": False, "message": "not evaluated"}
#: Reasons that say how the script itself failed; all others are errors around it.
_FAILURES = frozenset({"exit_code", "signal"})


def is_wanted(request: Mapping[str, Any]) -> bool:
    """Return whether there is to be a report."""
    return request.get("junit_output") is not None


def work(ending: Ending) -> Mapping[str, Any]:
    """Write the report; what goes wrong with it does not change the run."""
    try:
        path = ending.files.write(ending.request["junit_output"], render(ending))
    except OutputError as error:
        ending.result["junit_error"] = str(error)
        ending.fail(str(error))
        ending.note("junit", path=None, tests=None, error=str(error))
        return {}
    tests = list(list_tests(ending))
    ending.result["junit_output"] = path
    ending.note("junit", path=path, tests=len(tests), error=None)
    return {"path": path, "tests": len(tests)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTest:
    """One test of the report."""

    class_name: str
    #: Never holds a measured value, so that it is the same test in every run.
    name: str
    seconds: float = 0.0
    #: ``failure``, ``error``, ``skipped``, or None if it passed.
    verdict: str | None = None
    #: Kind of the failure or error.
    kind: str | None = None
    message: str = ""


def list_tests(ending: Ending) -> Iterator[ReportedTest]:
    """Yield the tests of a run in the order of the report."""
    yield _script_test(ending)
    name = ending.script_name
    asked = ending.request.get("performance_gates") or ()
    results = ending.result.get("performance_gates_results") or ()
    for gate, result in zip_longest(asked, results, fillvalue=_NOT_EVALUATED):
        yield ReportedTest(
            class_name=f"{name}.gates",
            name=title_of(gate),
            verdict=None if result["passed"] else "failure",
            kind="gate",
            message=result["message"],
        )
    for kind, scan in (ending.found.scans or {}).items():
        yield _scan_test(f"{name}.scans", kind, scan)


def _script_test(ending: Ending) -> ReportedTest:
    reason = ending.outcome.reason
    verdict = None
    if reason is not None:
        verdict = "failure" if reason in _FAILURES else "error"
    return ReportedTest(
        class_name=ending.script_name,
        name=SCRIPT_TEST,
        seconds=_seconds_of(ending),
        verdict=verdict,
        kind=None if reason is None else str(reason),
        message=ending.error or "",
    )


def _seconds_of(ending: Ending) -> float:
    return float(ending.metrics.get("execution_time_seconds") or 0.0)


def _scan_test(class_name: str, kind: str, scan: Mapping[str, Any]) -> ReportedTest:
    status = scan.get("status")
    verdicts = {"unavailable": "skipped", "error": "error"}
    verdict = "failure" if scan.get("blocked") else verdicts.get(str(status))
    counts = scan.get("counts") or {}
    found = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    return ReportedTest(
        class_name=class_name,
        name=kind,
        seconds=float(scan.get("duration_s") or 0.0),
        verdict=verdict,
        kind="scan",
        message=str(scan.get("reason") or found or status),
    )


def render(ending: Ending) -> bytes:
    """Return the report as an XML document in UTF-8."""
    library = _load_library()
    suite = library.TestSuite(clean(ending.script_name))
    started = ending.metrics.get("start_time")
    if started is not None:
        suite.timestamp = f"{started[:19]}Z"
    suite.add_property("run_id", ending.run_id)
    suite.add_testcases([_to_case(library, test) for test in list_tests(ending)])
    suite.append(library.SystemOut(clean(ending.outputs.stdout.text)))
    suite.append(library.SystemErr(clean(ending.outputs.stderr.text)))
    report = library.JUnitXml()
    report.add_testsuite(suite)
    report.update_statistics()
    suite.time = report.time = round(_seconds_of(ending), 3)
    document: bytes = report.tostring()
    return _DECLARATION + document + b"\n"


def clean(text: str) -> str:
    """Return ``text`` with U+FFFD in place of what XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def _load_library() -> Any:
    """Return the JUnit library: 50 ms that only runs with a report pay."""
    return importlib.import_module("junitparser")


def _to_case(library: Any, test: ReportedTest) -> Any:
    case = library.TestCase(
        clean(test.name), clean(test.class_name), round(test.seconds, 3)
    )
    kinds = {
        "failure": library.Failure,
        "error": library.Error,
        "skipped": library.Skipped,
    }
    if test.verdict is not None:
        case.result = [kinds[test.verdict](clean(test.message), test.kind)]
    return case
