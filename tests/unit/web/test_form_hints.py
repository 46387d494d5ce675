"""The hints of the launch form: every field once, and nothing that does not exist."""

from typing import Any

import pytest

from scriptrunner.web import form_hints
from scriptrunner.web.schemas.run_request import RunRequest


def make_document() -> dict[str, Any]:
    return {"components": {"schemas": {"RunRequest": RunRequest.model_json_schema()}}}


@pytest.fixture
def schema() -> dict[str, Any]:
    document = form_hints.apply(make_document())
    found: dict[str, Any] = document["components"]["schemas"]["RunRequest"]
    return found


def test_every_field_of_a_run_has_a_hint() -> None:
    assert set(form_hints.HINTS) == set(RunRequest.model_fields)


def test_hints_are_part_of_the_schema(schema: dict[str, Any]) -> None:
    hint = schema["properties"]["timeout"]["x-form"]
    assert hint["unit"] == "s"
    assert hint["group"] == "limits"


def test_order_of_the_form_has_no_ties(schema: dict[str, Any]) -> None:
    orders = [each["x-form"]["order"] for each in schema["properties"].values()]
    assert sorted(orders) == list(range(len(orders)))


@pytest.mark.parametrize("name", form_hints.HINTS)
def test_hint_is_complete(name: str) -> None:
    hint = form_hints.HINTS[name]
    assert hint["group"] in {group["key"] for group in form_hints.GROUPS}
    assert hint["label"]
    assert hint["help"]
    assert hint["widget"] in {
        "script", "args", "env", "text", "number", "select", "switch",
        "gates", "alerts", "secret", "folder",
    }  # fmt: skip


@pytest.mark.parametrize("name", form_hints.HINTS)
def test_shown_when_names_a_switch(name: str) -> None:
    switch = form_hints.HINTS[name].get("shown_when")
    assert switch is None or form_hints.HINTS[switch]["widget"] == "switch"


@pytest.mark.parametrize("name", form_hints.HINTS)
def test_choices_come_from_the_schema(schema: dict[str, Any], name: str) -> None:
    is_choice = form_hints.HINTS[name]["widget"] == "select"
    assert is_choice == ("enum" in schema["properties"][name])


def test_document_without_the_schema_is_left_alone() -> None:
    assert form_hints.apply({"paths": {}}) == {"paths": {}}
