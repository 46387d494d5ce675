"""The library's work in the background process: scans, the watch, the index of texts.

A scan is a row with status ``running``. Whoever starts one only writes the row; this job
claims it by writing its name into it. A row whose worker is dead was cut off: it ends as
failed and another scan goes on in its place, which does not read again what was written.
"""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from scriptrunner.clock import Clock
from scriptrunner.library.indexing import index_contents
from scriptrunner.library.models import Root, Scan, ScanReason, ScanStatus
from scriptrunner.library.repository import contents, known, roots, scans
from scriptrunner.library.scanner import ScanEndedError, Scanner
from scriptrunner.library.watch import Watch
from scriptrunner.library.worker_name import is_alive, own_name
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

#: Scans in a row that may be cut off before no other goes on by itself.
MAX_RESUMES = 3
#: Scans of a root that are remembered.
KEEP_SCANS = 50
#: Seconds between two looks at what is to do while a folder is watched.
LOOK_SECONDS = 0.5


class LibraryJob:
    """Scans folder roots and indexes what was found; a ``BackgroundJob``.

    Args:
        database: The migrated database.
        data_dir: The data folder, which no scan enters.
        clock: Tells the times.
        announce: Tells all web workers that a scan has come further.
    """

    name = "library scan"

    def __init__(
        self,
        database: Database,
        *,
        data_dir: Path,
        clock: Clock,
        announce: Callable[[], None],
    ) -> None:
        """Hold nothing yet."""
        self._database = database
        self._data_dir = data_dir
        self._clock = clock
        self._announce = announce
        self._watch = Watch(database, clock=clock, forbidden=self._forbidden)

    def is_due(self) -> bool:
        """Return whether there is a scan to do, a folder to watch or a text to index."""
        with self._database.read() as connection:
            if any(_is_to_do(scan) for scan in scans.list_running(connection)):
                return True
            if contents.has_work(connection):
                return True
            return bool(roots.list_watched(connection))

    def work(self, stop: threading.Event) -> None:
        """Do all that is due; may be cut off anywhere and done again.

        It goes on as long as there is a folder to watch.
        """
        is_watching = True
        while is_watching and not stop.is_set():
            is_watching = self._watch.begin_scans()
            self.do_scans(stop)
            index_contents(self._database, stop)
            if is_watching:
                stop.wait(LOOK_SECONDS)

    def do_scans(self, stop: threading.Event) -> None:
        """Do all scans that wait, and put others in the place of those cut off."""
        while not stop.is_set():
            with self._database.read() as connection:
                found = scans.list_running(connection)
            todo = [scan for scan in found if _is_to_do(scan)]
            if not todo:
                return
            for scan in todo:
                self._do(scan, stop)

    # Scans

    def _do(self, scan: Scan, stop: threading.Event) -> None:
        if scan.worker is not None:
            self._replace(scan)
            return
        root = self._database.retrying(lambda connection: self._claim(connection, scan))
        if root is None:
            return
        scanner = Scanner(
            self._database,
            root,
            scan,
            clock=self._clock,
            worker=own_name(),
            forbidden=self._forbidden(),
            announce=self._announce,
            is_stopped=stop.is_set,
        )
        try:
            scanner.run()
        except ScanEndedError:
            self._settle(scan, stop)
        except Exception:
            self._fail(scan)
            raise

    def _claim(self, connection: Connection, scan: Scan) -> Root | None:
        root = roots.find(connection, scan.root_id)
        expected = known.count_known(connection, scan.root_id)
        if root is None or not scans.claim(
            connection, scan.id, worker=own_name(), expected=expected
        ):
            return None
        scans.prune(connection, scan.root_id, keep=KEEP_SCANS)
        return root

    def _forbidden(self) -> frozenset[tuple[int, int]]:
        try:
            found = os.stat(self._data_dir)  # noqa: PTH116 - for its two numbers
        except OSError:
            return frozenset()
        return frozenset({(found.st_dev, found.st_ino)})

    def _settle(self, scan: Scan, stop: threading.Event) -> None:
        """Hand on a scan that is cut off by our own end; others have ended it already."""
        with self._database.read() as connection:
            found = scans.find(connection, scan.id)
        if stop.is_set() and found is not None and found.is_running:
            self._replace(found)

    def _fail(self, scan: Scan) -> None:
        words = "Something went wrong; the service log has the details"
        try:
            self._end(scan, ScanReason.ERROR, words)
        except Exception:
            logger.exception("the end of scan %d could not be recorded", scan.id)

    def _end(self, scan: Scan, reason: ScanReason, words: str) -> None:
        def end(connection: Connection) -> None:
            scans.end(
                connection,
                scan.id,
                now=self._clock.utc_now(),
                status=ScanStatus.FAILED,
                reason=reason,
                error_message=words,
            )

        self._database.retrying(end)
        self._announce()

    def _replace(self, scan: Scan) -> None:
        """End a scan that was cut off, and have another go on in its place."""
        goes_on = scan.resume_count < MAX_RESUMES
        words = "The scan was cut off"
        if goes_on:
            words += "; another one goes on"

        def replace(connection: Connection) -> None:
            now = self._clock.utc_now()
            was_running = scans.end(
                connection,
                scan.id,
                now=now,
                status=ScanStatus.FAILED,
                reason=ScanReason.INTERRUPTED,
                error_message=words,
            )
            if was_running and goes_on:
                scans.insert(
                    connection,
                    scan.root_id,
                    now=now,
                    resumed_from=scan.id,
                    resume_count=scan.resume_count + 1,
                )

        self._database.retrying(replace)
        self._announce()


def _is_to_do(scan: Scan) -> bool:
    """Return whether nobody works on a running scan (any more)."""
    if scan.worker is None or scan.worker == own_name():
        return True
    return not is_alive(scan.worker)
