"""The versions of a script, and how two of them differ."""

import difflib
import time
from dataclasses import dataclass

from scriptrunner.library.errors import VersionNotFoundError
from scriptrunner.library.models import Script, Version
from scriptrunner.library.repository import contents, figures
from scriptrunner.runs.script_runs import RanContent, ScriptRunViews
from scriptrunner.storage.database import Database

#: Lines of each side that are compared, and lines of a difference that are shown.
MAX_LINES = 20_000
MAX_DIFF_LINES = 5_000
#: Bytes of each side that are compared.
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one version became another."""

    #: In unified form, without the two lines of file names.
    text: str
    added: int
    removed: int
    is_truncated: bool


class VersionShelf:
    """Looks up the versions of scripts. Threads may share it.

    Args:
        database: Where contents and versions are.
        runs: What runs ran, which may be contents that no scan ever saw.
    """

    def __init__(self, database: Database, runs: ScriptRunViews) -> None:
        """Hold nothing."""
        self._database = database
        self._runs = runs

    def list_versions(self, script: Script) -> list[Version]:
        """Return every content that a script was scanned or run with, newest first."""
        with self._database.read() as connection:
            rows = figures.list_versions(connection, script.id)
        ran = {each.sha256: each for each in self._runs.list_contents(script.path)}
        found: dict[str, Version] = {}
        for place, row in enumerate(rows):
            if row[0] in found:
                continue  # it came back: it is the present one again
            run = ran.pop(row[0], None)
            found[row[0]] = Version(
                sha256=row[0],
                size=row[1],
                first_seen_at=row[2],
                last_seen_at=row[3] if place else None,
                is_current=place == 0,
                is_available=True,
                runs=run.runs if run else 0,
                source="scan",
            )
        only_run = [self._from_run(each) for each in ran.values()]
        earlier = [*list(found.values())[1:], *only_run]
        earlier.sort(key=lambda each: each.last_seen_at or each.first_seen_at)
        return [*list(found.values())[:1], *reversed(earlier)]

    def _from_run(self, ran: RanContent) -> Version:
        return Version(
            sha256=ran.sha256,
            size=ran.size,
            first_seen_at=ran.first_at,
            last_seen_at=ran.last_at,
            is_current=False,
            is_available=self._runs.find_bytes(ran.sha256) is not None,
            runs=ran.runs,
            source="run",
        )

    def get_bytes(self, script: Script, sha256: str) -> bytes:
        """Return the bytes of a version of a script.

        Raises:
            VersionNotFoundError: If it never had it, or the bytes are not kept.
        """
        if sha256 not in {each.sha256 for each in self.list_versions(script)}:
            raise VersionNotFoundError
        with self._database.read() as connection:
            data = contents.find_bytes(connection, sha256)
        if data is None:
            data = self._runs.find_bytes(sha256)
        if data is None:
            raise VersionNotFoundError
        return data

    def compare(self, script: Script, old: str, new: str) -> Difference:
        """Return how the version ``old`` became ``new``.

        Raises:
            VersionNotFoundError: As ``get_bytes``.
        """
        return compare_texts(self.get_bytes(script, old), self.get_bytes(script, new))


def compare_texts(old: bytes, new: bytes) -> Difference:
    """Return how two texts differ, in unified form with three lines around.

    Beyond 20,000 lines or 1 MiB only the beginnings are compared.
    """
    sides = [_lines(old), _lines(new)]
    is_cut = any(
        len(data) > MAX_BYTES or len(lines) > MAX_LINES
        for data, lines in zip((old, new), sides, strict=True)
    )
    left, right = (lines[:MAX_LINES] for lines in sides)
    began = time.monotonic()
    shown: list[str] = []
    added = removed = 0
    for line in difflib.unified_diff(left, right, n=3, lineterm=""):
        if line.startswith(("--- ", "+++ ")) and not shown:
            continue
        added += line.startswith("+")
        removed += line.startswith("-")
        if len(shown) < MAX_DIFF_LINES:
            shown.append(line)
        else:
            is_cut = True
            if time.monotonic() - began > 1:
                break
    return Difference(
        text="\n".join(shown), added=added, removed=removed, is_truncated=is_cut
    )


def _lines(data: bytes) -> list[str]:
    return data[:MAX_BYTES].decode("utf-8", "replace").splitlines()
