"""Triggered alerts and the outbox of their deliveries."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
