"""What became of the runs of one script, whoever made them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from scriptrunner.runs.models import RunListItem
from scriptrunner.runs.repository import of_script
from scriptrunner.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRuns:
    """Runs of one file, newest first, and figures over all of them."""

    items: Sequence[RunListItem]
    total: int
    #: Percent of those that completed or failed; None if none did.
    success_rate: float | None
    #: Of the last completed ones.
    median_duration_seconds: float | None
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RanContent:
    """A content that runs of one file have run."""

    sha256: str
    runs: int
    first_at: datetime
    last_at: datetime
    size: int | None


class ScriptRunViews:
    """Looks up the runs of files by their place below a root. Threads may share it.

    Args:
        database: Where the runs are.
        scripts_dir: Folder that keeps the bytes of what ran, by sha256.
        roots: Real paths of the allowed roots: runs name files below one of them.
    """

    def __init__(
        self, database: Database, *, scripts_dir: Path, roots: Sequence[str]
    ) -> None:
        """Open nothing yet."""
        self._database = database
        self._scripts_dir = scripts_dir
        self._roots = sorted(roots, key=len, reverse=True)

    def list_runs(self, path: str, *, limit: int, offset: int = 0) -> ScriptRuns:
        """Return the runs of the file at ``path`` (absolute, without links)."""
        place = self._place(path)
        if place is None:
            return _NONE
        with self._database.read() as connection:
            items = of_script.list_of_script(
                connection, *place, limit=limit, offset=offset
            )
            counts = of_script.count_of_script(connection, *place)
            durations = of_script.list_durations(connection, *place)
            last = of_script.find_last_success(connection, *place)
        completed, failed = counts.get("completed", 0), counts.get("failed", 0)
        ended = completed + failed
        return ScriptRuns(
            items=items,
            total=sum(counts.values()),
            success_rate=round(100 * completed / ended, 2) if ended else None,
            median_duration_seconds=statistics.median(durations) if durations else None,
            last_success_at=last,
        )

    def find_last(self, path: str) -> RunListItem | None:
        """Return the newest run of a file, or None."""
        place = self._place(path)
        if place is None:
            return None
        with self._database.read() as connection:
            found = of_script.list_of_script(connection, *place, limit=1, offset=0)
        return found[0] if found else None

    def list_contents(self, path: str) -> list[RanContent]:
        """Return the contents that runs of a file have run."""
        place = self._place(path)
        if place is None:
            return []
        with self._database.read() as connection:
            rows = of_script.list_hashes(connection, *place)
        return [
            RanContent(
                sha256=row[0], runs=row[1], first_at=row[2], last_at=row[3], size=row[4]
            )
            for row in rows
        ]

    def find_bytes(self, sha256: str) -> bytes | None:
        """Return the kept bytes of what ran; ``sha256`` must be 64 hex digits."""
        try:
            return (self._scripts_dir / sha256).read_bytes()
        except FileNotFoundError:
            return None

    def _place(self, path: str) -> tuple[str, str] | None:
        """Return the allowed root that a file lies below, deepest first, and where."""
        for root in self._roots:
            prefix = root.rstrip("/") + "/"
            if path.startswith(prefix):
                return root, path.removeprefix(prefix)
        return None


_NONE = ScriptRuns(
    items=(),
    total=0,
    success_rate=None,
    median_duration_seconds=None,
    last_success_at=None,
)
