"""What the steps of runs keep for later runs."""

from sqlalchemy import Column, String, Table, Text

from scriptrunner.storage.tables.columns import JsonText, UtcTime, metadata

#: Metrics of good runs by name; the newest of a name wins.
baselines = Table(
    "baselines",
    metadata,
    Column("name", Text, primary_key=True),
    Column("metrics", JsonText, nullable=False),
    #: The run that saved it; it may be deleted by now.
    Column("run_id", String(36), nullable=False),
    Column("saved_at", UtcTime, nullable=False),
)
