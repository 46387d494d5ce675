"""The process that applies a stranger's regular expression to lines.

Standard library only. Input and output are lines of JSON: first a pattern, then lists of
lines, each answered before the next comes. It ends with its input. A pattern that
backtracks without end costs this process a slice of time, and nobody else anything.
"""

import json
import re
import resource
import signal
import sys

TYPE_CHECKING = False  # typing itself is not loaded: every search would pay for it
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

#: CPU seconds that one list of lines may cost.
SLICE_SECONDS = 1.0
#: CPU seconds after which the kernel ends us: not all of a match looks for signals.
HARD_SECONDS = 1.5
#: Bytes of memory: a pattern may ask for a great deal.
MEMORY_BYTES = 512 << 20


class _TooSlowError(Exception):
    """The slice of time is over."""


def _give_up(_number: int, _frame: "FrameType | None") -> None:
    raise _TooSlowError


def main() -> None:
    """Answer until the input ends, or until a pattern is refused or given up."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # While a pattern is matched, the interpreter looks for signals now and then.
    signal.signal(signal.SIGVTALRM, _give_up)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for answer in _iter_answers():
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _iter_answers() -> "Iterator[dict[str, Any]]":
    """Yield ``{}`` or a fault for the pattern, then what was found in each list."""
    order = json.loads(sys.stdin.readline())
    try:
        pattern = _within_time(lambda: _compile(**order))
    except re.error as error:
        yield {"fault": error.msg, "position": error.pos or 0}
        return
    except (RecursionError, OverflowError, MemoryError, _TooSlowError):
        yield {"fault": "too large a pattern", "position": 0}
        return
    yield {}
    for line in sys.stdin:
        yield _find(pattern, json.loads(line))


def _within_time(do: "Any") -> "Any":
    signal.setitimer(signal.ITIMER_VIRTUAL, SLICE_SECONDS)
    signal.setitimer(signal.ITIMER_PROF, HARD_SECONDS)
    try:
        return do()
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _compile(source: str, match_case: bool, whole_word: bool) -> "re.Pattern[str]":
    flags = 0 if match_case else re.IGNORECASE
    pattern = re.compile(source, flags)
    if not whole_word:
        return pattern
    # The flags that the pattern itself sets at its beginning hold for all of it.
    bare = re.sub(r"\A(?:\(\?[aiLmsux]+\)|\(\?#[^)]*\))+", "", source)
    end = "\n" if pattern.flags & re.VERBOSE else ""  # of a comment, perhaps
    return re.compile(rf"(?<!\w)(?:{bare}{end})(?!\w)", pattern.flags)


def _find(pattern: "re.Pattern[str]", lines: list[str]) -> "dict[str, Any]":
    found: list[int] = []
    at = 0

    def look() -> None:
        nonlocal at
        for at, line in enumerate(lines):
            if pattern.search(line):
                found.append(at)

    try:
        _within_time(look)
    except (_TooSlowError, MemoryError, RecursionError):
        return {"slow": at}
    return {"found": found}


if __name__ == "__main__":
    main()
