"""Which lines of a script carry ``# nosec``, and what that covers.

A comment alone covers every finding of its line; followed by rule names
(``# nosec B602, aws_key``) it covers those only.
"""

import io
import re
import tokenize

_COMMENT = re.compile(r"#\s*nosec\b:?\s*(?P<names>[^#]*)")
_NAME = re.compile(r"[A-Za-z]\w*")
#: What a rule name looks like, so that "# nosec because ..." covers everything.
_RULE = re.compile(r"[A-Z]\d{3}|[a-z]+(_[a-z]+)+|password", re.ASCII)


class Suppressions:
    """The suppressing comments of one script."""

    def __init__(self, text: str) -> None:
        """Read ``text``, the whole script."""
        self._names_by_line = {
            line: _parse(match["names"])
            for line, comment in _iter_comments(text)
            if (match := _COMMENT.search(comment)) is not None
        }

    def covers(self, rule: str, *lines: int) -> bool:
        """Return whether a finding of ``rule`` is suppressed on one of ``lines``."""
        return any(
            names is not None and (not names or rule in names)
            for names in map(self._names_by_line.get, lines)
        )


def _parse(text: str) -> frozenset[str]:
    """Return the rules a comment names; none means all."""
    return frozenset(name for name in _NAME.findall(text) if _RULE.fullmatch(name))


def _iter_comments(text: str) -> list[tuple[int, str]]:
    """Return line and text of each comment; of a broken script, as far as can be told.

    ``nosec`` in a string is no comment. Where the tokens end early, a ``#`` has to do.
    """
    if "nosec" not in text:
        return []
    found = []
    last = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            last = token.end[0]
            if token.type == tokenize.COMMENT:
                found.append((token.start[0], token.string))
    except (tokenize.TokenError, SyntaxError):
        lines = text.split("\n")
        for number in range(last + 1, len(lines) + 1):
            position = lines[number - 1].find("#")
            if position >= 0:
                found.append((number, lines[number - 1][position:]))
    return found
