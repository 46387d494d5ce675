"""The level that a line of a log names, by the rules of the page (``lib/log-level.js``)."""

import re

#: Levels of Python's ``logging``, the lowest first.
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
#: Level of lines before the first that names one.
NO_LEVEL = -1

_RANKS = {
    **{name: rank for rank, name in enumerate(LEVELS)},
    "TRACE": 0,
    "WARN": 2,
    "FATAL": 4,
}
#: A level stands alone, in capitals or in brackets, among the first words of a line.
_NAMED = re.compile(
    r"(?:^|[\s\[(|:=,\"-])(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)"
    r"(?=$|[\s\])|:,\"-])"
)
_BRACKETED = re.compile(
    r"[\[(](trace|debug|info|warn(?:ing)?|error|critical|fatal)[\])]", re.IGNORECASE
)
#: Characters of a line that are looked at: what stands later is the message.
_HEAD = 120


def level_of(text: str) -> int:
    """Return the place in ``LEVELS`` of the level that a line names, or ``NO_LEVEL``."""
    if text.startswith("Traceback (most recent call last)"):
        return _RANKS["ERROR"]
    head = text[:_HEAD]
    found = _NAMED.search(head) or _BRACKETED.search(head)
    return _RANKS[found[1].upper()] if found else NO_LEVEL


class LevelFilter:
    """Keeps the lines of a level and above.

    A line that names none belongs to the one before it, as the lines of a traceback do.

    Args:
        least: One of ``LEVELS``; None keeps every line.
        current: Level of the line before the first.
    """

    def __init__(self, least: str | None, *, current: int = NO_LEVEL) -> None:
        """Begin with the level before the first line."""
        self._least = None if least is None else LEVELS.index(least)
        self.current = current

    def keeps(self, text: str) -> bool:
        """Say whether the next line is kept."""
        if self._least is None:
            return True
        named = level_of(text)
        if named != NO_LEVEL:
            self.current = named
        return self.current >= self._least
