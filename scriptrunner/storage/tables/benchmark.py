"""Benchmarks: what a script cost at a time that somebody gave a name and a version."""

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from scriptrunner.storage.tables.columns import (
    JsonText,
    UtcTime,
    metadata,
    number_key,
)

#: One row per version of a benchmark; never changed.
benchmarks = Table(
    "benchmarks",
    metadata,
    number_key(),
    Column("name", String(100), nullable=False),
    Column("version", String(100), nullable=False),
    Column("script_key", BigInteger, nullable=False),
    Column("script_path", Text, nullable=False),
    #: The history it was taken from; null for the service's own.
    Column("history_db", Text),
    Column("notes", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("days", Integer, nullable=False),
    Column("sample_count", Integer, nullable=False),
    #: Per metric the summary (mean, stdev, median, min, max, count).
    Column("summary", JsonText, nullable=False),
    #: Per metric the measured values, oldest first, for tests of significance.
    Column("samples", JsonText, nullable=False),
    UniqueConstraint("name", "version"),
)
