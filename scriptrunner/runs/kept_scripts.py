"""The bytes of scripts, kept by their hash as long as some run has run them."""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import deletion
from scriptrunner.storage.database import Connection, Database

_HASH_DIGITS = frozenset("0123456789abcdef")


class KeptScripts:
    """The folder ``scripts/`` of one data folder. Threads may share it.

    Args:
        database: The migrated database.
        folder: Holds a file per content, named by its sha256.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        """Touch nothing yet."""
        self._database = database
        self._folder = folder

    def remove_unused(self, digests: Collection[str]) -> None:
        """Remove the bytes of ``digests`` that no run refers to, and none will soon.

        A claim is a write, too, and a script is only read after it. So whoever holds the
        turn to write, and sees nothing starting, removes nothing that anybody is about to
        run from here; who comes later finds it missing and keeps it anew.
        """
        with self._database.read() as connection:
            unused = deletion.list_unused_scripts(connection, digests)
        if unused:
            self._database.retrying(lambda each: self._remove(each, unused))

    def _remove(self, connection: Connection, digests: Collection[str]) -> None:
        change_counter.reserve(connection, 0)
        for digest in deletion.list_unused_scripts(connection, digests):
            with suppress(FileNotFoundError):
                (self._folder / digest).unlink()

    def iter_old(self, *, before: float) -> Iterator[str]:
        """Yield the hashes of bytes that were kept before a time.

        Drafts as old as that were left by somebody who was killed; they go.

        Args:
            before: In seconds since 1970.
        """
        try:
            entries = os.scandir(self._folder)
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime >= before:
                        continue
                    if is_digest(entry.name):
                        yield entry.name
                    elif entry.name.endswith(".tmp"):
                        Path(entry.path).unlink()


def is_digest(name: str) -> bool:
    """Return whether a file name is a sha256."""
    return len(name) == 64 and _HASH_DIGITS.issuperset(name)
