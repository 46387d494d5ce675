"""One database engine with two doors: ``read()`` and ``write()``.

SQLite transactions that may write begin IMMEDIATE: a read that turns into a write would
fail at once with "database is locked", whatever the busy timeout is. On PostgreSQL the
same code runs with ordinary transactions.
"""

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.engine import make_url

from scriptrunner.errors import StorageFullError, UnavailableError
from scriptrunner.fault_points import pass_point

#: Times that a transaction is begun when the server is lost.
TRIES = 3
#: Beginnings of PostgreSQL's codes of a lost connection or a server that shuts down.
_LOST_STATES = ("08", "57P")

#: ``Connection`` is here for those who pass one on and know no SQL.
__all__ = [
    "Connection",
    "Database",
    "DatabaseBusyError",
    "DatabaseGoneError",
    "begin",
    "is_busy",
    "is_full",
    "is_lost",
]

T = TypeVar("T")

#: Connections kept open: one per thread that may hold one (web threads, supervisor).
POOL_SIZE = 40
#: How long SQLite itself waits for a lock before the wait is repeated, in milliseconds.
BUSY_TIMEOUT_MS = 1_000


class DatabaseBusyError(UnavailableError):
    """The database stayed locked for longer than a request may wait."""

    code = "busy"


class DatabaseGoneError(DatabaseBusyError):
    """The database server cannot be reached."""


class Database:
    """Connections to one database; threads may share it, processes may not.

    Args:
        url: SQLAlchemy URL (``sqlite:///…`` or ``postgresql://…``).
        wait_seconds: How long ``write()`` keeps trying to begin, in seconds.
        durable: True also survives a power cut (SQLite ``synchronous=FULL``).
    """

    def __init__(
        self, url: str, *, wait_seconds: float = 30.0, durable: bool = False
    ) -> None:
        """Prepare the engine; nothing is opened before the first use."""
        self.url = make_url(url)
        self.wait_seconds = wait_seconds
        self._durable = durable
        self.engine = self._make_engine()
        self._writer = self.engine.execution_options(write=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None with a server."""
        return Path(self.url.database or "") if self.is_sqlite else None

    def _make_engine(self) -> Engine:
        if not self.is_sqlite:
            url = self.url
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+psycopg")
            return sqlalchemy.create_engine(
                url,
                pool_size=POOL_SIZE,
                max_overflow=0,
                pool_pre_ping=True,
                pool_timeout=30,
            )
        engine = sqlalchemy.create_engine(
            self.url,
            poolclass=sqlalchemy.pool.QueuePool,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=self.wait_seconds,
            connect_args={
                "check_same_thread": False,
                "timeout": BUSY_TIMEOUT_MS / 1000,
            },
        )
        event.listen(engine, "connect", self._prepare)
        event.listen(engine, "begin", begin)
        return engine

    def _prepare(self, connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours
        synchronous = "FULL" if self._durable else "NORMAL"
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "journal_size_limit=67108864",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading only; keep it open for milliseconds."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that may write; commit at the end.

        Raises:
            DatabaseBusyError: If no lock could be had within ``wait_seconds``. Nothing
                was done then.
            StorageFullError: If the disk is full. Nothing was done then.
        """
        with _translated(), self._begin_write() as connection:
            yield connection
            pass_point("database.commit")
            connection.commit()

    @contextmanager
    def _begin_write(self) -> Iterator[Connection]:
        deadline = time.monotonic() + self.wait_seconds
        with self._writer.connect() as connection:
            while True:
                try:
                    connection.begin()
                    break
                except exc.OperationalError as error:
                    if not is_busy(error) or time.monotonic() > deadline:
                        raise
            yield connection

    def retrying(self, action: Callable[[Connection], T]) -> T:
        """Return ``action(connection)`` run in one write transaction.

        A lost PostgreSQL connection is tried again, so ``action`` must be safe to repeat
        (compare-and-set statements are).

        Raises:
            DatabaseGoneError: If the server cannot be reached; whether the last try was
                committed is not known then.
        """
        for _ in range(TRIES - 1):
            try:
                with self.write() as connection:
                    return action(connection)
            except DatabaseGoneError:
                continue
        with self.write() as connection:
            return action(connection)

    def close(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()


def begin(connection: Connection) -> None:
    """Begin a transaction of SQLite, IMMEDIATE if it may write (an engine's listener)."""
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def is_busy(error: exc.DBAPIError) -> bool:
    """Return whether ``error`` says that somebody else holds SQLite's lock."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def is_full(error: exc.DBAPIError) -> bool:
    """Return whether ``error`` says that the disk of the database is full."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return bool((code & 0xFF) == sqlite3.SQLITE_FULL)
    return getattr(error.orig, "sqlstate", None) == "53100"


def is_lost(error: exc.DBAPIError) -> bool:
    """Return whether ``error`` says that there is no connection to the server (any more)."""
    if error.connection_invalidated:
        return True
    if getattr(error.orig, "sqlite_errorcode", None) is not None:
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # nobody answered who could have given one
        return isinstance(error, exc.OperationalError)
    return str(state).startswith(_LOST_STATES)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.DBAPIError as error:
        if is_busy(error):
            raise DatabaseBusyError from error
        if is_full(error):
            raise StorageFullError from error
        if is_lost(error):
            raise DatabaseGoneError from error
        raise
    except exc.TimeoutError as error:
        raise DatabaseBusyError from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFullError from error
        raise
