"""Putting executions into a history."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from scriptrunner.storage.tables import JsonText, UtcTime, executions

_INSERT = insert(executions)
_NAMES = tuple(executions.columns.keys())
_VALUES_OF = itemgetter(*_NAMES)
_INSERT_TEXT = (
    f"INSERT INTO executions ({', '.join(_NAMES)})"  # noqa: S608 - our own names
    f" VALUES ({', '.join('?' * len(_NAMES))})"
)
#: Columns whose values have another form in the database.
_CONVERTED = tuple(
    (column.name, column.type.process_bind_param)
    for column in executions.columns
    if isinstance(column.type, UtcTime | JsonText)
)


def insert_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add executions, each with its number, by one statement.

    Every run passes here. With sixty columns, most of the cost would be SQLAlchemy's care
    for each value; SQLite is handed the values themselves, in half the time.
    """
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(_INSERT, list(rows))
        return
    values = [_VALUES_OF(_to_stored(row, connection)) for row in rows]
    connection.exec_driver_sql(_INSERT_TEXT, values)


def _to_stored(row: Mapping[str, Any], connection: Connection) -> dict[str, Any]:
    stored = dict(row)
    for name, convert in _CONVERTED:
        stored[name] = convert(stored[name], connection.dialect)
    return stored


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
