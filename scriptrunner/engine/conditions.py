"""Alert conditions: a small grammar of its own, parsed once and never run as code.

::

    expr  := and ("or" and)*
    and   := not ("and" not)*
    not   := "not" not | "(" expr ")" | cmp
    cmp   := value (("<" | "<=" | ">" | ">=" | "==" | "!=") value)?
    value := metric | number | "true" | "false"

Keywords come in any case; there are no chains, no calls, no arithmetic. What a condition
is worth is decided in ``engine/condition_tree.py`` (ADR 0016).
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeGuard

from scriptrunner.engine.condition_tree import (
    Comparison,
    Joined,
    Node,
    Not,
    Range,
    Value,
)
from scriptrunner.engine.metric_names import METRIC_NAME, canonical

#: Characters of a condition at most.
MAX_CHARACTERS = 500
#: Levels of parentheses and ``not`` inside each other at most.
MAX_LEVELS = 32

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


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition; ``parse`` makes one."""

    #: As it was written.
    text: str
    #: Canonical names of its metrics, in order of appearance, each once.
    names: tuple[str, ...]
    _root: Node = field(repr=False)

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

    def _or(self) -> Node:
        operands = [self._and()]
        while self._take("or"):
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else Joined(True, tuple(operands))

    def _and(self) -> Node:
        operands = [self._not()]
        while self._take("and"):
            operands.append(self._not())
        return operands[0] if len(operands) == 1 else Joined(False, tuple(operands))

    def _not(self) -> Node:
        token = self._token
        if self._take("not"):
            self._go_deeper(token)
            operand: Node = Not(self._not())
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

    def _comparison(self) -> Node:
        left = self._value()
        token = self._token
        if token.kind != "operator":
            return left
        self._step()
        return Comparison(token.text, left, self._value())

    def _value(self) -> Value:
        token = self._token
        if token.kind == "number":
            value = Value(None, self._number(token))
        elif token.kind == "keyword" and token.text in ("true", "false"):
            value = Value(None, float(token.text == "true"))
        elif token.kind == "name":
            value = Value(self._name(token))
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
