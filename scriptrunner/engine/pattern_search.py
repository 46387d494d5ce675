"""Regular expressions of strangers over lines, in a process of their own.

Python's ``re`` backtracks: ``(a+)+$`` on thirty letters takes minutes, and holds the
interpreter's lock all the while. Here it costs a child a second (see ADR 0026).
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from scriptrunner.errors import ThrottledError

#: Searches by pattern at once in one web worker.
MOST_AT_ONCE = 4
#: Seconds by the clock after which a child is killed, however busy the machine is.
LIFETIME_SECONDS = 15.0

_ENTRY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pattern_child.py")
_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class TooManySearchesError(ThrottledError):
    """Too many logs are being searched by regular expression; try again."""

    code = "too_many_searches"


class BadPatternError(Exception):
    """The text is no regular expression.

    Args:
        reason: What is wrong with it, in words.
        position: Index of the character where it goes wrong, from 0.
    """

    def __init__(self, reason: str, position: int) -> None:
        """Keep both."""
        super().__init__(reason)
        self.reason = reason
        self.position = position


class SlowPatternError(Exception):
    """The expression does not come to an end in time.

    Args:
        line: Index of the line where it was given up, within the lines that were asked
            about; None if it is not known.
    """

    def __init__(self, line: int | None) -> None:
        """Keep the line."""
        super().__init__(line)
        self.line = line


class PatternSearch:
    """A child that knows one pattern. One thread uses it; see ``open_pattern``."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Take a running child."""
        self._process = process

    def find(self, lines: Sequence[str]) -> list[int]:
        """Return the indexes of the lines that match, in order.

        Args:
            lines: Some hundred KiB of text at most; together they may cost a second of CPU.

        Raises:
            SlowPatternError: If they cost more, or too much memory.
        """
        answer = self.ask(lines)
        if "found" not in answer:
            raise SlowPatternError(answer.get("slow"))
        found: list[int] = answer["found"]
        return found

    def ask(self, what: Any) -> dict[str, Any]:
        """Return what the child says to ``what``; nothing if it was killed."""
        sent, answered = self._process.stdin, self._process.stdout
        if sent is None or answered is None:  # never so: both are pipes
            return {}
        try:
            sent.write(json.dumps(what).encode("ascii") + b"\n")
            sent.flush()
            said = answered.readline()
        except OSError:
            return {}
        answer: dict[str, Any] = json.loads(said) if said.endswith(b"\n") else {}
        return answer


@contextmanager
def open_pattern(
    source: str, *, match_case: bool, whole_word: bool
) -> Iterator[PatternSearch]:
    """Have a child compile a pattern; it is gone when the context ends.

    Args:
        source: A regular expression as Python's ``re`` has them.
        match_case: Whether upper and lower case differ.
        whole_word: Whether a match must not continue as a word on either side.

    Raises:
        BadPatternError: If it is none.
        TooManySearchesError: If too many children are at work already.
    """
    if not _places.acquire(timeout=1.0):
        raise TooManySearchesError
    try:
        process = _start()
        killer = threading.Timer(LIFETIME_SECONDS, process.kill)
        killer.daemon = True
        try:
            killer.start()
            search = PatternSearch(process)
            order = {"source": source, "match_case": match_case}
            answer = search.ask({**order, "whole_word": whole_word})
            if "fault" in answer:
                raise BadPatternError(answer["fault"], answer["position"])
            yield search
        finally:
            killer.cancel()
            _end(process)
    finally:
        _places.release()


def _start() -> "subprocess.Popen[bytes]":
    # Isolated: no environment, no libraries, a few milliseconds.
    return subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-I", "-S", _ENTRY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()
