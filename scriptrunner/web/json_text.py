"""Strict JSON: what a lenient parser would let pass is a fault here.

Refused, each as an entry of one 422: bytes that are not UTF-8, duplicate keys, ``NaN`` and
``Infinity`` (also as ``1e400``), nesting deeper than 32, and lone surrogates.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn

from scriptrunner.errors import MalformedInputError

#: Objects and arrays inside one another.
MAX_DEPTH = 32
#: Characters of a key or number that a fault repeats.
MAX_SHOWN = 60
LONE_SURROGATE = re.compile("[\ud800-\udfff]")

Fault = dict[str, Any]


def fault(kind: str, place: Sequence[str | int], message: str) -> Fault:
    """Return one entry of a 422; ``place`` is the way to the value below the body."""
    return {"type": kind, "loc": ["body", *place], "msg": message}


class NotJsonError(ValueError):
    """The text is not JSON at all."""


class _RefusedJsonError(ValueError):
    """JSON that a lenient parser would take."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = counts.most_common(1)[0][0][:MAX_SHOWN]
        raise _RefusedJsonError("duplicate_key", f"The key {twice!a} is there twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedJsonError("finite_number", f"{name} is not a number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _RefusedJsonError(
            "finite_number", f"{text[:MAX_SHOWN]} is too large a number"
        )
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite
)


def parse_bytes(raw: bytes) -> Any:
    """Return the value of a JSON body.

    Raises:
        MalformedInputError: If it is empty, no JSON, not UTF-8, or refused as above.
    """
    try:
        return parse_text(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedInputError(
            [fault("json_invalid", [], "The body is not UTF-8")]
        ) from None
    except NotJsonError as error:
        raise MalformedInputError([fault("json_invalid", [], str(error))]) from None


def parse_text(text: str, place: Sequence[str | int] = ()) -> Any:
    """Return the value of ``text``, which stands at ``place`` in the body.

    Raises:
        NotJsonError: If it is no JSON.
        MalformedInputError: If it is JSON that is refused.
    """
    try:
        value = _DECODER.decode(text)
    except _RefusedJsonError as error:
        raise MalformedInputError([fault(error.kind, place, str(error))]) from None
    except json.JSONDecodeError as error:
        raise NotJsonError(f"Not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedInputError([_too_deep(place)]) from None
    except ValueError:  # more digits than Python turns into an integer
        raise MalformedInputError(
            [fault("finite_number", place, "A number has too many digits")]
        ) from None
    if "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH:
        faults = _find_faults(value, tuple(place))
        if faults:
            raise MalformedInputError(faults)
    return value


def _too_deep(place: Sequence[str | int]) -> Fault:
    return fault("too_deep", place, f"Nested deeper than {MAX_DEPTH}")


def _find_faults(value: Any, place: tuple[str | int, ...]) -> list[Fault]:
    """Look through the whole value, without recursion, for depth and surrogates."""
    faults: list[Fault] = []
    todo: list[tuple[Any, tuple[str | int, ...], int]] = [(value, place, 1)]
    while todo:
        each, where, depth = todo.pop()
        if isinstance(each, str):
            # A path with surrogates is judged with all other bad paths.
            if where != ("script_path",) and LONE_SURROGATE.search(each):
                faults.append(_surrogate(where))
            continue
        if not isinstance(each, dict | list):
            continue
        if depth > MAX_DEPTH:
            return [_too_deep(place)]
        if isinstance(each, dict):
            faults += [_surrogate(where) for key in each if LONE_SURROGATE.search(key)]
        inner = each.items() if isinstance(each, dict) else enumerate(each)
        todo += [(part, (*where, name), depth + 1) for name, part in inner]
    return faults


def _surrogate(place: Sequence[str | int]) -> Fault:
    return fault("string_unicode", place, "The text holds half of a surrogate pair")
