"""Two runs side by side: what was asked, what came of it, and where texts differ.

Pure functions over records and bytes. Texts are compared by lines and capped, since a
difference is for people to read and its cost grows faster than its input.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

#: Lines of each side that are compared; of a longer text the last ones.
MAX_LINES = 2_000
#: Characters of a compared line.
MAX_LINE_CHARACTERS = 2_000
#: Lines of an answered difference.
MAX_DIFF_LINES = 2_000
#: Bytes of each side that are looked at, from the end.
MAX_BYTES = 512 << 10
#: Lines around a difference.
CONTEXT_LINES = 3

#: Metrics that name something rather than measure it.
_NOT_MEASURES = frozenset({"exit_code", "attempt_number", "timeout_seconds"})


def compare_options(
    left: Mapping[str, Any], right: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return name and both values of each option that differs, in order of the left.

    Args:
        left: All options of one run by name.
        right: Those of the other; missing names count as None.
    """
    names = dict.fromkeys([*left, *right])
    pairs = [(name, left.get(name), right.get(name)) for name in names]
    return [
        {"name": name, "left": a, "right": b}
        for name, a, b in pairs
        if a != b or type(a) is not type(b)
    ]


def compare_metrics(
    left: Mapping[str, Any], right: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return every number that either run has, with the change in percent.

    Args:
        left: Metrics of the run that is compared against.
        right: Those of the other.

    Returns:
        ``name``, ``left``, ``right`` and ``change_percent``, which is 100 · (right -
        left) / |left|, and None where a side is missing or ``left`` is 0.
    """
    found = []
    for name in dict.fromkeys([*left, *right]):
        a, b = _number(left.get(name)), _number(right.get(name))
        if name in _NOT_MEASURES or (a is None and b is None):
            continue
        change = None
        if a is not None and b is not None and a != 0:
            change = round(100 * (b - a) / abs(a), 2)
        found.append({"name": name, "left": a, "right": b, "change_percent": change})
    return found


def _number(value: Any) -> float | None:
    """Return ``value`` if it is a number, and no boolean."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


def compare_texts(
    left: bytes, right: bytes, *, names: tuple[str, str], is_cut: bool = False
) -> dict[str, Any]:
    """Return the difference of two texts as a unified diff.

    Args:
        left: One text, at most ``MAX_BYTES`` are looked at, from its end.
        right: The other.
        names: What the two are called in the head of the diff.
        is_cut: Whether the caller has left something out already.

    Returns:
        ``is_equal`` (of the bytes given), ``diff`` (empty when equal), ``added`` and
        ``removed`` (lines), ``is_truncated`` (whether something was left out of the
        comparison or of the answer).
    """
    if left == right:
        return _difference(diff=[], is_truncated=is_cut, is_equal=not is_cut)
    first, cut_first = _lines(left)
    second, cut_second = _lines(right)
    diff = list(
        difflib.unified_diff(first, second, *names, n=CONTEXT_LINES, lineterm="")
    )
    is_long = len(diff) > MAX_DIFF_LINES
    return _difference(
        diff=diff[:MAX_DIFF_LINES],
        is_truncated=is_cut or cut_first or cut_second or is_long,
        is_equal=False,
    )


def _difference(
    *, diff: Sequence[str], is_truncated: bool, is_equal: bool
) -> dict[str, Any]:
    body = diff[2:]
    return {
        "is_equal": is_equal,
        "diff": "\n".join(diff),
        "added": sum(line.startswith("+") for line in body),
        "removed": sum(line.startswith("-") for line in body),
        "is_truncated": is_truncated,
    }


def _lines(content: bytes) -> tuple[list[str], bool]:
    """Return the last lines of a text, and whether something was left out."""
    tail = content[-MAX_BYTES:]
    lines = tail.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    is_cut = len(content) > MAX_BYTES or len(lines) > MAX_LINES
    return [line[:MAX_LINE_CHARACTERS] for line in lines[-MAX_LINES:]], is_cut
