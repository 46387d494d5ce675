"""The RunRequest at the door and the options inside are one list of fields."""

from dataclasses import fields

import pytest

from scriptrunner.engine.plan import RunOptions
from scriptrunner.errors import MalformedInputError
from scriptrunner.web import form_body
from scriptrunner.web.schemas.run_request import (
    LATER_FIELDS,
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


def test_later_fields_are_none_of_todays():
    assert not LATER_FIELDS & set(RunRequest.model_fields)


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
