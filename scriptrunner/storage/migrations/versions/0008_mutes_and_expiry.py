"""Mutes of alerts, and tokens that end by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table of mutes and add the column; tokens that are there never expire."""
    op.create_table(
        "alert_mutes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("target_key", sa.String(length=64), nullable=False),
        sa.Column("script_path", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text()),
        sa.Column("condition", sa.Text()),
        sa.Column("muted_at", sa.BigInteger(), nullable=False),
        sa.Column("muted_by", sa.String(length=128), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_alert_mutes"),
        sa.UniqueConstraint("target_key", name="uq_alert_mutes_target_key"),
        sqlite_autoincrement=True,
    )
    op.add_column("tokens", sa.Column("expires_at", sa.BigInteger()))
