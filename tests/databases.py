"""A fresh database per test, on SQLite and on a real PostgreSQL server.

The server is the one that ``TEST_DATABASE_URL`` names (databases are made and dropped
there), else one started once per test run from the wheel of the ``test`` extra. Each test
gets a copy of a migrated template.
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Engine, make_url

from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from tests.embedded import EmbeddedPostgres

BACKENDS = ("sqlite", "postgresql")
#: Nothing of a test run must survive a power cut.
HASTY_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")

_numbers = itertools.count(1)


class PostgresServer:
    """A server on which tests make databases; ``close`` drops what is left of them."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._admin: Engine = sqlalchemy.create_engine(
            self._url, isolation_level="AUTOCOMMIT"
        )
        self._prefix = f"scriptrunner_test_{os.getpid()}"
        self._template: str | None = None

    def make_database(self, *, template: bool = True) -> str:
        """Return the URL of a new database: migrated, or empty without ``template``."""
        name = f"{self._prefix}_{next(_numbers)}"
        source = f" TEMPLATE {self._migrated()}" if template else ""
        self.execute(f"CREATE DATABASE {name}{source}")
        return self._url_of(name)

    def drop_database(self, url: str) -> None:
        """Remove a database whoever is still connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """Run one statement as administrator, outside a transaction."""
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def _url_of(self, name: str) -> str:
        url = self._url.set(database=name, drivername="postgresql")
        return url.render_as_string(hide_password=False)

    def _migrated(self) -> str:
        if self._template is None:
            name = f"{self._prefix}_template"
            self.execute(f"CREATE DATABASE {name}")
            database = Database(self._url_of(name))
            migrate(database)
            database.close()
            self._template = name
        return self._template

    def close(self) -> None:
        """Drop the template and close all connections."""
        if self._template is not None:
            self.execute(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")
        self._admin.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server for PostgreSQL tests."""
    given = os.environ.get("TEST_DATABASE_URL")
    server = PostgresServer(given or _start_embedded())
    yield server
    server.close()


def _start_embedded() -> str:
    """Start a server of our own and return its URL."""
    url = EmbeddedPostgres().url
    admin = PostgresServer(url)
    for name in HASTY_SETTINGS:
        admin.execute(f"ALTER SYSTEM SET {name} = off")
    admin.execute("SELECT pg_reload_conf()")
    admin.close()
    return url


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """``sqlite`` or ``postgresql``: a test that uses it runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database that nobody opens any more, to be copied."""
    path = tmp_path_factory.mktemp("template") / "runs.db"
    fresh = Database(f"sqlite:///{path}")
    migrate(fresh)
    fresh.close()
    assert not path.with_name("runs.db-wal").exists()
    return path


@pytest.fixture
def database_url(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of a migrated database of this test's own, on each backend."""
    if backend == "sqlite":
        template: Path = request.getfixturevalue("migrated_file")
        shutil.copyfile(template, tmp_path / "runs.db")
        yield f"sqlite:///{tmp_path}/runs.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.make_database()
        yield url
        server.drop_database(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database of this test's own, on each backend."""
    opened = Database(database_url, wait_seconds=10)
    yield opened
    opened.close()


@pytest.fixture
def empty_database_url(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of a database in which nobody has made a table yet, on each backend."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.make_database(template=False)
        yield url
        server.drop_database(url)
