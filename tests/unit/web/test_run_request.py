"""The RunRequest at the door and the options inside are one list of fields."""

from dataclasses import fields
from typing import Any

import pytest

from scriptrunner.engine.plan import RunOptions
from scriptrunner.errors import MalformedInputError
from scriptrunner.web import form_body
from scriptrunner.web.schemas.run_request import (
    RunOptionsBody,
    RunRequest,
    validate,
)

NUMBERS = {
    "retry_max_attempts": (1, 20),
    "retry_initial_delay": (0, 86_400),
    "retry_max_delay": (0, 86_400),
    "retry_multiplier": (1, 100),
    "retry_max_time": (0, 604_800),
    "monitor_interval": (0.05, 60),
}


def is_accepted(**values):
    try:
        validate(RunOptionsBody, values)
    except MalformedInputError:
        return False
    return True


def is_accepted_inside(**values):
    try:
        RunOptions(**values).check()
    except MalformedInputError:
        return False
    return True


def test_names_and_defaults_are_the_same():
    assert set(RunOptionsBody.model_fields) == {
        each.name for each in fields(RunOptions)
    }
    assert RunOptionsBody().to_options() == RunOptions()


def test_the_request_has_the_script_path_besides():
    assert set(RunRequest.model_fields) - set(RunOptionsBody.model_fields) == {
        "script_path"
    }


@pytest.mark.parametrize("name", NUMBERS)
def test_ranges_are_the_same_at_the_door_and_inside(name):
    low, high = NUMBERS[name]
    step = 1 if name == "retry_max_attempts" else 0.001
    for value, expected in (
        (low, True),
        (high, True),
        (low - step, False),
        (high + step, False),
    ):
        assert is_accepted(**{name: value}) is expected, value
        assert is_accepted_inside(**{name: value}) is expected, value


def test_options_are_the_values_that_were_sent():
    body = validate(
        RunOptionsBody,
        {"args": ["a"], "timeout": 5.0, "log_level": "warning", "retry_max_delay": 7},
    )
    options = body.to_options()
    assert options == RunOptions(
        args=("a",), timeout=5, log_level="WARNING", retry_max_delay=7.0
    )


def test_every_field_has_one_way_through_a_form():
    ways = (
        form_body.WHOLE_FIELDS,
        form_body.NUMBER_FIELDS,
        form_body.SWITCH_FIELDS,
        form_body.JSON_FIELDS,
        {"args"},
        {"log_level", "retry_strategy", "working_dir", "visualizer_format"},
        {"history_db", "junit_output", "save_baseline", "load_baseline"},
        {"slack_webhook"},
    )
    names = [name for way in ways for name in way]
    assert sorted(names) == sorted(RunOptionsBody.model_fields)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("timeout", " 30 ", 30),
        ("timeout", "30.0", 30),
        ("timeout", "1e2", "1e2"),
        ("retry_max_delay", "2.5", 2.5),
        ("retry_max_delay", ".5", 0.5),
        ("retry_max_delay", "1e2", 100.0),
        ("retry_max_delay", "nan", "nan"),
        ("dry_run", "On", True),
        ("dry_run", "0", False),
        ("dry_run", "yes", "yes"),
        ("args", "x, y z,,w", ["x", "y z", "w"]),
        ("args", '["x", " y"]', ["x", " y"]),
        ("env_vars", '{"A": "1"}', {"A": "1"}),
        ("performance_gates", '[{"metric": "cpu"}]', [{"metric": "cpu"}]),
        ("enable_history", "off", False),
        ("working_dir", " a b ", " a b "),
    ],
)
def test_a_form_text_becomes_the_value_it_stands_for(name, text, value):
    assert form_body.to_value(name, text) == value


def test_faults_of_pydantic_name_the_way_to_the_value():
    with pytest.raises(MalformedInputError) as caught:
        validate(RunRequest, {"script_path": "x", "env_vars": {"A": {"B": 1}}})
    assert caught.value.faults[0]["loc"] == ("body", "env_vars", "A")


@pytest.mark.parametrize("value", [None, [], "x", 5, True])
def test_anything_but_an_object_is_a_fault_of_the_body(value):
    with pytest.raises(MalformedInputError) as caught:
        validate(RunRequest, value)
    assert caught.value.faults[0]["loc"] == ("body",)


GATE = {"metric": "cpu_max", "max_value": 80}
ALERT = {"condition": "cpu_max > 80"}


