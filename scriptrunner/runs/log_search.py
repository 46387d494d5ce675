"""Search in outputs that stay on the server: by text, pattern and level, with context.

The same lines are found as by the search in the page (``lib/log-search.js``). One search
does a bounded piece of work and says where to go on; nothing is kept in between.
"""

import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from scriptrunner.engine.pattern_search import (
    BadPatternError,
    SlowPatternError,
    open_pattern,
)
from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.log_levels import NO_LEVEL, LevelFilter
from scriptrunner.runs.log_lines import Line, iter_lines
from scriptrunner.runs.logs import OutputReader

#: Matches of one search.
MAX_MATCHES = 1_000
#: Lines before and after a match.
MAX_CONTEXT = 20
#: Bytes that one search looks at before it hands over where to go on.
MAX_SEARCH_BYTES = 64 << 20
#: Bytes of lines that one search answers with.
MAX_ANSWER_BYTES = 8 << 20
#: Seconds after which a search hands over: a log may be all empty lines.
SEARCH_SECONDS = 2.0
#: Characters and number of the lines that are matched at once.
_BATCH_LENGTH = 128 << 10
_BATCH_LINES = 4_000
#: Colours and other orders to a terminal.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for."""

    #: Plain text or, with ``is_pattern``, a regular expression of Python's ``re``; None
    #: for every line of ``level``.
    text: str | None
    is_pattern: bool = False
    match_case: bool = False
    #: Whether a match must not continue as a word on either side.
    whole_word: bool = False
    #: Least level of the lines, one of ``LEVELS``; None for all.
    level: str | None = None
    #: Most matches, 1..``MAX_MATCHES``.
    limit: int = 200
    #: Lines before and after a match that are wanted too, 0..``MAX_CONTEXT``.
    context: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a search begins."""

    #: Number and offset of the first line that is read.
    number: int = 1
    offset: int = 0
    #: Number of the first line that may be a match; those before it are context.
    first: int = 1
    #: Level of the line before.
    level: int = NO_LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has found so far."""

    matches: list[Line]
    #: The matches with the lines around them, in order; empty without context.
    around: list[Line]
    #: Where to go on, None when everything was looked at.
    next: Place | None


class _Matcher(Protocol):
    def find(self, lines: Sequence[str]) -> list[int]: ...


class _TextMatcher:
    """Finds plain text in this process: no pattern of a stranger is involved."""

    def __init__(self, wanted: Wanted) -> None:
        source = re.escape(wanted.text or "")
        if wanted.whole_word:
            source = rf"(?<!\w){source}(?!\w)"
        flags = 0 if wanted.match_case else re.IGNORECASE
        self._pattern = re.compile(source, flags)

    def find(self, lines: Sequence[str]) -> list[int]:
        return [at for at, line in enumerate(lines) if self._pattern.search(line)]


@contextmanager
def _open_matcher(wanted: Wanted) -> Iterator[_Matcher]:
    if not wanted.is_pattern or wanted.text is None:
        yield _TextMatcher(wanted)
        return
    try:
        with open_pattern(
            wanted.text, match_case=wanted.match_case, whole_word=wanted.whole_word
        ) as search:
            yield search
    except BadPatternError as error:
        raise _refuse(
            "pattern",
            f"Input should be a regular expression: {error.reason} at position "
            f"{error.position}",
            position=error.position,
        ) from error


def _refuse(kind: str, message: str, **context: int) -> MalformedInputError:
    fault = {"type": kind, "loc": ("query", "q"), "msg": message, "ctx": context}
    return MalformedInputError([fault])


@dataclass(slots=True)
class _Seen:
    """A line with what is known of it."""

    line: Line
    text: str
    #: Level of the line before.
    level: int
    #: Whether the level keeps it.
    is_kept: bool = True


