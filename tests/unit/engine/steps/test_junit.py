"""JUnit reports: read back by a JUnit library, and by the rules of the common schema."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from scriptrunner.engine.outcomes import outcome_of
from scriptrunner.engine.result import Outputs, Tail
from scriptrunner.engine.steps import work_through
from scriptrunner.engine.steps.ending import Findings
from scriptrunner.engine.steps.junit import clean, render
from tests.unit.engine.steps.endings import MemoryFiles, make_ending

GATE = {"metric": "cpu_max", "max_value": 80}

#: The part of the common schema (that of Jenkins and of Ant) that a report can use:
#: attributes that are needed and that may be, and children in their order.
SCHEMA: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (
        set(),
        {"name", "time", "tests", "failures", "errors", "skipped"},
        ["testsuite"],
    ),
    "testsuite": (
        {"name", "tests"},
        {"failures", "errors", "time", "skipped", "timestamp", "hostname", "id"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": (
        {"name"},
        {"classname", "time", "status", "assertions"},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "failure": (set(), {"type", "message"}, []),
    "error": (set(), {"type", "message"}, []),
    "skipped": (set(), {"type", "message"}, []),
    "system-out": (set(), set(), []),
    "system-err": (set(), set(), []),
}


def parse(document: bytes) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own


def check_schema(element: ET.Element) -> None:
    needed, optional, children = SCHEMA[element.tag]
    names = set(element.attrib)
    assert needed <= names <= needed | optional, element.tag
    for name in names & {"tests", "failures", "errors", "skipped"}:
        assert int(element.attrib[name]) >= 0
    if "time" in names:
        assert float(element.attrib["time"]) >= 0
    places = [children.index(child.tag) for child in element]
    assert places == sorted(places)
    for child in element:
        check_schema(child)


def report(**more: Any) -> Any:
    """Return the one suite of a report, after the schema has been checked."""
    ending = make_ending(junit_output="r.xml", **more)
    work_through(ending)
    document = ending.files.contents["r.xml"]  # type: ignore[attr-defined]
    check_schema(parse(document))
    (suite,) = JUnitXml.fromstring(document)
    return suite


def test_the_example_of_the_reference():
    suite = report(performance_gates=[GATE])
    assert (suite.name, suite.tests, suite.failures) == ("nightly.py", 2, 1)
    assert (suite.errors, suite.skipped, suite.time) == (0, 0, 0.109)
    assert suite.timestamp == "2026-11-23T10:00:27Z"
    assert [(each.name, each.value) for each in suite.properties()] == [
        ("run_id", "d2a1892c-7b2e-4d43-8f0e-a0e7d2b8e6ff")
    ]
    script, gate = suite
    assert (script.classname, script.name) == ("nightly.py", "script exits with 0")
    assert (script.time, script.is_passed) == (0.109, True)
    assert (gate.classname, gate.name) == ("nightly.py.gates", "cpu_max <= 80")
    assert gate.result[0].type == "gate"
    assert gate.result[0].message == "cpu_max = 91.5 exceeds max 80"


@pytest.mark.parametrize(
    ("reason", "exit_code", "tag", "kind"),
    [
        ("exit", 3, "failure", "exit_code"),
        ("exit", -9, "failure", "signal"),
        ("timeout", -15, "error", "timeout"),
        ("lost", None, "error", "lost"),
        ("scan_blocked", None, "error", "scan_blocked"),
        ("stop", -15, "error", "stopped"),
    ],
)
def test_how_the_script_failed_is_told(reason, exit_code, tag, kind):
    outcome = outcome_of(reason, exit_code)
    (case,) = report(outcome=outcome, error="in words")
    (result,) = case.result
    assert (result._tag, result.type, result.message) == (tag, kind, "in words")


def test_every_scan_is_a_test():
    scans = {
        "secrets": {"status": "findings", "blocked": True, "counts": {"HIGH": 1}},
        "code_analysis": {"status": "clean", "blocked": False, "duration_s": 0.25},
        "dependencies": {"status": "unavailable", "reason": "no advisory data"},
    }
    suite = report(found=Findings(scans=scans))
    cases = {case.name: case for case in suite if case.classname.endswith(".scans")}
    assert list(cases) == list(scans)
    assert cases["secrets"].result[0].message == "1 HIGH"
    assert cases["code_analysis"].is_passed
    assert cases["code_analysis"].time == 0.25
    assert cases["dependencies"].is_skipped


def test_output_is_kept_and_cannot_break_the_report():
    text = "a\x00b\x1b[31m\ud800 & <x> ]]> \ufffe\U0001f600\n"
    outputs = Outputs(stdout=Tail(text, False), stderr=Tail("err", False))
    ending = make_ending(junit_output="r.xml", outputs=outputs, script_name="\x1b.py")
    root = parse(render(ending))
    shown = root.findtext("testsuite/system-out")
    assert shown == "a\ufffdb\ufffd[31m\ufffd & <x> ]]> \ufffd\U0001f600\n"
    assert root.findtext("testsuite/system-err") == "err"
    assert root[0].attrib["name"] == "\ufffd.py"


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_any_text_gives_well_formed_xml(text, name):
    outputs = Outputs(stdout=Tail(text, False))
    ending = make_ending(outputs=outputs, script_name=name, junit_output="r.xml")
    root = parse(render(ending))
    # A parser reads every line end as one newline.
    expected = clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert (root.findtext("testsuite/system-out") or "") == expected


def test_a_report_that_cannot_be_written_changes_nothing():
    files = MemoryFiles(error="No space left on device")
    ending = make_ending(junit_output="r.xml", files=files)
    work_through(ending)
    assert ending.result["junit_error"] == "No space left on device"
    assert ending.final_outcome is ending.outcome
    (event,) = ending.events
    assert event.data["error"] == "No space left on device"
    assert ending.stages["JUnit"].status == "error"
