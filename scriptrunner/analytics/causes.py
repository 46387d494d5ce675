"""What changed where a level shifted: script version, arguments, or interpreter.

A change is named as a cause if it happened where the shift may lie, and if it is a real
one: what ran after it had hardly run before (since the last shift), and the other way
round. So arguments that alternate from run to run, or are new in every run, are no cause.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scriptrunner.analytics.change_points import Shift
from scriptrunner.history.models import Point

#: Runs beyond the interval of the shift in which a change still counts.
_SLACK = 3
#: Runs from the shift beyond which no change counts.
_FARTHEST = 10
#: Share of runs on the wrong side of a change that is forgiven.
_MIXED = 0.2


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that a run had and that may change."""

    #: ``version``, ``arguments`` or ``interpreter``.
    kind: str
    of: Callable[[Point], Any]


#: In the order in which they are blamed when several changed at once.
ATTRIBUTES = (
    Attribute("version", lambda point: point.script_sha256),
    Attribute("arguments", lambda point: point.args_key),
    Attribute("interpreter", lambda point: (point.python_version, point.platform)),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """A change that goes with a shift."""

    kind: str
    #: First run with the new value, counted from the oldest.
    index: int


def find_causes(
    points: Sequence[Point], shift: Shift, *, begin: int, end: int
) -> list[Cause]:
    """Return what changed where ``shift`` lies, likeliest first.

    Args:
        points: The series, all of one script.
        shift: One of its shifts.
        begin: First run of the level before the shift.
        end: The run after the last one of the level after it.
    """
    causes = []
    for attribute in ATTRIBUTES:
        values = [attribute.of(point) for point in points]
        places = [
            place
            for place in _places(shift, begin, end)
            if values[place] != values[place - 1]
            and _is_clean(values[begin:place], values[place:end])
        ]
        if places:
            nearest = min(places, key=lambda place: abs(place - shift.index))
            causes.append(Cause(attribute.kind, nearest))
    return sorted(causes, key=lambda cause: abs(cause.index - shift.index))


def _places(shift: Shift, begin: int, end: int) -> range:
    first = max(shift.earliest - _SLACK, shift.index - _FARTHEST, begin + 1)
    last = min(shift.latest + _SLACK, shift.index + _FARTHEST, end - 1)
    return range(first, last + 1)


def _is_clean(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Return whether hardly any value occurs on both sides, and values stay a while.

    What is different in every run, such as a date, was no more different here.
    """
    known_before, known_after = set(before), set(after)
    if 2 * len(known_before) > len(before) or 2 * len(known_after) > len(after):
        return False
    late = sum(value in known_before for value in after) / len(after)
    early = sum(value in known_after for value in before) / len(before)
    return late <= _MIXED and early <= _MIXED
