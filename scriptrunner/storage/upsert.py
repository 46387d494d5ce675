"""``INSERT`` that says what to do about rows that are there already."""

from typing import Any

from sqlalchemy import Connection, Table


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an ``INSERT`` of the connection's own dialect, with ``on_conflict_do_…``.

    The dialects are imported when they are used: that of PostgreSQL takes 7 MB along.
    """
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)
