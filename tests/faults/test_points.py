"""The list of fault points and the code agree."""

import re
from pathlib import Path

import pytest

from scriptrunner import fault_points
from scriptrunner.fault_points import POINTS, WRITES
from tests.faults.points import ALONE, LOSING, NEEDS, PARTS, part_of
from tests.faults.t03_points import make_cases
from tests.server import PROJECT

OWN_FILE = PROJECT / "scriptrunner" / "fault_points.py"
NAME = re.compile(r'"([a-z]+\.[a-z_]+)"')


def list_named() -> set[str]:
    """Return every text of the package that looks like a point's name."""
    sources = set(PROJECT.glob("scriptrunner/**/*.py")) - {OWN_FILE}
    return {name for path in sources for name in NAME.findall(path.read_text())}


def test_every_point_of_the_list_is_in_the_code():
    assert POINTS - list_named() == set()


def test_every_point_of_the_code_is_in_the_list():
    calls = re.compile(r'(?:pass_point\(\s*|point=)"([^"]+)"')
    sources = set(PROJECT.glob("scriptrunner/**/*.py")) - {OWN_FILE}
    called = {name for path in sources for name in calls.findall(path.read_text())}
    assert called - POINTS == set()


def test_every_point_has_a_part_of_the_service_and_a_case():
    assert all(part_of(point) in PARTS.values() for point in POINTS)
    struck = {
        (fault.point, fault.kind) for case in make_cases(1) for fault in case.faults
    }
    assert {point for point, kind in struck if kind == "kill"} == POINTS
    assert {point for point, kind in struck if kind == "enospc"} == WRITES
    assert {point for point, kind in struck if kind == "eio"} == WRITES


def test_what_the_tests_know_of_points_are_points():
    assert POINTS >= LOSING
    assert {*NEEDS, *NEEDS.values(), *ALONE, *ALONE.values()} <= POINTS


@pytest.mark.parametrize(
    "text", ["shim.nowhere:1:kill", "shim.start:1:explode", "shim.start:1:enospc"]
)
def test_a_fault_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError, match="WEBAPI_FAULT"):
        fault_points._parse(text)


def test_a_point_costs_nothing_without_a_plan(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(fault_points, "_FOLDER", str(tmp_path))
    fault_points.pass_point("shim.start")
    assert list(tmp_path.iterdir()) == []


def test_a_fault_strikes_once_at_its_time(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(fault_points, "_FOLDER", str(tmp_path))
    monkeypatch.setattr(fault_points, "_PLAN", {"control.end": (2, "enospc")})
    fault_points.pass_point("control.end")
    with pytest.raises(OSError, match="No space left"):
        fault_points.pass_point("control.end")
    fault_points.pass_point("control.end")
    assert (tmp_path / "control.end.done").exists()
