# ruff: noqa: ARG002 - the signatures are SQLAlchemy's
"""What all tables share: the metadata, and the types of times and of JSON.

Times are whole microseconds since 1970-01-01T00:00Z in ``BIGINT`` columns, so that both
databases store, compare and sort them alike; ``UtcTime`` converts. JSON is stored as text.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    event,
    text,
)

from scriptrunner.clock import from_microseconds, to_microseconds

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> int | None:
        """Return the stored number of ``value``."""
        return None if value is None else to_microseconds(value)

    def process_result_value(
        self, value: int | None, dialect: Dialect
    ) -> datetime | None:
        """Return the datetime of a stored number."""
        return None if value is None else from_microseconds(value)


class JsonText(TypeDecorator[Any]):
    """Any JSON value, stored as compact UTF-8 text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text of ``value``; NaN and infinities are refused."""
        if value is None:
            return None
        return _encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value of a stored text."""
        return None if value is None else json.loads(value)


def run_id_key() -> Column[str]:
    """Return the primary key column of a table that goes with a run."""
    return Column(
        "run_id",
        String(36),
        ForeignKey("runs.id", ondelete="CASCADE"),
        primary_key=True,
    )


def number_key() -> Column[int]:
    """Return a primary key column ``id`` of whole numbers that the database counts."""
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column("id", kind, primary_key=True)


def partial_index(name: str, *columns: Any, where: str, unique: bool = False) -> Index:
    """Return an index of the rows that meet a condition.

    The condition for PostgreSQL is put in when tables are made there: to name it here
    would load that dialect, 6 MB, in every process.
    """
    condition = text(where)
    return Index(
        name,
        *columns,
        unique=unique,
        sqlite_where=condition,
        info={"where": condition},
    )


@event.listens_for(metadata, "before_create")
def _put_in_conditions(
    target: MetaData, connection: Connection, **_options: Any
) -> None:
    if connection.dialect.name == "postgresql":
        for table in target.tables.values():
            for index in table.indexes:
                if "where" in index.info:
                    index.dialect_options["postgresql"]["where"] = index.info["where"]
