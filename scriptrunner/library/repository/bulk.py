"""Writing many rows at once, as tuples of plain values.

Half the time of a first scan would go into turning dictionaries of values into statements,
so this writes the statement itself, from names of our own tables. Times are numbers here.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table

#: Pages that SQLite keeps in memory while many rows are written, in KiB, and pages after
#: which it copies its log into the file. The usual 2 MiB would be written out and read
#: again several times within one transaction.
CACHE_KIB = 16 << 10
CHECKPOINT_PAGES = 8_000


def expect_many(connection: Connection) -> None:
    """Prepare a connection for transactions that write many rows."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[Column[Any]],
    rows: Sequence[tuple[Any, ...]],
    *,
    keep: Column[Any] | None = None,
) -> None:
    """Insert ``rows``, whose values are those of ``columns`` in order.

    Args:
        connection: One that may write.
        table: Where to.
        columns: Of this table.
        rows: Values as the database stores them.
        keep: A unique column: rows that are there already stay as they are.
    """
    if not rows:
        return
    names = ", ".join(each.name for each in columns)
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    if keep is not None:
        statement += f" ON CONFLICT ({keep.name}) DO NOTHING"
    connection.exec_driver_sql(statement, list(rows))
