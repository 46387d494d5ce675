"""History files: SQLite files of our own making with nothing but the executions.

A file says in its header that it is one of ours (``application_id``), so a foreign
database is told apart without being opened. No WAL: reading leaves no file behind.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import Engine, event, exc
from sqlalchemy.pool import NullPool

from scriptrunner.errors import InvalidInputError
from scriptrunner.storage.database import Connection, Database, begin
from scriptrunner.storage.tables import executions, metadata

#: "SRhi" in the header of every history file.
APPLICATION_ID = int.from_bytes(b"SRhi", "big")
#: Version of the layout, in the header as well.
LAYOUT = 1
#: Seconds for which SQLite itself waits for a lock, and a run for its turn to write.
BUSY_TIMEOUT_SECONDS = 1.0
WAIT_SECONDS = 2.0
_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_LAYOUT_AT, _APPLICATION_AT = 60, 68


def is_history_header(head: bytes) -> bool:
    """Return whether a file that begins with ``head`` is a history file we can read."""
    return (
        head.startswith(_MAGIC)
        and len(head) >= _HEADER_BYTES
        and _number(head, _APPLICATION_AT) == APPLICATION_ID
        and _number(head, _LAYOUT_AT) == LAYOUT
    )


def _number(head: bytes, offset: int) -> int:
    return int.from_bytes(head[offset : offset + 4], "big")


class DamagedHistoryError(InvalidInputError):
    """This history database is damaged."""

    code = "invalid_history_db"


class HistoryFile(Database):
    """A history file; connections are opened per use, so nothing has to be closed.

    Args:
        path: Absolute path.
        may_write: Whether anything may be changed; else nothing is, and no file made.
        may_create: Whether the file is made if it is missing.
        wait_seconds: How long a locked file is waited for; by default two seconds,
            because the end of a run waits as well.
    """

    def __init__(
        self,
        path: Path,
        *,
        may_write: bool = False,
        may_create: bool = False,
        wait_seconds: float | None = None,
    ) -> None:
        """Open nothing yet."""
        self._path = path
        self._mode = "rwc" if may_create else "rw"
        self._pragmas = ["trusted_schema=OFF"]
        if not may_write and not may_create:
            # Not opened read-only: what a killed writer began has to be taken back.
            self._pragmas.append("query_only=ON")
        super().__init__(
            "sqlite://",
            wait_seconds=WAIT_SECONDS if wait_seconds is None else wait_seconds,
        )

    @property
    def file(self) -> Path | None:
        """The file."""
        return self._path

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading only; see ``Database.read``."""
        with _damage_told(), super().read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that may write; see ``Database.write``."""
        with _damage_told(), super().write() as connection:
            yield connection

    def _make_engine(self) -> Engine:
        engine = sqlalchemy.create_engine(
            "sqlite://", creator=self._connect, poolclass=NullPool
        )
        event.listen(engine, "begin", begin)
        return engine

    def _connect(self) -> sqlite3.Connection:
        address = f"file:{quote(str(self._path))}?mode={self._mode}"
        connection = sqlite3.connect(
            address,
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            check_same_thread=False,
        )
        connection.isolation_level = None  # BEGIN is ours
        for pragma in self._pragmas:
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    def prepare(self, connection: Connection) -> None:
        """Make the tables, in the transaction of ``connection``, if there are none."""
        if connection.exec_driver_sql("PRAGMA application_id").scalar():
            return
        metadata.create_all(connection, tables=[executions])
        for name, value in (
            ("application_id", APPLICATION_ID),
            ("user_version", LAYOUT),
        ):
            connection.exec_driver_sql(f"PRAGMA {name}={value}")


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except exc.DatabaseError as error:
        raise DamagedHistoryError from error
