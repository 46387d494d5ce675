"""What is done with contents after a scan, while nobody waits: text search and likeness."""

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from scriptrunner.library.fingerprints import bands_of, runs_of
from scriptrunner.library.repository import contents
from scriptrunner.storage.database import Connection, Database

#: Bytes of a text that are searched.
MAX_TEXT_BYTES = 64 << 10
#: Contents, and bytes of text, of one transaction: some 40 ms of SQLite's only lock.
GROUP_CONTENTS = 64
GROUP_BYTES = 256 << 10
#: Contents below this size are kept as they are: packing them gains nothing.
PACK_BYTES = 512
#: Seconds between two transactions, in which others get the lock.
PAUSE_SECONDS = 0.02


def index_contents(database: Database, stop: threading.Event) -> None:
    """Index what is not indexed yet, and remove what nobody needs any more.

    Every group is a transaction of its own, so the work may be cut off anywhere.
    """
    while not stop.is_set():
        if not (_index_group(database, stop) or _remove_group(database)):
            return
        stop.wait(PAUSE_SECONDS)


def searchable(data: bytes) -> str:
    """Return the beginning of a text as it is searched: in folded case, without NUL."""
    text = data[:MAX_TEXT_BYTES].decode("utf-8", "replace").casefold()
    return text.replace("\0", " ")


@dataclass(slots=True)
class _Group:
    """What has been found out and is not written yet, by the id of the content."""

    bodies: dict[int, str] = field(default_factory=dict)
    bands: dict[int, Sequence[int]] = field(default_factory=dict)
    packs: dict[int, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, number: int, data: bytes) -> None:
        """Find out about one content."""
        self.bodies[number] = searchable(data)
        self.bands[number] = bands_of(runs_of(data))
        self.size += len(self.bodies[number])
        if len(data) >= PACK_BYTES:
            self.packs[number] = zlib.compress(data, 1)


def _index_group(database: Database, stop: threading.Event) -> bool:
    with database.read() as connection:
        found = contents.list_unindexed(connection, limit=GROUP_CONTENTS)
    group = _Group()
    for number, data, _ in found:
        group.add(number, data)
        if group.size >= GROUP_BYTES or number == found[-1][0]:
            _note(database, group)
            group = _Group()
            if stop.wait(PAUSE_SECONDS):
                return True
    return bool(found)


def _note(database: Database, group: _Group) -> None:
    def note(connection: Connection) -> None:
        contents.note_indexed(connection, group.bodies, group.bands, group.packs)

    database.retrying(note)


def _remove_group(database: Database) -> bool:
    looked_at = database.retrying(
        lambda connection: contents.remove_unneeded(connection, limit=GROUP_CONTENTS)
    )
    return looked_at > 0
