"""Putting executions into a history."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from scriptrunner.storage.prepared import Prepared
from scriptrunner.storage.tables import executions
from scriptrunner.storage.upsert import insert_into

#: Adds executions, each with its number. Every run passes here.
insert_rows = Prepared(executions.insert())


def put_row(connection: Connection, row: Mapping[str, Any]) -> int:
    """Add an execution to a history file, once however often, and return its number."""
    values = {name: value for name, value in row.items() if name != "id"}
    statement = (
        insert_into(connection, executions)
        .values({"id": None, **values})
        .on_conflict_do_update(index_elements=["run_id"], set_=values)
        .returning(executions.c.id)
    )
    number: int = connection.execute(statement).scalar_one()
    return number
