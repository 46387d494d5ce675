"""The two doors of the database, on both: commit, roll back, wait, refuse, try again."""

import math
import threading
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import exc, text

from scriptrunner.errors import StorageFullError
from scriptrunner.storage.database import Database, DatabaseBusyError, DatabaseGoneError
from scriptrunner.storage.tables import counters, run_details, tokens
from tests.databases import PostgresServer


def get_change(database: Database) -> int:
    with database.read() as connection:
        value = connection.execute(
            text("SELECT value FROM counters WHERE name = 'change'")
        )
        return int(value.scalar_one())


def bump(connection) -> None:
    connection.execute(counters.update().values(value=counters.c.value + 1))


def test_a_write_is_committed_at_its_end(database: Database) -> None:
    with database.write() as connection:
        bump(connection)
        assert get_change(database) == 0
    assert get_change(database) == 1


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    def write_and_fail() -> None:
        with database.write() as connection:
            bump(connection)
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_and_fail()
    assert get_change(database) == 0


def test_a_read_cannot_be_forgotten_open(database: Database) -> None:
    for _ in range(100):
        get_change(database)
    assert database.engine.pool.checkedin() == 1  # type: ignore[attr-defined]


def test_writers_take_turns(database: Database) -> None:
    """A read that turns into a write would lose updates or fail."""

    def add_one() -> None:
        for _ in range(20):
            with database.write() as connection:
                row = connection.execute(
                    counters.select()
                    .where(counters.c.name == "change")
                    .with_for_update()
                ).one()
                connection.execute(counters.update().values(value=row.value + 1))

    threads = [threading.Thread(target=add_one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get_change(database) == 100


def test_forty_threads_may_read_at_once(database: Database) -> None:
    barrier = threading.Barrier(40)
    values: list[int] = []

    def read() -> None:
        with database.read() as connection:
            barrier.wait(timeout=10)
            values.append(connection.execute(text("SELECT 1")).scalar_one())

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [1] * 40


def test_times_and_json_are_the_same_on_both(database: Database) -> None:
    moment = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)
    row = {"id": "x", "secret_sha256": "", "name": "n", "role": "admin", "owner": "o"}
    with database.write() as connection:
        connection.execute(tokens.insert(), {**row, "created_at": moment})
    with database.read() as connection:
        found = connection.execute(tokens.select()).one()
    assert found.created_at == moment
    assert found.last_used_at is None
    assert found.revoked is False


def test_naive_times_and_strange_numbers_are_refused(database: Database) -> None:
    row = {"run_id": "x", "search_text": "", "ignored_env": [], "warnings": []}
    with pytest.raises(exc.StatementError), database.write() as connection:
        connection.execute(run_details.insert(), {**row, "request": {"n": math.nan}})


class TestSqlite:
    @pytest.fixture
    def backend(self) -> str:
        return "sqlite"

    def test_a_locked_database_is_waited_for(self, database: Database) -> None:
        held = threading.Event()

        def hold() -> None:
            with database.write() as connection:
                bump(connection)
                held.set()
                time.sleep(0.2)  # the lock must be held while the other one waits

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        with database.write() as connection:
            bump(connection)
        thread.join()
        assert get_change(database) == 2

    def test_a_database_locked_for_too_long_is_busy(
        self, database: Database, database_url: str
    ) -> None:
        hasty = Database(database_url, wait_seconds=0.1)
        with database.write() as connection:
            bump(connection)
            with pytest.raises(DatabaseBusyError), hasty.write() as other:
                bump(other)
        hasty.close()
        assert get_change(database) == 1

    def test_a_full_disk_is_told_apart_and_passes(self, database: Database) -> None:
        rows = [{"name": f"{n}" + "x" * 100_000, "value": 1} for n in range(50)]

        def fill() -> None:
            with database.write() as connection:
                connection.exec_driver_sql("PRAGMA max_page_count = 30")
                connection.execute(counters.insert(), rows)

        with pytest.raises(StorageFullError):
            fill()
        with database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
            bump(connection)
        assert get_change(database) == 1

    def test_survives_a_killed_writer(self, database: Database) -> None:
        with database.read() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
            keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
        assert (mode, keys) == ("wal", 1)


class TestPostgres:
    @pytest.fixture
    def backend(self) -> str:
        return "postgresql"

    def drop_connections(self, database: Database, postgres: PostgresServer) -> None:
        name = database.url.database
        ask = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        postgres.execute(f"{ask}'{name}'")

    def test_a_lost_connection_is_tried_again(
        self, database: Database, postgres: PostgresServer
    ) -> None:
        tries = []

        def add_one(connection) -> None:
            tries.append(1)
            bump(connection)
            if len(tries) == 1:
                self.drop_connections(database, postgres)
                connection.execute(text("SELECT 1"))

        database.retrying(add_one)
        assert len(tries) == 2
        assert get_change(database) == 1

    def test_idle_connections_may_be_lost(
        self, database: Database, postgres: PostgresServer
    ) -> None:
        assert get_change(database) == 0
        self.drop_connections(database, postgres)
        assert get_change(database) == 0

    def test_a_server_that_stays_away_is_told(
        self, database: Database, postgres: PostgresServer
    ) -> None:
        def lose(connection) -> None:
            self.drop_connections(database, postgres)
            connection.execute(text("SELECT 1"))

        with pytest.raises(DatabaseGoneError):
            database.retrying(lose)

    def test_a_server_that_is_not_there_is_told(self) -> None:
        nobody = Database("postgresql://localhost:1/x")
        with pytest.raises(DatabaseGoneError), nobody.read():
            pytest.fail("there is no such server")
        nobody.close()
