"""Folder roots and their scans, as people ask for them."""

from collections.abc import Callable, Mapping
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.library.errors import (
    FolderRootNotFoundError,
    RootExistsError,
    ScanFinishedError,
    ScanNotFoundError,
)
from scriptrunner.library.models import Root, RootOptions, Scan, ScanReason, ScanStatus
from scriptrunner.library.places import RootPolicy
from scriptrunner.library.repository import roots, scans
from scriptrunner.storage.database import Connection, Database

#: Scripts that one transaction removes.
DELETE_ROWS = 2_000
#: Scans of a root that are listed.
SHOWN_SCANS = 20
#: Largest number of an id; larger ones are of nothing.
MAX_ID = 2**63 - 1


class RootDesk:
    """Adds, lists, changes, scans and removes folder roots. Threads may share it.

    Args:
        database: The migrated database.
        policy: Which folders may be roots.
        clock: Tells the times.
        wake: Tells the supervisor that there is a scan to do.
        announce: Tells all web workers that a scan has changed.
    """

    def __init__(
        self,
        database: Database,
        *,
        policy: RootPolicy,
        clock: Clock,
        wake: Callable[[], None],
        announce: Callable[[], None],
    ) -> None:
        """Hold nothing yet."""
        self._database = database
        self._policy = policy
        self._clock = clock
        self._wake = wake
        self._announce = announce

    def list_roots(self) -> list[Root]:
        """Return all roots by name, with counts and newest scans."""
        with self._database.read() as connection:
            return roots.list_all(connection)

    def get_root(self, root_id: int) -> Root:
        """Return one root, with counts and its newest scan.

        Raises:
            FolderRootNotFoundError: If there is none.
        """
        for root in self.list_roots():
            if root.id == root_id:
                return root
        raise FolderRootNotFoundError

    def add(self, path: str, *, name: str, options: RootOptions) -> Root:
        """Add a folder as a root; it is not scanned yet.

        Raises:
            FolderMissingError: If it is no folder.
            RootNotAllowedError: If it may not be a root.
            RootExistsError: If it is one already.
        """
        real = self._policy.resolve(path)

        def add(connection: Connection) -> int:
            number = roots.insert(
                connection,
                path=real,
                name=name,
                options=options,
                now=self._clock.utc_now(),
            )
            if number is None:
                raise RootExistsError
            return number

        root = self.get_root(self._database.retrying(add))
        if options.watch:
            self._wake()
        return root

    def change(self, root_id: int, values: Mapping[str, Any]) -> Root:
        """Change name or options of a root; they count from the next scan on.

        Raises:
            FolderRootNotFoundError: If there is none.
        """
        _check_id(root_id, FolderRootNotFoundError)

        def change(connection: Connection) -> None:
            if roots.find(connection, root_id, lock=True) is None:
                raise FolderRootNotFoundError
            if values:
                roots.change(connection, root_id, values)

        self._database.retrying(change)
        if values.get("watch"):
            self._wake()
        return self.get_root(root_id)

    def delete(self, root_id: int) -> int:
        """Remove a root with its scripts, and return how many there were.

        Its scans end first. Scripts go in groups, so that nobody waits long for the
        database; runs keep their records.

        Raises:
            FolderRootNotFoundError: If there is none.
        """
        _check_id(root_id, FolderRootNotFoundError)

        def end_scan(connection: Connection) -> None:
            if roots.find(connection, root_id, lock=True) is None:
                raise FolderRootNotFoundError
            running = scans.find_running(connection, root_id)
            if running is not None:
                self._cancel(connection, running)

        self._database.retrying(end_scan)
        deleted = 0
        while count := self._database.retrying(
            lambda connection: roots.delete_scripts(
                connection, root_id, limit=DELETE_ROWS
            )
        ):
            deleted += count
        deleted += self._database.retrying(lambda each: _remove(each, root_id))
        self._announce()
        return deleted

    # Scans

    def scan(self, root_id: int) -> Scan:
        """Begin a scan in the background, or return the one that is under way.

        Raises:
            FolderRootNotFoundError: If there is no such root.
        """
        _check_id(root_id, FolderRootNotFoundError)

        def begin(connection: Connection) -> Scan:
            if roots.find(connection, root_id, lock=True) is None:
                raise FolderRootNotFoundError
            running = scans.find_running(connection, root_id)
            if running is not None:
                return running
            return scans.insert(connection, root_id, now=self._clock.utc_now())

        scan = self._database.retrying(begin)
        self._wake()
        self._announce()
        return scan

    def get_scan(self, root_id: int, scan_id: int) -> Scan:
        """Return a scan of a root.

        Raises:
            ScanNotFoundError: If there is none, or it is of another root.
        """
        _check_id(scan_id, ScanNotFoundError)
        with self._database.read() as connection:
            scan = scans.find(connection, scan_id)
        if scan is None or scan.root_id != root_id:
            raise ScanNotFoundError
        return scan

    def list_scans(self, root_id: int) -> list[Scan]:
        """Return the newest scans of a root, newest first.

        Raises:
            FolderRootNotFoundError: If there is no such root.
        """
        _check_id(root_id, FolderRootNotFoundError)
        with self._database.read() as connection:
            if roots.find(connection, root_id) is None:
                raise FolderRootNotFoundError
            return scans.list_of_root(connection, root_id, limit=SHOWN_SCANS)

    def cancel_scan(self, root_id: int, scan_id: int) -> Scan:
        """End a running scan; what it has found so far stays.

        Raises:
            ScanNotFoundError: If there is none, or it is of another root.
            ScanFinishedError: If it is over.
        """
        scan = self.get_scan(root_id, scan_id)
        if not self._database.retrying(
            lambda connection: self._cancel(connection, scan)
        ):
            raise ScanFinishedError
        self._announce()
        return self.get_scan(root_id, scan_id)

    def list_changed(self, after: int, up_to: int) -> list[Scan]:
        """Return scans that changed after one number and not after another."""
        with self._database.read() as connection:
            found = scans.list_changed(connection, after=after, limit=200)
        return [scan for scan in found if scan.change <= up_to]

    def _cancel(self, connection: Connection, scan: Scan) -> bool:
        """End a scan; its worker notices with its next report and stops."""
        return scans.end(
            connection,
            scan.id,
            now=self._clock.utc_now(),
            status=ScanStatus.FAILED,
            reason=ScanReason.CANCELLED,
            error_message="The scan was cancelled",
        )


def _remove(connection: Connection, root_id: int) -> int:
    """Remove a root and the scripts that a scan has found meanwhile; return how many."""
    if roots.find(connection, root_id, lock=True) is None:
        raise FolderRootNotFoundError
    deleted = 0
    while count := roots.delete_scripts(connection, root_id, limit=DELETE_ROWS):
        deleted += count
    roots.remove(connection, root_id)
    return deleted


def _check_id(number: int, error: type[Exception]) -> None:
    """Refuse numbers that no id can have before the database sees them."""
    if not 0 < number <= MAX_ID:
        raise error
