"""Colours of source text: each line as pieces with a class, made by Pygments on the server.

The page turns a class into ``hl-<class>`` of ``static/css/code.css`` and the piece into a
text node, so nothing of a script ever becomes markup. Results are kept for the next
reader; a text's colours never change.
"""

import hashlib
from functools import lru_cache
from typing import Any

#: Larger texts come without colours: Pygments needs about a second per megabyte.
MAX_BYTES = 1 << 20
MAX_LINES = 20_000
#: Coloured texts kept per worker; each takes a few times its size.
KEPT_TEXTS = 32

#: A piece of a line: its class (``""`` for plain text) and its text.
Piece = tuple[str, str]

#: Beginnings of Pygments' token names, the longest that fits decides.
_CLASSES = {
    "Comment": "c",
    "Comment.Preproc": "d",
    "Error": "e",
    "Generic.Deleted": "e",
    "Generic.Heading": "h",
    "Generic.Inserted": "g",
    "Generic.Subheading": "h",
    "Keyword": "k",
    "Keyword.Constant": "b",
    "Literal": "m",
    "Literal.Number": "m",
    "Literal.String": "s",
    "Literal.String.Doc": "c",
    "Name.Attribute": "f",
    "Name.Builtin": "b",
    "Name.Builtin.Pseudo": "b",
    "Name.Class": "f",
    "Name.Decorator": "d",
    "Name.Exception": "b",
    "Name.Function": "f",
    "Name.Tag": "k",
    "Operator.Word": "k",
    "Operator": "o",
}


def describe_source(content: bytes, name: str) -> dict[str, Any]:
    """Return the answer that shows a source: its lines as pieces.

    Args:
        content: The file; bytes that are not UTF-8 become U+FFFD.
        name: Its name, which tells the language.
    """
    text = content.decode("utf-8", "replace")
    is_plain = len(content) > MAX_BYTES or text.count("\n") >= MAX_LINES
    language, lines = _coloured(_Source(text), name) if not is_plain else ("", None)
    return {
        "name": name,
        "language": language or None,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "is_coloured": lines is not None and language != "",
        "lines": plain_lines(text) if lines is None else lines,
    }


def plain_lines(text: str) -> list[list[Piece]]:
    """Return the lines of ``text`` without colours; a final line end makes no line."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [[("", line.rstrip("\r"))] if line else [] for line in lines]


class _Source:
    """A text as key of the cache: told apart by its hash, so a hit compares 32 bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and self._digest == other._digest


@lru_cache(maxsize=KEPT_TEXTS)
def _coloured(source: _Source, name: str) -> tuple[str, list[list[Piece]] | None]:
    """Return language and lines of a text; no language is known for many files."""
    from pygments.lexers import get_lexer_for_filename  # noqa: PLC0415 - 45 ms
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        lexer = get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return "", None
    lines: list[list[Piece]] = [[]]
    for token, value in lexer.get_tokens(source.text):
        kind = _class_of(str(token).removeprefix("Token."))
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            if part:
                _append(lines[-1], kind, part)
    if not lines[-1]:
        lines.pop()
    return lexer.name, lines


def _append(line: list[Piece], kind: str, text: str) -> None:
    """Add a piece; neighbours of one class become one."""
    if line and line[-1][0] == kind:
        line[-1] = (kind, line[-1][1] + text)
    else:
        line.append((kind, text))


@lru_cache(maxsize=512)
def _class_of(token: str) -> str:
    while token:
        if token in _CLASSES:
            return _CLASSES[token]
        token = token.rpartition(".")[0]
    return ""
