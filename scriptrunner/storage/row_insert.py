"""Inserting rows with the SQL text worked out once.

A compiled ``INSERT`` is looked up, its parameters are put together and its context is made
again at every execution, which costs more than SQLite's own work. What is inserted for
every run goes this shorter way, through the same connection and its errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An ``INSERT`` of certain columns for one kind of database."""

    text: str
    #: Columns in the order of the parameters.
    names: tuple[str, ...]
    #: What becomes of the value at a place before the driver takes it.
    conversions: tuple[tuple[int, Convert], ...]
    is_positional: bool

    def to_parameters(self, row: Mapping[str, Any]) -> Any:
        values = [row[name] for name in self.names]
        for place, convert in self.conversions:
            values[place] = convert(values[place])
        if self.is_positional:
            return tuple(values)
        return dict(zip(self.names, values, strict=True))


class RowInsert:
    """Inserts rows into ``table``; threads may share it."""

    def __init__(self, table: Table) -> None:
        """Work nothing out yet."""
        self._table = table
        self._prepared: dict[tuple[str, tuple[str, ...]], _Prepared] = {}

    def __call__(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert ``rows``; all have the columns of the first. None is fine, too."""
        if not rows:
            return
        names = tuple(rows[0])
        key = (connection.dialect.name, names)
        prepared = self._prepared.get(key)
        if prepared is None:
            prepared = self._prepared[key] = self._prepare(connection, names)
        parameters = [prepared.to_parameters(row) for row in rows]
        connection.exec_driver_sql(prepared.text, parameters)

    def _prepare(self, connection: Connection, names: tuple[str, ...]) -> _Prepared:
        dialect = connection.dialect
        statement = self._table.insert()
        compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
        order = tuple(compiled.positiontup) if compiled.positional else names
        types = [self._table.c[name].type.dialect_impl(dialect) for name in order]
        found = [each.bind_processor(dialect) for each in types]
        return _Prepared(
            text=str(compiled),
            names=order,
            conversions=tuple(
                (place, convert) for place, convert in enumerate(found) if convert
            ),
            is_positional=compiled.positional,
        )
