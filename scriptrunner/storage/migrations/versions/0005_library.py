"""Folder roots, scans, scripts, their versions and tags."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
