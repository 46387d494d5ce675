"""Strict JSON: what a lenient parser lets pass is a fault here."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.errors import MalformedInputError
from scriptrunner.web.json_text import MAX_DEPTH, NotJsonError, parse_bytes, parse_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=20,
)  # fmt: skip


def kind_of(text):
    with pytest.raises(MalformedInputError) as caught:
        parse_text(text)
    return caught.value.faults[0]["type"]


@given(VALUES)
def test_every_json_value_comes_back(value):
    assert parse_bytes(json.dumps(value).encode()) == value
    assert parse_bytes(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('[{"b": {"a": 1, "a": 1}}]', "duplicate_key"),
        ("NaN", "finite_number"),
        ("[-Infinity]", "finite_number"),
        ("1e400", "finite_number"),
        ("9" * 5_000, "finite_number"),
        ('"\\ud800"', "string_unicode"),
        ('{"\\udc00": 1}', "string_unicode"),
        ("[" * 33 + "]" * 33, "too_deep"),
        ("[" * 100_000, "too_deep"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "too_deep"),
    ],
)
def test_what_is_refused_is_named(text, kind):
    assert kind_of(text) == kind


def test_the_deepest_nesting_passes():
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(parse_text(text)).replace(" ", "") == text


def test_many_brackets_side_by_side_are_not_deep():
    assert len(parse_text("[" + "[]," * 1_000 + "[]]")) == 1_001


def test_a_pair_of_surrogates_is_a_character():
    assert parse_text('"\\ud83d\\ude00"') == "\U0001f600"


def test_a_surrogate_in_the_script_path_is_left_to_the_path_rules():
    assert parse_text('{"script_path": "\\ud800"}') == {"script_path": "\ud800"}


@pytest.mark.parametrize("text", ["", "{", "nonsense", "1 2", "'x'", "[1,]"])
def test_what_is_no_json_is_said_to_be_none(text):
    with pytest.raises(NotJsonError):
        parse_text(text)


@given(st.text())
def test_no_text_at_all_ends_in_another_error(text):
    try:
        parse_text(text)
    except (NotJsonError, MalformedInputError):
        return
