"""Scans of the library against bare walks, lists at 100,000 scripts, and memory.

The floor of a first scan is ``os.scandir`` over the same tree, reading every file and
counting its lines; that of a rescan the same walk with nothing but ``stat``. Both are done
in this process, between the scans; of all the smallest time counts. A tiny
root is scanned first, so that neither imports nor the first compilation of statements are
measured. Scans are what the background process does, in this process.
"""

import argparse
import os
import random
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.report import print_claim, print_machine, print_values
from scriptrunner.clock import SystemClock
from scriptrunner.library.models import RootOptions, ScriptFilter, SortKey
from scriptrunner.library.repository import lists, roots, scans
from scriptrunner.library.scan_job import LibraryJob
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate

FILES = 20_000
MANY_FILES = 100_000
FILES_PER_FOLDER = 20
REPEATS = 5
LISTS = {
    "first page": ScriptFilter(),
    "rare word in paths": ScriptFilter(search="script_4711"),
    "common word in paths": ScriptFilter(search="folder"),
    "one language": ScriptFilter(language="SQL"),
    "language and word": ScriptFilter(language="SQL", search="_99"),
}


def main() -> None:
    """Print ratios of scans to walks, times of lists, and the growth of memory."""
    measure(FILES, MANY_FILES)


def measure(files: int, many: int) -> None:
    """Measure with ``files`` for the scans and ``many`` for lists and memory."""
    print_machine()
    folder = Path(tempfile.mkdtemp(prefix="library-"))
    try:
        # Memory first: what was needed once stays with the process.
        with_many(folder / "large", many)
        with_scans(folder / "small", files)
    finally:
        shutil.rmtree(folder)


def with_scans(folder: Path, files: int) -> None:
    """Print the ratios of a first scan and of rescans."""
    tree = make_tree(folder / "tree", files)
    reading, looking, first, again = [], [], [], []
    for number in range(REPEATS):
        library = Library(folder / f"data{number}")
        library.scan(make_tree(folder / f"tiny{number}", 1))
        reading.append(timed(lambda: walk_and_read(tree)))
        first.append(timed(lambda: library.scan(tree)))  # noqa: B023 - called at once
        looking += [timed(lambda: walk_and_stat(tree)) for _ in range(3)]
        again += [timed(lambda: library.scan(tree)) for _ in range(3)]  # noqa: B023
        library.close()
    print_values("bare walk that reads", [each * 1000 for each in reading], "ms")
    print_values("bare walk that stats", [each * 1000 for each in looking], "ms")
    print_values("first scan", [each * 1000 for each in first], "ms")
    print_values("rescan", [each * 1000 for each in again], "ms")
    print_claim("first scan", min(first) / min(reading), "x", claim="at most 4 times")
    print_claim("rescan", min(again) / min(looking), "x", claim="at most 2 times")


def with_many(folder: Path, files: int) -> None:
    """Print the growth of memory during a scan of many files, and the times of lists."""
    tree = make_tree(folder / "tree", files)
    library = Library(folder / "data")
    library.scan(make_tree(folder / "tiny", 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    library.scan(tree)
    library.scan(tree)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print_claim(f"memory, {files} files", grown, "MiB", claim="under 60 MiB more")
    worst = 0.0
    for name, wanted in LISTS.items():
        times = [timed(lambda: library.list(wanted)) * 1000 for _ in range(20)]  # noqa: B023
        worst = max(worst, print_values(name, times, "ms"))
    print_claim("slowest list", worst, "ms", claim="under 50 ms")
    library.close()


class Library:
    """A database with one job that scans, in a folder of its own."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True)
        self.database = Database(f"sqlite:///{data}/runs.db")
        migrate(self.database)
        self.clock = SystemClock()
        self.job = LibraryJob(
            self.database, data_dir=data, clock=self.clock, announce=lambda: None
        )
        self.roots: dict[Path, int] = {}

    def scan(self, tree: Path) -> None:
        """Scan a tree to the end; its texts are not indexed."""
        now = self.clock.utc_now()
        with self.database.write() as connection:
            if tree not in self.roots:
                number = roots.insert(
                    connection,
                    path=str(tree),
                    name=tree.name,
                    options=RootOptions(),
                    now=now,
                )
                assert number is not None  # noqa: S101 - for the type checker
                self.roots[tree] = number
            scan = scans.insert(connection, self.roots[tree], now=now)
        self.job.do_scans(threading.Event())
        with self.database.read() as connection:
            found = scans.find(connection, scan.id)
        if found is None or found.status != "completed":
            raise RuntimeError(f"the scan did not end well: {found}")

    def list(self, wanted: ScriptFilter) -> None:
        """Ask for the first page of a list."""
        with self.database.read() as connection:
            lists.list_page(
                connection,
                wanted,
                sort=SortKey.NAME,
                descending=False,
                page=1,
                page_size=50,
            )

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def make_tree(folder: Path, files: int) -> Path:
    """Make small scripts of a few hundred bytes, some in a folder each."""
    random.seed(1)
    for number in range(files):
        place = number // FILES_PER_FOLDER
        path = folder / f"folder_{place % 40}" / f"part_{place}"
        if number % FILES_PER_FOLDER == 0:
            path.mkdir(parents=True)
        lines = [f"value_{n} = {random.randrange(10**6)}\n" for n in range(number % 35)]  # noqa: S311
        suffix = "sql" if number % 10 == 0 else "py"
        text = f'"""Script {number}."""\nimport os\n' + "".join(lines)
        (path / f"script_{number}.{suffix}").write_text(text)
    return folder


def walk_and_read(folder: Path) -> int:
    """Return the number of lines of all files below ``folder``."""
    lines = 0
    todo = [str(folder)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                else:
                    with open(entry.path, "rb") as file:  # noqa: PTH123 - as bare as can be
                        lines += file.read().count(b"\n")
    return lines


def walk_and_stat(folder: Path) -> int:
    """Return the size of all files below ``folder``."""
    size = 0
    todo = [str(folder)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    return size


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that ``action`` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--many", type=int, default=MANY_FILES)
    given = parser.parse_args()
    measure(given.files, given.many)
