"""The parts of a parsed alert condition, and what each is worth.

Every metric is held as the range in which it lies: a final value is a range of one point,
and what is known while a script runs is a range with one open end. Logic has three values,
true, false and unknown (None), joined as in Kleene's logic (ADR 0016).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

#: Lowest and highest possible value of a metric, both included.
Range = tuple[float, float]


class Node(Protocol):
    """A part that is true, false or unknown."""

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        """Return whether it holds; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Value:
    """A metric (by its canonical name), or a number if ``name`` is None."""

    name: str | None
    number: float = 0.0

    def range_in(self, ranges: Mapping[str, Range]) -> Range | None:
        """Return where the value lies; None for a metric that is missing."""
        if self.name is None:
            return self.number, self.number
        return ranges.get(self.name)

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        """Return whether it is not 0."""
        found = self.range_in(ranges)
        return None if found is None else _differs(found, (0.0, 0.0))


def _is_less(left: Range, right: Range) -> bool | None:
    if left[1] < right[0]:
        return True
    return False if left[0] >= right[1] else None


def _is_at_most(left: Range, right: Range) -> bool | None:
    if left[1] <= right[0]:
        return True
    return False if left[0] > right[1] else None


def _differs(left: Range, right: Range) -> bool | None:
    if left[1] < right[0] or right[1] < left[0]:
        return True
    are_points = left[0] == left[1] == right[0] == right[1]
    return False if are_points else None


def _negate(value: bool | None) -> bool | None:
    return None if value is None else not value


_COMPARISONS: Mapping[str, Callable[[Range, Range], bool | None]] = {
    "<": _is_less,
    "<=": _is_at_most,
    ">": lambda left, right: _is_less(right, left),
    ">=": lambda left, right: _is_at_most(right, left),
    "!=": _differs,
    "==": lambda left, right: _negate(_differs(left, right)),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values and one of the six operators."""

    operator: str
    left: Value
    right: Value

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        """Return whether it holds wherever in their ranges the values are."""
        left, right = self.left.range_in(ranges), self.right.range_in(ranges)
        if left is None or right is None:
            return None
        return _COMPARISONS[self.operator](left, right)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of its operand."""

    operand: Node

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        """Return the opposite; that of unknown is unknown."""
        return _negate(self.operand.evaluate(ranges))


@dataclass(frozen=True, slots=True)
class Joined:
    """Operands joined by ``or`` (decided by one true) or ``and`` (by one false)."""

    decisive: bool
    operands: tuple[Node, ...]

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        """Return the decisive value if any operand has it, else what all agree on."""
        values = [each.evaluate(ranges) for each in self.operands]
        if self.decisive in values:
            return self.decisive
        return None if None in values else not self.decisive
