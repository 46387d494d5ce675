"""Cycles and unknown tasks, by name."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.scheduler.dependencies import find_cycle, find_problems

EDGES = {"a": ["b"], "b": ["c"], "c": [], "d": ["a", "c"]}


@pytest.mark.parametrize(
    ("task", "wanted", "problem"),
    [
        ("new", ["a", "c"], None),
        ("c", ["a"], "the dependencies form a cycle: c -> a -> b -> c"),
        ("a", ["a"], "a cannot depend on itself"),
        ("new", ["zz"], "there is no task zz"),
        ("b", ["d"], "the dependencies form a cycle: b -> d -> a -> b"),
    ],
)
def test_what_is_wrong_is_named(task, wanted, problem):
    found = find_problems(task, wanted, EDGES)
    assert found == ([] if problem is None else [problem])


names = st.sampled_from("abcdef")


@given(st.dictionaries(names, st.lists(names, max_size=4)), names)
def test_a_cycle_is_found_exactly_if_there_is_one(edges, start):
    reached, todo = set(), list(edges.get(start, ()))
    while todo:
        each = todo.pop()
        if each not in reached:
            reached.add(each)
            todo += edges.get(each, ())
    cycle = find_cycle(edges, start)
    assert (cycle is not None) == (start in reached)
    if cycle is not None:
        assert cycle[0] == cycle[-1] == start
        assert all(b in edges[a] for a, b in itertools.pairwise(cycle))
