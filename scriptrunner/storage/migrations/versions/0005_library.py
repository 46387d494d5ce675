"""Folder roots, scans, scripts, their versions and contents, tags, and text search."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

FTS = (
    "CREATE VIRTUAL TABLE script_texts USING fts5"
    "(body, tokenize='trigram', detail='none', columnsize=0)"
)
PLAIN = "CREATE TABLE script_texts (rowid INTEGER PRIMARY KEY, body TEXT NOT NULL)"
POSTGRESQL = "CREATE TABLE script_texts (rowid BIGINT PRIMARY KEY, body TEXT NOT NULL)"
TRIGRAMS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_script_texts_body ON script_texts USING gin (body gin_trgm_ops)",
    "CREATE INDEX ix_scripts_path ON scripts USING gin (path gin_trgm_ops)",
)


def upgrade() -> None:
    """Make the tables."""
    op.add_column("runs", sa.Column("library_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_runs_script_name_queued_at", "runs", ["script_name", "queued_at"]
    )
    _make_roots()
    _make_scans()
    _make_scripts()
    _make_versions()
    _make_tags()
    _make_search()


def _number() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(
        name, sa.Boolean(), server_default=sa.text("false"), nullable=False
    )


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)


def _ordered(name: str) -> sa.Column[str]:
    kind = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
    return sa.Column(name, kind, nullable=False)


def _of_script() -> sa.Column[int]:
    return sa.Column("script_id", sa.BigInteger(), nullable=False)


def _to_script(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["script_id"],
        ["scripts.id"],
        name=f"fk_{table}_script_id_scripts",
        ondelete="CASCADE",
    )


def _make_roots() -> None:
    op.create_table(
        "folder_roots",
        _number(),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("recursive", sa.Boolean(), nullable=False),
        sa.Column("include_patterns", sa.Text(), nullable=False),
        sa.Column("exclude_patterns", sa.Text(), nullable=False),
        sa.Column("gitignore", sa.Boolean(), nullable=False),
        sa.Column("watch", sa.Boolean(), nullable=False),
        sa.Column("last_scan_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_folder_roots"),
        sa.UniqueConstraint("path", name="uq_folder_roots_path"),
        sqlite_autoincrement=True,
    )


def _make_scans() -> None:
    op.create_table(
        "library_scans",
        _number(),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        _count("seen_count"),
        _count("new_count"),
        _count("updated_count"),
        _count("deleted_count"),
        _count("unchanged_count"),
        _count("skipped_count"),
        _count("error_count"),
        sa.Column("expected_count", sa.Integer(), nullable=True),
        sa.Column("current_path", sa.Text(), nullable=True),
        sa.Column("worker", sa.String(length=128), nullable=True),
        sa.Column("resumed_from", sa.BigInteger(), nullable=True),
        _count("resume_count"),
        sa.ForeignKeyConstraint(
            ["root_id"],
            ["folder_roots.id"],
            name="fk_library_scans_root_id_folder_roots",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_library_scans"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_library_scans_root_id_id", "library_scans", ["root_id", "id"])
    op.create_index("ix_library_scans_change", "library_scans", ["change"])
    _partial(
        "uq_library_scans_running",
        "library_scans",
        ["root_id"],
        "status = 'running'",
        unique=True,
    )


def _partial(
    name: str, table: str, columns: list[str], where: str, *, unique: bool = False
) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _make_scripts() -> None:
    op.create_table(
        "scripts",
        _number(),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        _ordered("folder"),
        _ordered("name"),
        _ordered("name_folded"),
        _ordered("path"),
        sa.Column("path_folded", sa.Text(), nullable=True),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("content_since", sa.BigInteger(), nullable=False),
        _flag("missing_flag"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "lifecycle_status",
            sa.String(length=16),
            server_default=sa.text("'active'"),
            nullable=False,
        ),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("environment", sa.String(length=200), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["root_id"],
            ["folder_roots.id"],
            name="fk_scripts_root_id_folder_roots",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_scripts"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_scripts_place", "scripts", ["root_id", "folder", "name"], unique=True
    )
    op.create_table(
        "script_folders",
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        _ordered("folder"),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("skipped_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["root_id"],
            ["folder_roots.id"],
            name="fk_script_folders_root_id_folder_roots",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("root_id", "folder", name="pk_script_folders"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scripts_content_id", "scripts", ["content_id"])
    if op.get_bind().dialect.name == "sqlite":
        listed = (
            "missing_flag name_folded path root_id extension language"
            " lifecycle_status owner environment size mtime"
        )
        op.create_index("ix_scripts_listed", "scripts", listed.split())
    else:
        named = ["missing_flag", "name_folded", "id"]
        op.create_index("ix_scripts_named", "scripts", named)


def _make_versions() -> None:
    op.create_table(
        "script_versions",
        _of_script(),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        _to_script("script_versions"),
        sa.PrimaryKeyConstraint("script_id", "content_id", name="pk_script_versions"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_script_versions_content_id", "script_versions", ["content_id"])
    op.create_table(
        "script_contents",
        _number(),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("packed", sa.Boolean(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        _flag("is_indexed"),
        _flag("is_doubtful"),
        sa.PrimaryKeyConstraint("id", name="pk_script_contents"),
        sa.UniqueConstraint("sha256", name="uq_script_contents_sha256"),
    )
    _partial(
        "ix_script_contents_todo",
        "script_contents",
        ["id"],
        "is_indexed = false OR is_doubtful = true",
    )
    op.create_table(
        "content_bands",
        sa.Column("band", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("content_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"],
            ["script_contents.id"],
            name="fk_content_bands_content_id_script_contents",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("band", "value", "content_id", name="pk_content_bands"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_content_bands_content_id", "content_bands", ["content_id"])


def _make_tags() -> None:
    op.create_table(
        "tags",
        _number(),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("name_folded", sa.String(length=150), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("name_folded", name="uq_tags_name_folded"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "script_tags",
        _of_script(),
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        _to_script("script_tags"),
        sa.ForeignKeyConstraint(
            ["tag_id"],
            ["tags.id"],
            name="fk_script_tags_tag_id_tags",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("script_id", "tag_id", name="pk_script_tags"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_script_tags_tag_id", "script_tags", ["tag_id"])


def _make_search() -> None:
    connection = op.get_bind()
    execute: Callable[[str], object] = connection.exec_driver_sql
    if connection.dialect.name == "sqlite":
        if not _tried(connection, FTS):
            execute(PLAIN)
    else:
        execute(POSTGRESQL)
        _tried(connection, *TRIGRAMS)


def _tried(connection: sa.Connection, *statements: str) -> bool:
    try:
        with connection.begin_nested():
            for statement in statements:
                connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError:
        return False
    return True