@dataclass(slots=True)
class _Collector:
    """Takes lines in order, keeps matches and what stands around them."""

    wanted: Wanted
    matches: list[Line] = field(default_factory=list)
    around: list[Line] = field(default_factory=list)
    #: Lines before the next one: the context of a match that may come.
    before: deque[_Seen] = field(default_factory=deque)
    #: Lines after the last match that are still wanted.
    owed: int = 0
    bytes: int = 0

    @property
    def is_full(self) -> bool:
        """Whether no more matches are taken."""
        return len(self.matches) >= self.wanted.limit or self.bytes >= MAX_ANSWER_BYTES

    def take(self, seen: _Seen, *, is_match: bool) -> None:
        """Take the next line."""
        size = self.wanted.context
        if is_match:
            self.matches.append(seen.line)
            self.bytes += len(seen.line.text)
            if size:
                for each in (*self.before, seen):
                    self._show(each)
                self.before.clear()
            self.owed = size
            return
        if self.owed:
            self.owed -= 1
            self._show(seen)
        elif size:
            self.before.append(seen)
            if len(self.before) > size:
                self.before.popleft()

    def leave_off(self, seen: _Seen) -> Place:
        """Return where the next search begins whose first match may be ``seen``."""
        first = self.before[0] if self.before else seen
        return Place(
            number=first.line.number,
            offset=first.line.offset,
            first=seen.line.number,
            level=first.level,
        )

    def finish(self, following: Place | None) -> Found:
        """Return all that was taken."""
        return Found(matches=self.matches, around=self.around, next=following)

    def _show(self, seen: _Seen) -> None:
        if seen.is_kept:
            self.around.append(seen.line)
            self.bytes += len(seen.line.text)


def search(
    reader: OutputReader, wanted: Wanted, *, place: Place | None = None, end: int
) -> Found:
    """Return the lines that hold what is wanted; colours between letters do no harm.

    Args:
        reader: The output.
        wanted: What to look for.
        place: Where to begin; None for the beginning.
        end: Behind the last byte that may be shown.

    Raises:
        MalformedInputError: If ``wanted.text`` is no regular expression, or one that does
            not come to an end in time.
        TooManySearchesError: If too many search by regular expression.
    """
    begin = place or Place()
    collector = _Collector(wanted)
    stop = min(end, begin.offset + MAX_SEARCH_BYTES)
    following: Place | None = None
    is_over = False
    with _open_matcher(wanted) as matcher:
        deadline = time.monotonic() + SEARCH_SECONDS
        for batch in _iter_batches(reader, wanted, begin, end):
            hits = _find(matcher, batch)
            for at, seen in enumerate(batch):
                if following is None and (is_over or collector.is_full):
                    following = collector.leave_off(seen)
                if following and not collector.owed:
                    return collector.finish(following)
                is_hit = at in hits and seen.is_kept and seen.line.number >= begin.first
                collector.take(seen, is_match=is_hit and following is None)
            last = batch[-1].line
            is_late = time.monotonic() >= deadline
            # Whoever comes again and again gets on: context alone is no answer.
            is_over = last.number >= begin.first and (is_late or last.offset >= stop)
    return collector.finish(following)


def _iter_batches(
    reader: OutputReader, wanted: Wanted, begin: Place, end: int
) -> Iterator[list[_Seen]]:
    """Yield the lines in lists that are not empty."""
    levels = LevelFilter(wanted.level, current=begin.level)
    batch: list[_Seen] = []
    room = _BATCH_LENGTH
    for line in iter_lines(reader, begin.offset, end, number=begin.number):
        text = _shown_text(line.text)
        level = levels.current
        kept = levels.keeps(text)
        batch.append(_Seen(line=line, text=text, level=level, is_kept=kept))
        room -= len(text) + 1
        if room <= 0 or len(batch) >= _BATCH_LINES:
            yield batch
            batch, room = [], _BATCH_LENGTH
    if batch:
        yield batch


def _shown_text(text: str) -> str:
    """Return what a terminal shows: without colours, and what stands last in the line."""
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part), "")
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def _find(matcher: _Matcher, batch: Sequence[_Seen]) -> frozenset[int]:
    try:
        return frozenset(matcher.find([seen.text for seen in batch]))
    except SlowPatternError as error:
        stuck = batch[error.line or 0].line.number
        raise _refuse(
            "slow_pattern",
            "Input should be an expression that comes to an end: it was given up at "
            f"line {stuck}, as nested repetitions take too long",
            line=stuck,
        ) from error
