"""What the pages need of runs beyond their record.

Requests to fill a form with, comparisons, lines of long outputs, days, and scripts in
trouble. All of it only reads.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.engine.environment import MASK
from scriptrunner.runs import comparison, log_search
from scriptrunner.runs.errors import RunFileNotFoundError
from scriptrunner.runs.log_lines import Line, LineIndex
from scriptrunner.runs.log_search import Found, Place, Wanted
from scriptrunner.runs.logs import STREAMS
from scriptrunner.runs.models import RunListItem, RunRecord
from scriptrunner.runs.repository import figures
from scriptrunner.runs.repository.figures import Day, Tag, Trouble
from scriptrunner.runs.service import RunService
from scriptrunner.storage.database import Database

#: Days in which a script must have failed to be in trouble.
TROUBLE_DAYS = 7
#: Scripts in trouble that are told.
MAX_TROUBLES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """The request of a run, as a form wants it."""

    #: All options with their defaults and ``script_path``.
    request: Mapping[str, Any]
    #: Paths of what is not told, such as ``env_vars.API_TOKEN``: to be typed again.
    masked: list[str]
    #: Whether the script came with the request, so that it must be sent again.
    is_upload: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Some lines of an output."""

    lines: list[Line]
    #: Lines that there are in all now.
    total: int
    is_complete: bool


class RunViews:
    """Reads what pages show. Threads may share it.

    Args:
        runs: The record of runs.
        database: The same database.
        clock: Tells what today is.
    """

    def __init__(self, runs: RunService, database: Database, *, clock: Clock) -> None:
        """Connect; nothing is read."""
        self._runs = runs
        self._database = database
        self._clock = clock
        self._index = LineIndex()

    def get_request(self, run_id: str) -> StoredRequest:
        """Return what was asked for.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        record = self._runs.get_run(run_id)
        return StoredRequest(
            request=record.request,
            masked=_find_masked(record.request),
            is_upload=record.item.script_file is None,
        )

    def compare(self, left_id: str, right_id: str) -> dict[str, Any]:
        """Return how two runs differ: options, metrics, source, output.

        Raises:
            RunNotFoundError: If there is no such run.
        """
        left, right = self._runs.get_run(left_id), self._runs.get_run(right_id)
        return {
            "left": left,
            "right": right,
            "options": comparison.compare_options(left.request, right.request),
            "metrics": comparison.compare_metrics(_metrics(left), _metrics(right)),
            "script": self._compare_scripts(left, right),
            "logs": {
                stream: self._compare_logs(left, right, stream) for stream in STREAMS
            },
        }

    def _compare_scripts(
        self, left: RunRecord, right: RunRecord
    ) -> Mapping[str, Any] | None:
        """Return the difference of the bytes that ran; None if one is not kept."""
        try:
            first, _ = self._runs.get_script_bytes(left.id)
            second, _ = self._runs.get_script_bytes(right.id)
        except RunFileNotFoundError:
            return None
        names = (left.item.script_name, right.item.script_name)
        return comparison.compare_texts(first, second, names=names)

    def _compare_logs(
        self, left: RunRecord, right: RunRecord, stream: str
    ) -> Mapping[str, Any]:
        """Return the difference of the ends of an output of the last attempts."""
        first, is_first_cut = self._read_end(left, stream)
        second, is_second_cut = self._read_end(right, stream)
        return comparison.compare_texts(
            first,
            second,
            names=(left.id, right.id),
            is_cut=is_first_cut or is_second_cut,
        )

    def _read_end(self, record: RunRecord, stream: str) -> tuple[bytes, bool]:
        state = self._runs.logs.describe(record.item, list(record.attempts))
        with closing(self._runs.logs.open(state, stream)) as reader:
            end = reader.settled_size(is_complete=state.is_complete)
            start = max(0, end - comparison.MAX_BYTES)
            return b"".join(reader.iter_chunks(start, end)), start > 0

    def read_lines(
        self, run_id: str, stream: str, *, attempt: int | None, first: int, count: int
    ) -> Window:
        """Return lines of an output by number.

        Args:
            run_id: The run.
            stream: ``stdout`` or ``stderr``.
            attempt: Which one, from 1; None for the last one with output.
            first: Number of the first line, from 1.
            count: Most lines, 1..``MAX_WINDOW``.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFileNotFoundError: If it has no such attempt.
        """
        state = self._runs.get_log_state(run_id, attempt)
        with closing(self._runs.logs.open(state, stream)) as reader:
            lines, total = self._index.read_window(
                reader,
                (run_id, state.attempt, stream),
                first=first,
                count=count,
                end=reader.settled_size(is_complete=state.is_complete),
            )
        return Window(lines=lines, total=total, is_complete=state.is_complete)

    def search_lines(
        self,
        run_id: str,
        stream: str,
        wanted: Wanted,
        *,
        attempt: int | None,
        place: Place | None = None,
    ) -> Found:
        """Return the lines of an output that hold what is wanted.

        Args:
            run_id: The run.
            stream: ``stdout`` or ``stderr``.
            wanted: What to look for.
            attempt: Which one, from 1; None for the last one with output.
            place: Where to begin; None for the beginning.

        Raises:
            RunNotFoundError: If there is no such run.
            RunFileNotFoundError: If it has no such attempt.
            MalformedInputError: If a regular expression is wrong or takes too long.
            TooManySearchesError: If too many search by regular expression.
        """
        state = self._runs.get_log_state(run_id, attempt)
        with closing(self._runs.logs.open(state, stream)) as reader:
            end = reader.settled_size(is_complete=state.is_complete)
            return log_search.search(reader, wanted, place=place, end=end)

    def find_tags(self, items: Sequence[RunListItem]) -> Mapping[str, list[Tag]]:
        """Return the tags that the scripts of runs have now, by absolute path."""
        paths = sorted({each.script_file for each in items if each.script_file})
        with self._database.read() as connection:
            return figures.find_tags(connection, paths)

    def list_days(self, days: int) -> list[Day]:
        """Return the runs of the last ``days`` (1..366) days in UTC, oldest first."""
        with self._database.read() as connection:
            now = self._clock.utc_now()
            return figures.list_days(connection, now=now, days=days)

    def list_troubles(self) -> list[Trouble]:
        """Return the scripts whose newest runs failed, the most persistent first."""
        since = self._clock.utc_now() - timedelta(days=TROUBLE_DAYS)
        with self._database.read() as connection:
            return figures.list_troubles(connection, since=since, limit=MAX_TROUBLES)


def _metrics(record: RunRecord) -> Mapping[str, Any]:
    return (record.result or {}).get("metrics") or {}


def _find_masked(request: Mapping[str, Any]) -> list[str]:
    """Return the paths of the values that are not told."""
    found = [
        f"env_vars.{name}"
        for name, value in sorted(request["env_vars"].items())
        if value == MASK
    ]
    if (request.get("slack_webhook") or "").endswith(MASK):
        found.append("slack_webhook")
    return found
