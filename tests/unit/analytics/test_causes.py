"""What is blamed for a shift, and what is not."""

from dataclasses import replace

from scriptrunner.analytics.causes import Cause, find_causes
from scriptrunner.analytics.change_points import find_levels
from scriptrunner.history.models import Point
from tests.unit.analytics.simulations import BEGIN

PLAIN = Point(1, "r", BEGIN, 0.0, "/srv/etl.py", "v1", 1, "3.11", "Linux")


def causes_of(**attributes):
    """Shift a series of 40 at 20; attributes give a value per run."""
    points = [
        replace(
            PLAIN,
            value=(1.0 if place < 20 else 2.0) + place % 3 / 100,
            **{name: each(place) for name, each in attributes.items()},
        )
        for place in range(40)
    ]
    (shift,) = find_levels([point.value for point in points]).shifts
    assert shift.index == 20
    return find_causes(points, shift, begin=0, end=40)


def test_nothing_changed():
    assert causes_of() == []


def test_the_version_of_the_script():
    found = causes_of(script_sha256=lambda n: "v1" if n < 20 else "v2")
    assert found == [Cause("version", 20)]


def test_the_arguments_and_the_interpreter():
    assert causes_of(args_key=lambda n: n >= 20) == [Cause("arguments", 20)]
    assert causes_of(python_version=lambda n: "3.11" if n < 20 else "3.14") == [
        Cause("interpreter", 20)
    ]


def test_all_that_changed_is_named_the_version_first():
    found = causes_of(args_key=lambda n: n >= 20, script_sha256=lambda n: f"v{n >= 20}")
    assert [cause.kind for cause in found] == ["version", "arguments"]


def test_a_change_some_runs_away_counts_one_far_away_does_not():
    assert causes_of(args_key=lambda n: n >= 22) == [Cause("arguments", 22)]
    assert causes_of(args_key=lambda n: n >= 30) == []


def test_alternating_arguments_are_no_cause():
    assert causes_of(args_key=lambda n: n % 2) == []
    assert causes_of(args_key=lambda n: n) == []


def test_a_version_that_comes_back_is_no_cause():
    assert causes_of(script_sha256=lambda n: "v2" if n in (20, 21) else "v1") == []
