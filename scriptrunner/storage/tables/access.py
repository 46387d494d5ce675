"""Who may come in: tokens, logins, and the audit of what was asked for."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from scriptrunner.storage.tables.columns import UtcTime, metadata, number_key

#: Access tokens; only the hash of the secret is kept.
tokens = Table(
    "tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("revoked", Boolean, nullable=False, server_default=text("false")),
    #: The one event that its bearer may fire (role ``event``), else None.
    Column("scope", String(128)),
    #: When it becomes worthless by itself; None: never.
    Column("expires_at", UtcTime),
)

#: Browser logins: the hash of the cookie, the token it came from, its last use.
sessions = Table(
    "sessions",
    metadata,
    Column("cookie_sha256", String(64), primary_key=True),
    Column(
        "token_id",
        String(16),
        ForeignKey("tokens.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
)

#: Who asked for what, from where, and what came of it; rows are only added.
audit_entries = Table(
    "audit_entries",
    metadata,
    number_key(),
    Column("at", UtcTime, nullable=False),
    Column("principal", String(128), nullable=False),
    Column("peer", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", Text, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("count", Integer, nullable=False, server_default=text("1")),
    Index("ix_audit_entries_at", "at"),
)