def test_rules_reach_the_options_with_their_defaults():
    body = validate(
        RunOptionsBody,
        {
            "performance_gates": [GATE],
            "alerts": [{**ALERT, "severity": "error", "channels": ["log"]}],
        },
    )
    options = body.to_options()
    options.check()
    assert options.to_json()["performance_gates"] == [
        {"metric": "cpu_max", "max_value": 80.0, "min_value": None}
    ]
    assert options.to_json()["alerts"] == [
        {
            "name": "api_alert",
            "condition": "cpu_max > 80",
            "channels": ["log"],
            "severity": "ERROR",
        }
    ]


@pytest.mark.parametrize(
    ("name", "entry", "place"),
    [
        ("performance_gates", {"metric": "cpu_max"}, []),
        ("performance_gates", {"max_value": 1}, ["metric"]),
        ("performance_gates", {**GATE, "metric": "__class__"}, ["metric"]),
        ("performance_gates", {**GATE, "metric": "cpu_max\n"}, ["metric"]),
        ("performance_gates", {**GATE, "metric": "a" * 65}, ["metric"]),
        ("performance_gates", {**GATE, "metric": 5}, ["metric"]),
        ("performance_gates", {**GATE, "max_value": "80"}, ["max_value"]),
        ("performance_gates", {**GATE, "max_value": True}, ["max_value"]),
        ("performance_gates", {**GATE, "max_value": float("nan")}, ["max_value"]),
        ("performance_gates", {**GATE, "min_value": float("inf")}, ["min_value"]),
        ("performance_gates", {**GATE, "max_value": 10**400}, ["max_value"]),
        ("performance_gates", {**GATE, "min_value": 81}, []),
        ("performance_gates", {**GATE, "max": 1}, ["max"]),
        ("performance_gates", "x", []),
        ("performance_gates", None, []),
        ("alerts", {}, ["condition"]),
        ("alerts", {"condition": "cpu_max >"}, ["condition"]),
        ("alerts", {"condition": "__import__('os')"}, ["condition"]),
        ("alerts", {"condition": "1 < " * 200}, ["condition"]),
        ("alerts", {"condition": 5}, ["condition"]),
        ("alerts", {**ALERT, "severity": "bad"}, ["severity"]),
        ("alerts", {**ALERT, "name": ""}, ["name"]),
        ("alerts", {**ALERT, "name": "a\x1b[2J"}, ["name"]),
        ("alerts", {**ALERT, "channels": "log"}, ["channels"]),
        ("alerts", {**ALERT, "channels": ["../x"]}, ["channels", 0]),
        ("alerts", {**ALERT, "chanels": []}, ["chanels"]),
        ("alerts", [], []),
    ],
)
def test_a_bad_rule_is_one_fault_at_its_place_at_the_door_and_inside(
    name, entry, place
):
    good = GATE if name == "performance_gates" else ALERT
    expected = ["body", name, 1, *place]
    with pytest.raises(MalformedInputError) as caught:
        validate(RunOptionsBody, {name: [good, entry]})
    assert [list(fault["loc"]) for fault in caught.value.faults] == [expected]
    options: dict[str, Any] = {name: [good, entry]}
    with pytest.raises(MalformedInputError) as caught:
        RunOptions(**options).check()
    assert [fault["loc"] for fault in caught.value.faults] == [expected]


def test_a_bad_condition_says_the_column():
    with pytest.raises(MalformedInputError, match="column 11") as caught:
        validate(RunOptionsBody, {"alerts": [{"condition": "cpu_max > and"}]})
    assert "column 11" in caught.value.faults[0]["msg"]


@pytest.mark.parametrize(
    ("name", "entry"), [("performance_gates", GATE), ("alerts", ALERT)]
)
def test_fifty_rules_pass_and_one_more_does_not(name, entry):
    for count, expected in ((50, True), (51, False)):
        assert is_accepted(**{name: [entry] * count}) is expected
        assert is_accepted_inside(**{name: [entry] * count}) is expected


def test_all_faults_of_a_body_come_at_once():
    with pytest.raises(MalformedInputError) as caught:
        validate(
            RunRequest,
            {"x": 1, "timeout": "1", "alerts": [{}], "performance_gates": [{}]},
        )
    names = {fault["loc"][1] for fault in caught.value.faults}
    assert names == {"script_path", "x", "timeout", "alerts", "performance_gates"}
