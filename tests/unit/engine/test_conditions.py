import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine.conditions import ConditionError, parse

METRICS = {
    "execution_time_seconds": 12.4,
    "cpu_max": 91.5,
    "memory_max_mb": 100.0,
    "exit_code": 0,
    "success": True,
    "timed_out": False,
    "status": "success",
    "cpu_min": None,
    "stdout_bytes": 5,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("execution_time_seconds > 10", True),
        ("cpu_max>91.5", False),
        ("cpu_max>=91.5", True),
        ("cpu_max <= 91.5", True),
        ("cpu_max < 91.5", False),
        ("exit_code == 0", True),
        ("exit_code != 0", False),
        ("exit_code == -1", False),
        ("memory_max_mb == 1e2", True),
        ("memory_max_mb == 1.0E+2", True),
        ("10 < duration", True),
        ("1 < 2", True),
        ("success", True),
        ("timed_out", False),
        ("exit_code", False),
        ("stdout_length", True),
        ("true", True),
        ("FALSE", False),
        ("success == True", True),
        ("not success", False),
        ("NOT timed_out And success", True),
        ("timed_out OR cpu > 90", True),
        ("false or false or true", True),
        ("true or true and false", True),
        ("(true or true) and false", False),
        ("not true or true", True),
        ("not (true or true)", False),
        ("not not not false", True),
        ("not cpu_max > 95", True),
        ("\tcpu_max\n>\r80 ", True),
        # Missing metrics: unknown
        ("cpu_min > 5", None),
        ("status == 0", None),
        ("no_such_metric > 5", None),
        ("cpu_min", None),
        ("not cpu_min", None),
        ("true or cpu_min", True),
        ("cpu_min or true", True),
        ("false or cpu_min", None),
        ("false and cpu_min", False),
        ("cpu_min and false", False),
        ("true and cpu_min", None),
        ("cpu_min == cpu_min", None),
    ],
)
def test_condition_holds_or_not_or_is_unknown(text, holds):
    assert parse(text).evaluate(METRICS) is holds


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "found the end"),
        ("   ", 4, "found the end"),
        ("cpu_max >", 10, "found the end"),
        ("cpu_max > 80 and", 17, "found the end"),
        ("> 80", 1, "expected a metric"),
        ("cpu_max 80", 9, "expected and, or, or the end"),
        ("1 < cpu_max < 5", 13, "cannot be chained"),
        ("(1 < cpu_max < 5)", 14, "cannot be chained"),
        ("(cpu_max) > 5", 11, "cannot be chained"),
        ("cpu_max > (5)", 11, "expected a metric"),
        ("(cpu_max > 5", 13, "expected ) for the bracket at column 1"),
        ("cpu_max > 5)", 12, "found ')'"),
        ("cpu_max = 5", 9, "=="),
        ("cpu_max > 5 && success", 13, "the word and"),
        ("cpu_max > 5 || success", 13, "the word or"),
        ("!success", 1, "the word not"),
        ("status == 'failed'", 11, "texts"),
        ("cpu_max + 5 > 9", 9, "no arithmetic"),
        ("cpu_max - 5 > 9", 9, "no arithmetic"),
        ("cpu_max > 5 -3", 13, "expected and"),
        ("cpu_max > .5", 11, "number"),
        ("cpu_max > 5.", 11, "number"),
        ("cpu_max > 5e", 11, "number"),
        ("cpu_max > 1_000", 11, "number"),
        ("cpu_max > 5x", 11, "number"),
        ("cpu_max > 0x10", 11, "number"),
        ("cpu_max > 1e400", 11, "too large"),
        ("cpu_max > ٣", 11, "number"),
        ("cpu_max > é", 11, "cannot stand here"),
        ("CPU_MAX > 5", 1, "small letters"),
        ("__class__ > 5", 1, "small letters"),
        ("a" * 65 + " > 5", 1, "small letters"),
        ("not", 4, "found the end"),
        ("true true", 6, "found 'true'"),
        ("__import__('os').system('id')", 1, "small letters"),
        ("().__class__", 2, "found ')'"),
        ("exit_code[0]", 10, "cannot stand here"),
        ("1 if success else 2", 3, "expected and"),
        ("exit_code; success", 10, "cannot stand here"),
        ("lambda: 1", 7, "cannot stand here"),
        ("2 ** 9", 3, "cannot stand here"),
        ("cpu_max > 5\0", 12, "cannot stand here"),
    ],
)
def test_fault_is_named_with_its_column(text, column, words):
    with pytest.raises(ConditionError) as caught:
        parse(text)
    assert (caught.value.column, words in caught.value.problem) == (column, True)
    assert str(caught.value).startswith(f"column {column}: ")


