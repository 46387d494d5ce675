"""Bring the database to the schema of this version, under a lock, at every start.

The version is read first: in the usual case it is current and Alembic, which is large, is
not imported at all. An empty database gets the tables of ``tables.py`` at once and the
newest version; a test proves that the migrations lead to the very same schema.
"""

import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import Connection, text

from scriptrunner.errors import ScriptRunnerError
from scriptrunner.storage.database import Database
from scriptrunner.storage.tables import counters, metadata

if TYPE_CHECKING:
    from alembic.config import Config

#: The newest revision in ``migrations/versions``.
HEAD = "0008"
#: Key of the lock under which PostgreSQL databases are migrated.
LOCK_KEY = int.from_bytes(
    hashlib.sha256(b"scriptrunner migrate").digest()[:8], "big", signed=True
)
MIGRATIONS = Path(__file__).with_name("migrations")


class UnknownSchemaError(ScriptRunnerError):
    """The database has a schema that this version does not know.

    Either a newer version made it, or it belongs to something else.
    """

    def __init__(self, found: str) -> None:
        """Say which version was ``found``."""
        super().__init__(
            f"The database has schema version {found!r}, this program knows versions up"
            f" to {HEAD!r}; start a newer program or name another database"
        )
        self.found = found


def migrate(database: Database) -> bool:
    """Bring the database to ``HEAD`` and return whether anything had to be done.

    Any number of processes may do so at once: one works, the others wait for it.

    Raises:
        UnknownSchemaError: If the database is newer than this program, or foreign.
        DatabaseBusyError: If the lock could not be had in time.
    """
    with database.read() as connection:
        if find_version(connection) == HEAD:
            return False
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY}
            )
        version = find_version(connection)
        if version == HEAD:
            return False
        if version is None:
            _create(connection)
        else:
            _upgrade(connection, version)
        return True


def find_version(connection: Connection) -> str | None:
    """Return the version of the schema, or None if the database is empty.

    Raises:
        UnknownSchemaError: If there are tables but no version: not a database of ours.
    """
    names = sqlalchemy.inspect(connection).get_table_names()
    if "alembic_version" not in names:
        if set(names) & set(metadata.tables):
            raise UnknownSchemaError("none")
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _create(connection: Connection) -> None:
    """Make all tables and say that they are of the newest version."""
    metadata.create_all(connection)
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(
        text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD}
    )
    connection.execute(counters.insert(), {"name": "change", "value": 0})


def _upgrade(connection: Connection, version: str) -> None:
    script = importlib.import_module("alembic.script")
    command = importlib.import_module("alembic.command")
    config = make_config(connection)
    folder = script.ScriptDirectory.from_config(config)
    if version not in {each.revision for each in folder.walk_revisions()}:
        raise UnknownSchemaError(version)
    command.upgrade(config, "head")


def make_config(connection: Connection) -> "Config":
    """Return Alembic's configuration for work on ``connection``."""
    config = importlib.import_module("alembic.config").Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    made: Config = config
    return made
