"""Alert conditions: a small grammar of its own, parsed once and never run as code.

::

    expr  := and ("or" and)*
    and   := not ("and" not)*
    not   := "not" not | "(" expr ")" | cmp
    cmp   := value (("<" | "<=" | ">" | ">=" | "==" | "!=") value)?
    value := metric | number | "true" | "false"

Keywords come in any case; there are no chains, no calls, no arithmetic. Logic has three
values, true, false and unknown, because a metric may be missing. Every metric is held as
the range in which it lies: a final value is a range of one point, and what is known while
a script runs is a range with one open end. So the same evaluation serves both (ADR 0016).
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeGuard

from scriptrunner.engine.metric_names import METRIC_NAME, canonical

#: Characters of a condition at most.
MAX_CHARACTERS = 500
#: Levels of parentheses and ``not`` inside each other at most.
MAX_LEVELS = 32

#: Lowest and highest possible value of a metric, both included.
Range = tuple[float, float]

_TOKEN = re.compile(
    r"""(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<operator><=|>=|==|!=|<|>)
      | (?P<bracket>[()])""",
    re.VERBOSE | re.ASCII,
)
_SPACE = re.compile(r"[ \t\r\n]*")
_KEYWORDS = frozenset({"and", "or", "not", "true", "false"})
#: What people write who think of another language.
_HINTS = {
    "=": "use == to compare",
    "&": "use the word and",
    "|": "use the word or",
    "!": "use the word not, or !=",
    "'": "texts cannot be compared, only metrics and numbers",
    '"': "texts cannot be compared, only metrics and numbers",
}


class ConditionError(ValueError):
    """A condition that is none. ``column`` counts characters from 1."""

    def __init__(self, problem: str, *, column: int) -> None:
        """Keep where the fault is and what it is."""
        super().__init__(f"column {column}: {problem}")
        self.problem = problem
        self.column = column


class _Node(Protocol):
    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        """Return whether it holds; None if that is not known."""


@dataclass(frozen=True, slots=True)
class _Value:
    """A metric (by its canonical name), or a number if ``name`` is None."""

    name: str | None
    number: float = 0.0

    def range_in(self, ranges: Mapping[str, Range]) -> Range | None:
        if self.name is None:
            return self.number, self.number
        return ranges.get(self.name)

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
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
class _Comparison:
    operator: str
    left: _Value
    right: _Value

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        left, right = self.left.range_in(ranges), self.right.range_in(ranges)
        if left is None or right is None:
            return None
        return _COMPARISONS[self.operator](left, right)


@dataclass(frozen=True, slots=True)
class _Not:
    operand: _Node

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        return _negate(self.operand.evaluate(ranges))


@dataclass(frozen=True, slots=True)
class _Joined:
    """Operands joined by ``or`` (decided by one true) or ``and`` (by one false)."""

    decisive: bool
    operands: tuple[_Node, ...]

    def evaluate(self, ranges: Mapping[str, Range]) -> bool | None:
        values = [each.evaluate(ranges) for each in self.operands]
        if self.decisive in values:
            return self.decisive
        return None if None in values else not self.decisive


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition; ``parse`` makes one."""

    #: As it was written.
    text: str
    #: Canonical names of its metrics, in order of appearance, each once.
    names: tuple[str, ...]
    _root: _Node = field(repr=False)

    def evaluate(self, metrics: Mapping[str, Any]) -> bool | None:
        """Return whether the condition holds for final metrics.

        Args:
            metrics: By canonical name. Booleans count as 1 and 0; what is missing, None,
                not finite or no number is unknown.

        Returns:
            None if the known metrics do not decide it.
        """
        return self._root.evaluate(_points(self.values(metrics)))

    def is_decided(self, ranges: Mapping[str, Range]) -> bool:
        """Return whether the condition is true whatever the metrics will be.

        Args:
            ranges: Where each metric will lie in the end, as far as that is known.
        """
        return self._root.evaluate(ranges) is True

    def values(self, metrics: Mapping[str, Any]) -> dict[str, float | bool]:
        """Return the known values of its metrics, by canonical name."""
        found = ((name, metrics.get(name)) for name in self.names)
        return {name: value for name, value in found if _is_number(value)}

    def missing(self, metrics: Mapping[str, Any]) -> list[str]:
        """Return which of its metrics have no value."""
        return [name for name in self.names if not _is_number(metrics.get(name))]


def _is_number(value: object) -> TypeGuard[float | bool]:
    return isinstance(value, int | float) and math.isfinite(value)


def _points(values: Mapping[str, float | bool]) -> dict[str, Range]:
    return {name: (value, value) for name, value in values.items()}


