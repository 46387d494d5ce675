"""One scan: the walk through a root, folder by folder, beside what is known of it.

1. A folder whose files have the names, inodes, sizes and times of the last scan is done
   with: one number says so. Else its files are laid beside what is known of it; both come
   by name, so one look at each tells what is new, changed, unchanged or gone.
2. New and changed files are read and written in groups, a short transaction each, in
   which the scan also says how far it is. So a scan that is cut off loses nothing: the
   next one does not read again what was written.
3. A new file whose bytes belonged to one that is gone is that file under another name: its
   row moves, with tags, status and notes.
4. What was not found is marked as missing at the very end, and only where the walk could
   look.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scriptrunner.clock import Clock, to_microseconds
from scriptrunner.errors import StorageFullError
from scriptrunner.library.models import Root, Scan, ScanCounts, ScanReason, ScanStatus
from scriptrunner.library.reading import (
    INODE_MASK,
    FileFacts,
    NoScriptError,
    TooLargeToListError,
    read_file,
)
from scriptrunner.library.repository import known, scans
from scriptrunner.library.repository.bulk import expect_many
from scriptrunner.library.repository.known import FolderState, KnownRow
from scriptrunner.library.walking import FileState, Found, TooManyEntriesError, Walk
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

#: Bytes that are written in one transaction, and what each file counts besides its own:
#: at most some 4,000 files, or 60 ms of SQLite's only lock.
GROUP_BYTES = 4 << 20
ROW_BYTES = 1 << 10
#: Seconds between two reports of a scan that has nothing to write.
REPORT_SECONDS = 0.5
#: Seconds that a scan may take.
MAX_SECONDS = 3_600.0
#: Ids that are marked at once.
MARK_ROWS = 500


class ScanEndedError(Exception):
    """The scan is not ours any more: cancelled, or gone with its root."""


class _StoppedEarlyError(Exception):
    """The scan may not go on; what it has found stays."""

    def __init__(self, reason: ScanReason, words: str) -> None:
        super().__init__(words)
        self.reason = reason


@dataclass(slots=True)
class _Group:
    """What has been read and is not written yet."""

    #: Files that are new, with their folders.
    new: list[tuple[str, FileFacts]] = field(default_factory=list)
    #: Known files that are other or there again.
    changed: list[tuple[str, FileFacts, KnownRow]] = field(default_factory=list)
    #: Known files that only lie elsewhere on the disk: id, inode, time.
    touched: list[tuple[int, int, int]] = field(default_factory=list)
    #: Folders that are done with.
    folders: dict[str, FolderState] = field(default_factory=dict)
    #: What writing it takes, roughly.
    size_bytes: int = 0


class Scanner:
    """Carries out one scan that was claimed.

    Args:
        database: Where the library is.
        root: What to look through.
        scan: The claimed scan.
        clock: Tells the times.
        worker: Who claimed it.
        forbidden: ``(st_dev, st_ino)`` of folders that are never entered.
        announce: Tells everybody that the scan has come further.
        is_stopped: Whether the process is about to end.
    """

    def __init__(
        self,
        database: Database,
        root: Root,
        scan: Scan,
        *,
        clock: Clock,
        worker: str,
        forbidden: frozenset[tuple[int, int]],
        announce: Callable[[], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        """Prepare; nothing is read yet."""
        self._database = database
        self._root = root
        self._scan = scan
        self._clock = clock
        self._worker = worker
        self._announce = announce
        self._is_stopped = is_stopped
        self._walk = Walk(root.path, root.options, forbidden=forbidden)
        self._prefix = f"{root.path.rstrip('/')}/"
        self._group = _Group()
        self._gone: list[int] = []
        self._moved: set[int] = set()
        #: Folders that were known and have not been visited yet.
        self._left: dict[str, FolderState] = {}
        self._has_history = False
        #: Whether nothing in the present folder has to be looked at again.
        self._is_settled = True
        self._is_asked_for = bool(root.options.include_patterns)
        self._new = self._updated = self._unchanged = 0
        self._deleted = self._skipped = self._errors = 0
        self._folder = ""
        self._report_at = time.monotonic() + REPORT_SECONDS
        self._deadline = time.monotonic() + MAX_SECONDS

    def run(self) -> None:
        """Scan and record the end, whatever it is.

        Raises:
            ScanEndedError: If somebody else has ended the scan, or the process is to
                end: then nothing is recorded.
        """
        try:
            self._run()
        except _StoppedEarlyError as error:
            self._end(ScanStatus.COMPLETED, error.reason, str(error))
        except (FileNotFoundError, NotADirectoryError):
            words = "The folder does not exist any more; its scripts stay listed"
            self._end(ScanStatus.FAILED, ScanReason.ROOT_MISSING, words)
        except StorageFullError:
            words = "The data disk is full"
            self._end(ScanStatus.FAILED, ScanReason.DISK_FULL, words)
        except OSError as error:
            words = f"The folder cannot be read: {error.strerror}"
            self._end(ScanStatus.FAILED, ScanReason.ERROR, words)

    def _run(self) -> None:
        with self._database.read() as connection:
            self._left = known.list_folders(connection, self._root.id)
        self._has_history = bool(self._left)
        early: _StoppedEarlyError | None = None
        try:
            for found in self._walk:
                self._visit(found)
                self._breathe()
            self._lose_folders()
        except TooManyEntriesError:
            words = (
                f"Only the first {self._walk.entry_count - 1} entries were looked at"
            )
            early = _StoppedEarlyError(ScanReason.TOO_MANY, words)
        except _StoppedEarlyError as error:
            early = error
        self._write()
        self._mark_gone()
        if early is not None:
            raise early
        self._end(ScanStatus.COMPLETED)

    # Comparing

    def _visit(self, found: Found) -> None:
        """Look at one folder, and remember what was seen there."""
        folder = self._folder = found.folder
        before = self._left.pop(folder, None)
        if before is not None and before.mark == found.mark():
            self._unchanged += before.file_count
            self._skipped += before.skipped_count
            return
        self._is_settled = True
        listed, skipped = self._listed(), self._skipped
        rows: Iterator[KnownRow] = iter(())
        if before is not None:
            rows = known.iter_known(self._database, self._root.id, folder)
        seen = self._compare(found, rows)
        self._group.folders[folder] = FolderState(
            mark=found.mark(seen) if self._is_settled else 0,
            file_count=self._listed() - listed,
            skipped_count=self._skipped - skipped,
        )

    def _listed(self) -> int:
        """Return how many files have been found that are listed."""
        waiting = len(self._group.new) + len(self._group.changed)
        return self._new + self._updated + self._unchanged + waiting

    def _compare(self, found: Found, rows: Iterator[KnownRow]) -> dict[str, FileState]:
        """Lay the files of a folder beside what is known of it; both come by name.

        Returns:
            The states of those that were read, by name.
        """
        seen: dict[str, FileState] = {}
        row = next(rows, None)
        for entry in found.files:
            name = entry.name
            while row is not None and row[0] < name:
                self._lose(row)
                row = next(rows, None)
            same = None
            if row is not None and row[0] == name:
                same, row = row, next(rows, None)
            if same is None or not self._is_unchanged(entry, same):
                facts = self._read(found, name, same)
                if facts is not None:
                    seen[name] = facts.state
                if self._group.size_bytes >= GROUP_BYTES:
                    # So that a scan after a cut off one knows that there are rows.
                    self._group.folders[found.folder] = FolderState(0, 0, 0)
                    self._write()
        while row is not None:
            self._lose(row)
            row = next(rows, None)
        return seen

    def _is_unchanged(self, entry: "os.DirEntry[str]", row: KnownRow) -> bool:
        """Return whether a known file need not be read again; count it then."""
        try:
            state = entry.stat(follow_symlinks=False)
        except OSError:
            return False  # reading it will tell why
        is_same = (
            row[3] == state.st_mtime_ns
            and row[2] == state.st_size
            and row[1] == state.st_ino & INODE_MASK
            and not row[4]
        )
        self._unchanged += is_same
        return is_same

    def _read(self, found: Found, name: str, row: KnownRow | None) -> FileFacts | None:
        """Read a file and take it; None if it is not to be listed."""
        try:
            facts = read_file(found.descriptor, name, is_asked_for=self._is_asked_for)
        except TooLargeToListError:
            self._skipped += 1
        except NoScriptError:
            pass
        except FileNotFoundError:
            self._is_settled = False
        except OSError:
            self._errors += 1
            self._is_settled = False
            return None
        else:
            self._take(found.folder, facts, row)
            return facts
        if row is not None:
            self._lose(row)
        return None

    def _take(self, folder: str, facts: FileFacts, row: KnownRow | None) -> None:
        group = self._group
        if not facts.mtime_ns:
            self._is_settled = False
        if row is None:
            group.new.append((folder, facts))
            group.size_bytes += facts.size + ROW_BYTES
        elif row[4] or row[6] != facts.sha256 or row[7] != facts.mtime_us:
            group.changed.append((folder, facts, row))
            group.size_bytes += facts.size + ROW_BYTES
        else:
            self._unchanged += 1
            group.size_bytes += ROW_BYTES
            group.touched.append((row[5], facts.state[0] & INODE_MASK, facts.mtime_ns))

    def _lose(self, row: KnownRow) -> None:
        """Note that a known file was not found.

        It is marked at the end only, for it may have moved. Until a scan has come so far
        the folder has to be looked at again.
        """
        if not row[4]:
            self._gone.append(row[5])
            self._is_settled = False

    def _lose_folders(self) -> None:
        """Note that the files of all folders are gone that the walk did not come to.

        A folder that could not be looked into is not gone.
        """
        for folder in self._left:
            if any(folder.startswith(each) for each in self._walk.unreadable):
                continue
            for row in known.iter_known(self._database, self._root.id, folder):
                self._lose(row)
            self._group.folders[folder] = FolderState(0, 0, 0)
            self._breathe()

    def _breathe(self) -> None:
        """Between two folders: report, and see whether to go on."""
        if self._is_stopped():
            raise ScanEndedError
        now = time.monotonic()
        if now > self._deadline:
            words = f"Stopped after {MAX_SECONDS:.0f} s, at {self._folder or '/'}"
            raise _StoppedEarlyError(ScanReason.TOO_LONG, words)
        if now >= self._report_at:
            self._write()

    # Writing

    def _write(self) -> None:
        """Write the group and how far the scan is, in one short transaction."""
        group, self._group = self._group, _Group()
        contents = _contents_of(group)

        def write(connection: Connection) -> tuple[int, int, set[int]]:
            self._report(connection, group)
            known.keep_folders(connection, self._root.id, group.folders)
            if not (group.new or group.changed or group.touched):
                return 0, 0, set()
            expect_many(connection)
            ids = known.keep_contents(connection, contents)
            return self._write_group(connection, group, ids)

        new, updated, moved = self._database.retrying(write)
        self._new += new
        self._updated += updated
        self._moved |= moved
        self._report_at = time.monotonic() + REPORT_SECONDS
        self._announce()

    def _report(self, connection: Connection, group: _Group) -> None:
        is_ours = scans.report(
            connection,
            self._scan.id,
            worker=self._worker,
            counts=self._counts(group),
            current_path=self._folder,
        )
        if not is_ours:
            raise ScanEndedError

    def _counts(self, group: _Group | None = None) -> ScanCounts:
        new = self._new + (len(group.new) if group else 0)
        updated = self._updated + (len(group.changed) if group else 0)
        skipped = self._skipped + self._walk.skipped_count
        errors = self._errors + self._walk.error_count
        return ScanCounts(
            seen_count=new + updated + self._unchanged + skipped + errors,
            new_count=new,
            updated_count=updated,
            deleted_count=self._deleted,
            unchanged_count=self._unchanged,
            skipped_count=skipped,
            error_count=errors,
        )

    def _write_group(
        self, connection: Connection, group: _Group, ids: Mapping[str, int]
    ) -> tuple[int, int, set[int]]:
        """Write a group whose contents have ``ids``; return new, updated and moved."""
        now = self._clock.utc_now()
        now_us = to_microseconds(now)
        moved = self._find_moved(connection, group, ids)
        known.supersede(
            connection,
            [row[5] for _, facts, row in group.changed if row[6] != facts.sha256],
            now=now,
            last_seen_at=self._root.last_scan_at or now,
        )
        changes = [
            (row[5], self._values(folder, facts, ids, now_us))
            for folder, facts, row in group.changed
        ]
        changes += [
            (number, self._values(*group.new[place], ids, now_us))
            for place, number in moved.items()
        ]
        known.change(connection, changes)
        rows = [
            self._values(folder, facts, ids, now_us)
            for place, (folder, facts) in enumerate(group.new)
            if place not in moved
        ]
        known.insert_new(connection, self._root.id, rows, now_us=now_us)
        known.touch(connection, group.touched)
        return len(rows), len(changes), set(moved.values())

    def _values(
        self, folder: str, facts: FileFacts, ids: Mapping[str, int], now_us: int
    ) -> known.FileRow:
        path = f"{self._prefix}{folder}{facts.name}"
        return (
            folder,
            facts.name,
            facts.name.casefold(),
            path,
            None if path.isascii() else path.casefold(),
            facts.extension,
            facts.language,
            facts.size,
            facts.mtime_us,
            facts.mtime_ns,
            facts.state[0] & INODE_MASK,
            facts.line_count,
            facts.sha256,
            ids[facts.sha256],
            now_us,
        )

    def _find_moved(
        self, connection: Connection, group: _Group, ids: Mapping[str, int]
    ) -> dict[int, int]:
        """Return which new files are known ones that moved: place in the group → id."""
        wanted = {ids[facts.sha256] for _, facts in group.new if facts.size}
        if not self._has_history or not wanted:
            return {}
        left: dict[int, list[Any]] = {}
        for row in known.list_same(connection, self._root.id, wanted):
            if row.id not in self._moved and (row.missing_flag or self._is_gone(row)):
                left.setdefault(row.content_id, []).append(row)
        moved: dict[int, int] = {}
        for place, (_, facts) in enumerate(group.new):
            candidates = left.get(ids[facts.sha256]) if facts.size else None
            if candidates:
                namesakes = [row for row in candidates if row.name == facts.name]
                chosen = (namesakes or candidates)[0]
                candidates.remove(chosen)
                moved[place] = chosen.id
        return moved

    def _is_gone(self, row: Any) -> bool:
        try:
            os.lstat(f"{self._prefix}{row.folder}{row.name}")
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    # The end

    def _mark_gone(self) -> None:
        gone = [number for number in self._gone if number not in self._moved]
        for start in range(0, len(gone), MARK_ROWS):
            part = gone[start : start + MARK_ROWS]

            def mark(connection: Connection, part: list[int] = part) -> int:
                self._report(connection, _Group())
                now = self._clock.utc_now()
                return known.mark_missing(connection, part, now=now)

            self._deleted += self._database.retrying(mark)

    def _end(
        self,
        status: ScanStatus,
        reason: ScanReason | None = None,
        words: str | None = None,
    ) -> None:
        def end(connection: Connection) -> bool:
            now = self._clock.utc_now()
            if status is ScanStatus.COMPLETED:
                scans.note_completed(connection, self._root.id, now=now)
            return scans.end(
                connection,
                self._scan.id,
                now=now,
                status=status,
                reason=reason,
                error_message=words,
                counts=self._counts(),
            )

        self._database.retrying(end)
        self._announce()


def _contents_of(group: _Group) -> dict[str, bytes]:
    """Return the contents of a group by their hashes."""
    contents = {facts.sha256: facts.data for _, facts in group.new}
    contents |= {facts.sha256: facts.data for _, facts, _ in group.changed}
    return contents
