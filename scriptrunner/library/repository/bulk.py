"""Writing many rows at once, as tuples of plain values.

Half the time of a first scan would go into turning dictionaries of values into statements,
so this writes the statement itself, from names of our own tables. Times are numbers here.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Column, Connection, Table

#: Pages that SQLite keeps in memory while many rows are written, in KiB, and pages after
#: which it copies its log into the file. The usual 2 MiB would be written out and read
#: again several times within one transaction.
CACHE_KIB = 16 << 10
CHECKPOINT_PAGES = 8_000
#: Rows of one statement: counting ids on, which each statement does, costs as much as
#: several rows. SQLite takes 32,766 values at once.
STATEMENT_ROWS = 200


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
    returning: Sequence[Column[Any]] = (),
) -> list[tuple[Any, ...]]:
    """Insert ``rows``, whose values are those of ``columns`` in order.

    Args:
        connection: One that may write.
        table: Where to.
        columns: Of this table.
        rows: Values as the database stores them.
        keep: A unique column: rows that are there already stay as they are.
        returning: Columns of the rows that were inserted, to be returned.
    """
    names = ", ".join(each.name for each in columns)
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    one = f"({', '.join([mark] * len(columns))})"
    end = "" if keep is None else f" ON CONFLICT ({keep.name}) DO NOTHING"
    if returning:
        end += f" RETURNING {', '.join(each.name for each in returning)}"
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(rows), STATEMENT_ROWS):
        part = rows[start : start + STATEMENT_ROWS]
        values = ", ".join([one] * len(part))
        statement = f"INSERT INTO {table.name} ({names}) VALUES {values}{end}"  # noqa: S608 - our own names
        result = connection.exec_driver_sql(statement, tuple(chain.from_iterable(part)))
        if returning:
            found += [tuple(row) for row in result]
    return found
