"""Statements whose SQL text and conversions are worked out once.

For every execution SQLAlchemy looks a compiled statement up, puts its parameters together
and makes a context, which costs more than SQLite's own work. What is written for every
run goes this shorter way, through the same connection and its errors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert, Update

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement for one kind of database and certain parameters."""

    sql: str
    #: Parameters in the order of the text.
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


class Prepared:
    """An ``INSERT`` or ``UPDATE``, executed once per row; threads may share it."""

    def __init__(self, statement: Insert | Update) -> None:
        """Work nothing out yet."""
        self._statement = statement
        self._texts: dict[tuple[str, tuple[str, ...]], _Text] = {}

    def __call__(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]]
    ) -> int:
        """Execute the statement for ``rows`` and return how many rows it has met.

        All rows have the names of the first one. With none, nothing is done.
        """
        if not rows:
            return 0
        names = tuple(rows[0])
        key = (connection.dialect.name, names)
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._compile(connection, names)
        parameters = [text.to_parameters(row) for row in rows]
        return connection.exec_driver_sql(text.sql, parameters).rowcount

    def _compile(self, connection: Connection, names: tuple[str, ...]) -> _Text:
        dialect = connection.dialect
        # An INSERT is of the columns that the rows have; an UPDATE says which it sets.
        columns = list(names) if isinstance(self._statement, Insert) else None
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=columns)
        if compiled.positional:
            order = tuple(compiled.positiontup)
        else:
            order = tuple(compiled.binds)
        types = [compiled.binds[name].type.dialect_impl(dialect) for name in order]
        found = [each.bind_processor(dialect) for each in types]
        return _Text(
            sql=str(compiled),
            names=order,
            conversions=tuple(
                (place, convert) for place, convert in enumerate(found) if convert
            ),
            is_positional=compiled.positional,
        )