def parse(text: str) -> Condition:
    """Return the condition that ``text`` says.

    Names need only have the form of a metric's name: one that is never measured is
    unknown when the condition is evaluated.

    Raises:
        ConditionError: If it is empty, longer than 500 characters, nested deeper than
            32 levels, or not in the grammar; with the column of the fault.
    """
    if len(text) > MAX_CHARACTERS:
        raise ConditionError(
            f"a condition has at most {MAX_CHARACTERS} characters",
            column=MAX_CHARACTERS + 1,
        )
    return _Parser(text).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    #: ``number``, ``name``, ``keyword``, ``operator``, ``bracket`` or ``end``.
    kind: str
    text: str
    column: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text[:40])


def _tokens(text: str) -> Iterable[_Token]:
    position = 0
    while True:
        position = _SPACE.match(text, position).end()  # type: ignore[union-attr]
        column = position + 1
        if position == len(text):
            yield _Token("end", "", column)
            return
        found = _TOKEN.match(text, position)
        if found is None:
            _refuse_character(text, position)
        kind, word = str(found.lastgroup), found.group()
        if kind == "word":
            is_keyword = word.lower() in _KEYWORDS
            kind = "keyword" if is_keyword else "name"
            word = word.lower() if is_keyword else word
        yield _Token(kind, word, column)
        position = found.end()


def _refuse_character(text: str, position: int) -> NoReturn:
    character = text[position]
    if character.isdecimal() or character in "-+.":
        problem = "a number is written like 12, -0.5 or 1e3, and there is no arithmetic"
    else:
        hint = _HINTS.get(character, "only metrics, numbers, and, or, not, < > = ( )")
        problem = f"{character!a} cannot stand here: {hint}"
    raise ConditionError(problem, column=position + 1)


class _Parser:
    """Recursive descent, one method per rule of the grammar; used once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = iter(_tokens(text))
        self._token = next(self._tokens)
        self._level = 0
        self._names: dict[str, None] = {}

    def parse(self) -> Condition:
        root = self._or()
        token = self._token
        if token.kind == "operator":
            self._fail(
                "comparisons cannot be chained or follow a bracket; join with and"
            )
        if token.kind != "end":
            self._fail(f"expected and, or, or the end, found {token.shown}")
        return Condition(self._text, tuple(self._names), root)

    def _step(self) -> None:
        self._token = next(self._tokens)

    def _take(self, text: str) -> bool:
        """Step over the next token if it is the keyword or bracket ``text``."""
        token = self._token
        if token.kind in ("keyword", "bracket") and token.text == text:
            self._step()
            return True
        return False

    def _fail(self, problem: str, token: _Token | None = None) -> NoReturn:
        raise ConditionError(problem, column=(token or self._token).column)

    def _or(self) -> _Node:
        operands = [self._and()]
        while self._take("or"):
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else _Joined(True, tuple(operands))

    def _and(self) -> _Node:
        operands = [self._not()]
        while self._take("and"):
            operands.append(self._not())
        return operands[0] if len(operands) == 1 else _Joined(False, tuple(operands))

    def _not(self) -> _Node:
        token = self._token
        if self._take("not"):
            self._go_deeper(token)
            operand: _Node = _Not(self._not())
        elif self._take("("):
            self._go_deeper(token)
            operand = self._or()
            if not self._take(")"):
                self._fail_unclosed(token)
        else:
            return self._comparison()
        self._level -= 1
        return operand

    def _go_deeper(self, token: _Token) -> None:
        self._level += 1
        if self._level > MAX_LEVELS:
            self._fail(f"nested deeper than {MAX_LEVELS} levels", token)

    def _fail_unclosed(self, opened: _Token) -> NoReturn:
        token = self._token
        if token.kind == "operator":
            self._fail(
                "comparisons cannot be chained or follow a bracket; join with and"
            )
        self._fail(
            f"expected ) for the bracket at column {opened.column}, found {token.shown}"
        )

    def _comparison(self) -> _Node:
        left = self._value()
        token = self._token
        if token.kind != "operator":
            return left
        self._step()
        return _Comparison(token.text, left, self._value())

    def _value(self) -> _Value:
        token = self._token
        if token.kind == "number":
            value = _Value(None, self._number(token))
        elif token.kind == "keyword" and token.text in ("true", "false"):
            value = _Value(None, float(token.text == "true"))
        elif token.kind == "name":
            value = _Value(self._name(token))
        else:
            self._fail(f"expected a metric or a number, found {token.shown}")
        self._step()
        return value

    def _number(self, token: _Token) -> float:
        number = float(token.text)
        if not math.isfinite(number):
            self._fail("the number is too large", token)
        return number

    def _name(self, token: _Token) -> str:
        if not METRIC_NAME.fullmatch(token.text):
            self._fail(
                "a metric is named by small letters, digits and _, at most 64", token
            )
        name = canonical(token.text)
        self._names[name] = None
        return name
