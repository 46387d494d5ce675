"""The shapes of answers that look at runs: compared, as text, by day, in trouble."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from scriptrunner.web.schemas.answers import Answer, Count, RunId
from scriptrunner.web.schemas.run import RunListItem


class DifferingOption(Answer):
    """An option that two runs do not share."""

    name: str
    left: Any
    right: Any


class DifferingMetric(Answer):
    """A number of two runs; the change is 100 · (right - left) / |left|."""

    name: str
    left: float | None
    right: float | None
    change_percent: float | None


class TextDifference(Answer):
    """The difference of two texts as a unified diff; empty when they are equal."""

    is_equal: bool
    diff: str
    added: Count
    removed: Count
    is_truncated: bool = Field(
        description="Something was left out of the comparison or of the diff"
    )


class LogDifferences(Answer):
    """The differences of the ends of the outputs of the last attempts."""

    stdout: TextDifference
    stderr: TextDifference


class Comparison(Answer):
    """Two runs side by side. ``script`` is null if bytes of one are not kept."""

    left: RunListItem
    right: RunListItem
    options: list[DifferingOption]
    metrics: list[DifferingMetric]
    script: TextDifference | None
    logs: LogDifferences


class Source(Answer):
    """A source text: per line its pieces, each a class and a text."""

    name: str
    language: str | None
    sha256: str
    size: int
    is_coloured: bool = Field(
        description="False for unknown languages and texts beyond 1 MiB or 20 000 lines"
    )
    lines: list[list[list[str]]] = Field(
        description="Pieces of a line: each a class, empty for none, and a text"
    )


class LogLine(Answer):
    """A line of an output."""

    number: Count
    offset: int
    text: str
    cut_bytes: int = Field(description="Bytes of a very long line that are not shown")


class LogWindow(Answer):
    """Some lines of an output, and how many there are now."""

    stream: Literal["stdout", "stderr"]
    total: Count
    is_complete: bool
    lines: list[LogLine]


class LogMatches(Answer):
    """Lines that hold a text, and where to go on."""

    stream: Literal["stdout", "stderr"]
    matches: list[LogLine]
    around: list[LogLine] = Field(
        description="With `context`: the matches and the lines around them, in order"
    )
    next: str | None


class DayOfRuns(Answer):
    """The runs queued on one day, UTC."""

    date: str
    total: Count
    completed: Count
    failed: Count
    cancelled: Count


class DailyStats(Answer):
    """Days, oldest first, today included."""

    days: list[DayOfRuns]


class ScriptInTrouble(Answer):
    """A script whose newest runs failed, all of them."""

    script_path: str
    run_id: RunId
    finished_at: datetime | None
    reason: str | None
    error: str | None
    failures: Count
    never_succeeded: bool
    stderr_snippet: str


class Attention(Answer):
    """Scripts in trouble, the most persistent first."""

    scripts: list[ScriptInTrouble]
