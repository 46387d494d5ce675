"""A history for programs that run scripts without a service: one file, one object."""

import hashlib
import math
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.metric_names import METRICS, canonical
from scriptrunner.errors import InvalidInputError, MalformedInputError
from scriptrunner.history import recording
from scriptrunner.history.errors import InvalidHistoryDbError
from scriptrunner.history.models import Finished, HistoryFilter
from scriptrunner.history.representation import stats_to_json
from scriptrunner.history.store import HistoryStore
from scriptrunner.storage.history_file import HistoryFile, is_history_header

#: Where the history lies unless something else is said.
DEFAULT_FILE = "script_runner_history.db"
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\S+")


class UnknownMetricError(InvalidInputError):
    """No metric has this name."""

    code = "unknown_metric"


class HistoryManager:
    """Keeps what runs measured in a file, and finds it again.

    The file is a SQLite database of the same form as the history databases of the
    service; it is made when the first result is saved. Threads and processes may share
    it. Nothing stays open between two calls.

        history = HistoryManager("history.db")
        result = ScriptRunner("etl.py").run()
        history.save_execution(result)
        history.get_metric_history("execution_time_seconds", script_path="etl.py")
    """

    def __init__(
        self,
        db_path: str | os.PathLike[str] = DEFAULT_FILE,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Name the file; nothing is opened or made yet.

        Args:
            db_path: A file, relative to the current folder.
            clock: Tells the time of saving; tests hand in one they can set.

        Raises:
            InvalidHistoryDbError: If there is something else at that place.
        """
        self._path = Path(os.fspath(db_path)).absolute()
        self._clock = clock or SystemClock()
        self._has_content()

    def save_execution(
        self,
        result: Mapping[str, Any],
        *,
        script_path: str | os.PathLike[str] | None = None,
        run_id: str | None = None,
    ) -> int:
        """Keep the result of a run, or its metrics alone, and return the row's number.

        The version of the script is that of the file as it is now.

        Args:
            result: What ``ScriptRunner.run`` returned, or its ``metrics``.
            script_path: The script, if the metrics do not say or say it differently.
            run_id: Names the run; saving it again replaces it. By default the
                correlation id, which every run has.

        Raises:
            InvalidInputError: If there is nothing to save: a dry run, or no metrics.
            InvalidHistoryDbError: If the file is no history, or damaged.
        """
        metrics = result.get("metrics", result)
        if not isinstance(metrics, Mapping) or "execution_time_seconds" not in metrics:
            raise InvalidInputError("this result has no metrics to keep")
        now = self._clock.utc_now()
        started_at = _parse(metrics.get("start_time")) or now
        correlation_id = metrics.get("correlation_id")
        path = _canonical(script_path or metrics.get("script_path") or "")
        finished = Finished(
            run_id=run_id or correlation_id or str(uuid4()),
            script_path=path,
            script_args=list(metrics.get("script_args") or ()),
            script_sha256=_read_sha256(path),
            correlation_id=correlation_id,
            trigger="api",
            status=_status_of(result, metrics),
            run_status=metrics.get("status"),
            reason=result.get("reason"),
            started_at=started_at,
            finished_at=_parse(metrics.get("end_time")) or started_at,
            created_at=now,
            metrics=metrics,
        )
        if not self._has_content():
            self._path.touch(mode=0o600)
        return recording.put(HistoryFile(self._path, may_create=True), finished)

    def get_execution_history(
        self,
        script_path: str | os.PathLike[str] | None = None,
        *,
        limit: int = 100,
        days: float | None = 30,
    ) -> list[dict[str, Any]]:
        """Return executions, newest first, in the form of ``/api/analytics/history``.

        Args:
            script_path: Only of this script.
            limit: At most so many (>= 1).
            days: Begun so many days ago at most; None for all.
        """
        store = self._open()
        if store is None:
            return []
        items, _ = store.list_items(self._filter(script_path, days), limit=limit)
        return items

    def get_metric_history(
        self,
        metric: str,
        script_path: str | os.PathLike[str] | None = None,
        *,
        limit: int = 500,
        days: float | None = 30,
    ) -> list[tuple[datetime, float]]:
        """Return start (UTC) and value of the newest executions, oldest first.

        Args:
            metric: Name or alias; executions that do not know it are left out.
            script_path: Only of this script.
            limit: At most so many (>= 1).
            days: Begun so many days ago at most; None for all.

        Raises:
            UnknownMetricError: If no number of that name is measured.
        """
        name = canonical(metric)
        if name not in METRICS or not METRICS[name].is_numeric:
            raise UnknownMetricError(f"no number is measured that is called {metric}")
        store = self._open()
        if store is None:
            return []
        wanted = self._filter(script_path, days)
        return [
            (each.at, each.value)
            for each in store.list_points(name, wanted, limit=limit)
        ]

    def get_database_stats(self) -> dict[str, Any]:
        """Return counts, range and size, as ``/api/analytics/history/stats``."""
        store = self._open()
        return stats_to_json(None if store is None else store.get_stats())

    def cleanup_old_data(self, days: float = 90) -> int:
        """Remove executions that began more than ``days`` ago; return how many.

        Raises:
            MalformedInputError: If ``days`` is negative or no finite number.
        """
        if not math.isfinite(days) or days < 0:
            words = "days must be a finite number, 0 or more"
            raise MalformedInputError(
                [{"type": "range", "loc": ["days"], "msg": words}]
            )
        if not self._has_content():
            return 0
        store = HistoryStore(HistoryFile(self._path, may_write=True))
        return store.remove_before(
            self._clock.utc_now() - timedelta(days=days)
        ).executions

    def close(self) -> None:
        """Do nothing: no connection outlives a call. For ``with`` and old habits."""

    def __enter__(self) -> Self:
        """Return the manager."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _open(self) -> HistoryStore | None:
        return HistoryStore(HistoryFile(self._path)) if self._has_content() else None

    def _has_content(self) -> bool:
        """Return whether there is a history already.

        Raises:
            InvalidHistoryDbError: If there is something else.
        """
        try:
            with self._path.open("rb") as file:
                head = file.read(100)
        except FileNotFoundError:
            return False
        except IsADirectoryError:
            raise InvalidHistoryDbError("the history is a file, not a folder") from None
        if head and not is_history_header(head):
            raise InvalidHistoryDbError("the file is no history database")
        return bool(head)

    def _filter(
        self, script_path: str | os.PathLike[str] | None, days: float | None
    ) -> HistoryFilter:
        since = None
        if days is not None:
            since = self._clock.utc_now() - timedelta(days=days)
        path = None if script_path is None else _canonical(script_path)
        return HistoryFilter(script_path=path, since=since, with_cancelled=True)


def _canonical(script_path: str | os.PathLike[str]) -> str:
    return os.path.realpath(script_path)


def _read_sha256(path: str) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None


def _status_of(result: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return the state of the record: as given, or as it follows from the rest."""
    given = result.get("status")
    if given in ("completed", "failed", "cancelled"):
        return str(given)
    if metrics.get("status") == "killed":
        return "cancelled"
    keeps_gates = result.get("performance_gates_passed") is not False
    return "completed" if metrics.get("success") and keeps_gates else "failed"


def _parse(text: object) -> datetime | None:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else None
