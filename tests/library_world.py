"""A library to try things on: a folder, a database, the job that scans; no processes."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from scriptrunner.library.models import (
    Root,
    RootOptions,
    Scan,
    Script,
    ScriptFilter,
    SortKey,
)
from scriptrunner.library.repository import lists, roots, scans
from scriptrunner.library.scan_job import LibraryJob
from scriptrunner.storage.database import Database
from tests.clocks import FakeClock

#: Nanoseconds since 1970 of files whose time does not matter: long ago.
LONG_AGO = 1_600_000_000_123_456_000


class LibraryWorld:
    """One root with its scans."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.folder = folder / "tree"
        self.folder.mkdir()
        self.data = folder / "data"
        self.data.mkdir()
        self.announced = 0
        self.job = self.make_job()

    def make_job(self) -> LibraryJob:
        def announce() -> None:
            self.announced += 1

        return LibraryJob(
            self.database, data_dir=self.data, clock=self.clock, announce=announce
        )

    def write(self, name: str, text: str | bytes = "print(1)\n") -> Path:
        """Write a file that is old enough not to be read twice."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        self._writes = getattr(self, "_writes", 0) + 1
        os.utime(path, ns=(LONG_AGO, LONG_AGO + self._writes * 1_000_000))
        return path

    def add_root(self, path: Path | None = None, **options: Any) -> int:
        """Add a root without asking whether it may be one."""
        with self.database.write() as connection:
            number = roots.insert(
                connection,
                path=str(path or self.folder),
                name="Tree",
                options=RootOptions(**options),
                now=self.clock.utc_now(),
            )
        assert number is not None
        return number

    def get_root(self, root_id: int) -> Root:
        with self.database.read() as connection:
            found = roots.find(connection, root_id)
        assert found is not None
        return found

    def begin(self, root_id: int) -> int:
        """Ask for a scan and return its id."""
        with self.database.write() as connection:
            return scans.insert(connection, root_id, now=self.clock.utc_now()).id

    def work(self) -> None:
        """Do what the background process would do."""
        self.job.work(threading.Event())

    def scan(self, root_id: int) -> Scan:
        """Scan a root to the end."""
        self.clock.advance(1)
        number = self.begin(root_id)
        self.work()
        return self.get_scan(number)

    def get_scan(self, scan_id: int) -> Scan:
        with self.database.read() as connection:
            found = scans.find(connection, scan_id)
        assert found is not None
        return found

    def scripts(self, **wanted: Any) -> list[Script]:
        """Return the scripts that match, by path."""
        with self.database.read() as connection:
            page = lists.list_page(
                connection,
                ScriptFilter(**wanted),
                sort=SortKey.PATH,
                descending=False,
                page=1,
                page_size=200,
            )
        return [*page.items]

    def names(self, **wanted: Any) -> list[str]:
        """Return the paths below the root of the scripts that match."""
        return [script.relative for script in self.scripts(**wanted)]

    def one(self, name: str, **wanted: Any) -> Script:
        (found,) = [each for each in self.scripts(**wanted) if each.relative == name]
        return found


@pytest.fixture
def library(tmp_path: Path, database: Database) -> LibraryWorld:
    """A library, on each backend."""
    return LibraryWorld(tmp_path, database)
