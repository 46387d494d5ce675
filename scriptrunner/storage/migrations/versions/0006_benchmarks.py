"""Benchmarks: named and versioned snapshots of what a script costs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table of benchmarks."""
    op.create_table(
        "benchmarks",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("script_key", sa.BigInteger(), nullable=False),
        sa.Column("script_path", sa.Text(), nullable=False),
        sa.Column("history_db", sa.Text()),
        sa.Column("notes", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("samples", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_benchmarks"),
        sa.UniqueConstraint("name", "version", name="uq_benchmarks_name_version"),
    )
