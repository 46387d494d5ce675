"""Putting executions into a history."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from scriptrunner.storage.tables import executions

_INSERT = insert(executions)


def insert_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add executions, each with its number, by one statement."""
    if rows:
        connection.execute(_INSERT, list(rows))


def put_row(connection: Connection, row: Mapping[str, Any]) -> int:
    """Add an execution to a history file, once however often, and return its number."""
    values = {name: value for name, value in row.items() if name != "id"}
    statement = (
        sqlite_insert(executions)
        .values({"id": None, **values})
        .on_conflict_do_update(index_elements=["run_id"], set_=values)
        .returning(executions.c.id)
    )
    number: int = connection.execute(statement).scalar_one()
    return number
