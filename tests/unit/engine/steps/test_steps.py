"""The order of the steps, and what a defect in one of them does."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from scriptrunner.engine import steps
from scriptrunner.engine.events import DATA_KEYS
from scriptrunner.engine.outcomes import GATES_FAILED, outcome_of
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.steps import gates, is_any_wanted, work_through
from scriptrunner.engine.steps.ending import Findings
from scriptrunner.engine.steps.prices import PriceChoice, find_rates
from scriptrunner.engine.visualizer import STAGES
from tests.unit.engine.steps.endings import make_ending

BAD = {"metric": "cpu_max", "max_value": 80}
FULL: dict[str, Any] = {
    "performance_gates": [BAD],
    "junit_output": "r.xml",
    "save_baseline": "b.json",
    "load_baseline": "b.json",
    "enable_cost_tracking": True,
}


def test_a_plain_run_wants_none():
    assert not is_any_wanted(RunOptions().to_json())


@pytest.mark.parametrize("name", FULL)
def test_each_option_is_a_reason(name):
    assert is_any_wanted(RunOptions(**{name: FULL[name]}).to_json())


def test_every_step_has_a_stage_of_the_report():
    names = [step.STAGE for step in steps.ORDER]
    assert set(names) <= {stage for stage, _ in STAGES}
    assert len(set(names)) == len(names)


def test_events_hold_the_keys_that_are_promised():
    ending = make_ending(**FULL, found=Findings(rates=find_rates(PriceChoice())))
    work_through(ending)
    types = [event.event_type for event in ending.events]
    assert types == ["cost", "gates", "baseline", "baseline", "junit"]
    for event in ending.events:
        assert event.data.keys() == set(DATA_KEYS[event.event_type])


@pytest.mark.parametrize("place", ["result", "event", "details"])
def test_what_no_record_can_hold_does_not_keep_a_run_from_ending(monkeypatch, place):
    def overdo(ending):
        ending.result["performance_gates_passed"] = True
        value = {"passed": math.inf}
        if place == "result":
            ending.result["performance_gates_results"] = [value]
        ending.note("gates", **(value if place == "event" else {}))
        return value if place == "details" else {}

    monkeypatch.setattr(gates, "work", overdo)
    ending = make_ending(performance_gates=[BAD], junit_output="r.xml")
    work_through(ending)
    assert ending.stages["Gates"].details == {"error": "internal error (ValueError)"}
    assert ending.result["junit_output"] == "r.xml"
    assert ending.result.keys() == {"junit_output"}
    assert [event.event_type for event in ending.events] == ["junit"]


def test_only_a_success_can_fail_its_gates():
    ending = make_ending(performance_gates=[BAD])
    work_through(ending)
    assert ending.final_outcome is GATES_FAILED
    failed = outcome_of("exit", 1)
    ending = make_ending(performance_gates=[BAD], outcome=failed)
    work_through(ending)
    assert ending.final_outcome is failed
    assert ending.result["performance_gates_passed"] is False


def test_a_defect_in_a_step_does_not_keep_the_run_from_ending(monkeypatch):
    monkeypatch.setattr(gates, "evaluate", lambda *_: 1 / 0)
    ending = make_ending(**FULL, found=Findings(rates=find_rates(PriceChoice())))
    work_through(ending)
    assert ending.stages["Gates"].status == "error"
    assert ending.stages["Gates"].details == {
        "error": "internal error (ZeroDivisionError)"
    }
    assert ending.stages["JUnit"].status == "done"
    # What was not looked at has not passed.
    assert ending.final_outcome is GATES_FAILED
    assert "baseline_saved" not in ending.result


def test_costs_without_prices_say_so():
    ending = make_ending(enable_cost_tracking=True)
    work_through(ending)
    assert ending.metrics["cost_total"] is None
    assert "cost" not in ending.result
    assert ending.events[0].data["error"] == "no price table"


def test_each_step_is_small():
    """One option of a run per file; where options meet, files grow for ever."""
    folder = Path(steps.__file__).parent
    for path in folder.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 260, path.name
        assert not re.search(r"sqlalchemy|fastapi", path.read_text()), path.name
