"""The schema by migrations, the schema by tables, and several processes at once."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from scriptrunner.storage import migrate as migration
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import UnknownSchemaError, find_version, migrate

INDEXES = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
}
MIGRATE = """
import sys
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
sys.stdin.readline()
database = Database(sys.argv[1])
print(migrate(database))
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(empty_database_url)
    yield database
    database.close()


def describe_schema(connection: Connection) -> dict[str, object]:
    """Everything about the schema that a program could notice, in comparable form."""
    found = sqlalchemy.inspect(connection)
    tables: dict[str, object] = {}
    for name in sorted(found.get_table_names()):
        columns = {
            each["name"]: (str(each["type"]), each["nullable"], each["default"])
            for each in found.get_columns(name)
        }
        key = found.get_pk_constraint(name)["constrained_columns"]
        foreign = sorted(
            (
                each["constrained_columns"],
                each["referred_table"],
                each["options"].get("ondelete"),
            )
            for each in found.get_foreign_keys(name)
        )
        unique = sorted(
            each["column_names"] for each in found.get_unique_constraints(name)
        )
        tables[name] = (columns, key, foreign, unique)
    statement = text(INDEXES[connection.dialect.name])
    indexes = sorted(" ".join(row[0].split()) for row in connection.execute(statement))
    return {"tables": tables, "indexes": indexes}


def migrate_by_alembic(database: Database) -> None:
    with database.write() as connection:
        command.upgrade(migration.make_config(connection), "head")


def test_migrations_lead_to_the_schema_of_tables(
    empty: Database, database: Database
) -> None:
    migrate_by_alembic(empty)
    with empty.read() as migrated, database.read() as made:
        assert describe_schema(migrated) == describe_schema(made)
        assert find_version(migrated) == find_version(made) == migration.HEAD


def test_both_ways_start_with_the_same_rows(
    empty: Database, database: Database
) -> None:
    migrate_by_alembic(empty)
    for each in (empty, database):
        with each.read() as connection:
            rows = connection.execute(text("SELECT name, value FROM counters")).all()
        assert [tuple(row) for row in rows] == [("change", 0)]


def test_head_is_the_newest_revision(empty: Database) -> None:
    with empty.read() as connection:
        config = migration.make_config(connection)
    assert ScriptDirectory.from_config(config).get_heads() == [migration.HEAD]


def test_a_current_database_is_left_alone(database: Database) -> None:
    assert migrate(database) is False


def test_several_processes_agree(empty_database_url: str, empty: Database) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    answers = [each.communicate(timeout=15)[0].strip() for each in processes]
    assert sorted(answers) == ["False", "False", "False", "True"]
    with empty.read() as connection:
        assert find_version(connection) == migration.HEAD


def test_an_older_database_is_upgraded_by_alembic(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgraded = []
    with empty.write() as connection:
        config = migration.make_config(connection)
        command.ensure_version(config)
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    monkeypatch.setattr(migration, "HEAD", "0002")
    monkeypatch.setattr(command, "upgrade", lambda *_: upgraded.append("head"))
    assert migrate(empty) is True
    assert upgraded == ["head"]


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UnknownSchemaError, match="9999"):
        migrate(database)


def test_a_foreign_database_is_refused_and_left_alone(empty: Database) -> None:
    with empty.write() as connection:
        connection.execute(text("CREATE TABLE runs (x INTEGER)"))
    with pytest.raises(UnknownSchemaError):
        migrate(empty)
    with empty.read() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == ["runs"]


def test_a_failed_migration_leaves_nothing(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BrokenCounters:
        def insert(self) -> None:
            raise RuntimeError("interrupted")

    monkeypatch.setattr(migration, "counters", BrokenCounters())
    with pytest.raises(RuntimeError, match="interrupted"):
        migrate(empty)
    with empty.read() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