def test_condition_has_at_most_500_characters():
    padded = "cpu_max > 5".ljust(500)
    assert parse(padded).text == padded
    with pytest.raises(ConditionError) as caught:
        parse(padded + " ")
    assert caught.value.column == 501


@pytest.mark.parametrize("level", ["(", "not "])
def test_condition_is_nested_at_most_32_levels(level):
    closing = ")" if level == "(" else ""
    assert parse(level * 32 + "true" + closing * 32).evaluate({}) is True
    with pytest.raises(ConditionError, match="deeper than 32 levels"):
        parse(level * 33 + "true" + closing * 33)


def test_levels_beside_each_other_do_not_add_up():
    assert parse(" and ".join(["(not true)"] * 33)).evaluate({}) is False


def test_names_are_canonical_and_listed_once():
    condition = parse("exec_time > 1 or duration > 2 and num_threads > process_count")
    assert condition.names == (
        "execution_time_seconds",
        "num_threads_max",
        "process_count_max",
    )


def test_values_and_missing_metrics_are_told_apart():
    condition = parse("cpu > 5 and cpu_min > 1 and status > 0 and success")
    assert condition.values(METRICS) == {"cpu_max": 91.5, "success": True}
    assert condition.missing(METRICS) == ["cpu_min", "status"]


@pytest.mark.parametrize(
    ("text", "is_decided"),
    [
        ("memory_max_mb > 512", True),
        ("memory_max_mb >= 600", True),
        ("512 < memory_max_mb", True),
        ("memory_max_mb != 512", True),
        ("memory_max_mb", True),
        ("memory_max_mb > 600", False),
        ("memory_max_mb < 512", False),
        ("memory_max_mb == 600", False),
        ("not memory_max_mb <= 512", True),
        ("not memory_max_mb > 512", False),
        ("memory_max_mb > 512 or exit_code != 0", True),
        ("memory_max_mb > 512 and exit_code != 0", False),
        ("memory_max_mb > 512 and queue_time_seconds < 2", True),
        ("queue_time_seconds == 1.5", True),
        ("cpu_avg > 80", False),
    ],
)
def test_condition_is_decided_early_only_if_nothing_can_change_it(text, is_decided):
    ranges = {"memory_max_mb": (600.0, math.inf), "queue_time_seconds": (1.5, 1.5)}
    assert parse(text).is_decided(ranges) is is_decided


_NAMES = st.sampled_from(["cpu_max", "memory_max_mb", "exit_code"])
_NUMBERS = st.integers(-3, 3).map(str)
_VALUES = st.one_of(_NAMES, _NUMBERS, st.sampled_from(["true", "false"]))
_COMPARISONS = st.tuples(
    _VALUES, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _VALUES
).map(" ".join)
_CONDITIONS = st.recursive(
    st.one_of(_COMPARISONS, _VALUES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda x: f"({' and '.join(x)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda x: f"({' or '.join(x)})"),
        inner.map(lambda each: f"not ({each})"),
    ),
    max_leaves=8,
)
_METRICS = st.fixed_dictionaries(
    {name: st.integers(-3, 3) for name in ("cpu_max", "memory_max_mb", "exit_code")}
)


@given(_CONDITIONS, _METRICS)
def test_condition_means_what_python_makes_of_it(text, metrics):
    expected = bool(
        eval(  # noqa: S307 - the oracle: text made here
            text.replace("true", "True").replace("false", "False"), {}, metrics
        )
    )
    assert parse(text).evaluate(metrics) is expected


@given(_CONDITIONS, _METRICS, st.sets(_NAMES))
def test_known_answers_do_not_depend_on_what_is_missing(text, metrics, gone):
    some = {name: value for name, value in metrics.items() if name not in gone}
    condition = parse(text)
    assert condition.evaluate(some) in (None, condition.evaluate(metrics))


@given(_CONDITIONS, _METRICS, st.integers(0, 6))
def test_early_decisions_hold_in_the_end(text, metrics, more):
    ranges = {name: (float(value), math.inf) for name, value in metrics.items()}
    final = {name: value + more for name, value in metrics.items()}
    condition = parse(text)
    assert not condition.is_decided(ranges) or condition.evaluate(final) is True


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text):
    with suppress(ConditionError):
        assert parse(text).text == text
