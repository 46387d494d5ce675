"""The script library: folder roots, scans, scripts with versions and contents, tags.

Paths are unlimited text, but PostgreSQL's index entries are not, so what is indexed there
is a name (at most 255 bytes) or a folder of a length that the scanner bounds.
"""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    event,
    exc,
    text,
)

from scriptrunner.storage.tables.columns import (
    UtcTime,
    metadata,
    number_key,
    partial_index,
)


def _ordered_text() -> Text:
    """Return the type of texts that are ordered by their bytes on every database."""
    return Text(collation="C").with_variant(Text(), "sqlite")


#: Folders whose scripts the library lists. Ids are never used again.
folder_roots = Table(
    "folder_roots",
    metadata,
    number_key(),
    #: Without links, as it was when it was added.
    Column("path", Text, nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("recursive", Boolean, nullable=False),
    #: Globs separated by commas; empty for none.
    Column("include_patterns", Text, nullable=False),
    Column("exclude_patterns", Text, nullable=False),
    #: Whether the ``.gitignore`` files of the folders are respected.
    Column("gitignore", Boolean, nullable=False),
    #: Whether the folder is looked at again and again.
    Column("watch", Boolean, nullable=False),
    Column("last_scan_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

#: One row per scan of a root.
library_scans = Table(
    "library_scans",
    metadata,
    number_key(),
    Column("change", BigInteger, nullable=False),
    Column(
        "root_id",
        BigInteger,
        ForeignKey("folder_roots.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    #: ``running``, ``completed`` or ``failed``.
    Column("status", String(16), nullable=False),
    #: Why it failed, as a word; None unless it did.
    Column("reason", String(32)),
    Column("error_message", Text),
    Column("seen_count", Integer, nullable=False, server_default=text("0")),
    Column("new_count", Integer, nullable=False, server_default=text("0")),
    Column("updated_count", Integer, nullable=False, server_default=text("0")),
    Column("deleted_count", Integer, nullable=False, server_default=text("0")),
    Column("unchanged_count", Integer, nullable=False, server_default=text("0")),
    Column("skipped_count", Integer, nullable=False, server_default=text("0")),
    Column("error_count", Integer, nullable=False, server_default=text("0")),
    #: Scripts that were known when it began; None at a first scan.
    Column("expected_count", Integer),
    Column("current_path", Text),
    #: The process that works on it: boot id, pid, start time.
    Column("worker", String(128)),
    #: The scan that was cut off and that this one continues.
    Column("resumed_from", BigInteger),
    #: How many scans in a row were cut off before this one.
    Column("resume_count", Integer, nullable=False, server_default=text("0")),
    Index("ix_library_scans_root_id_id", "root_id", "id"),
    Index("ix_library_scans_change", "change"),
    #: One at a time.
    partial_index(
        "uq_library_scans_running",
        "root_id",
        unique=True,
        where="status = 'running'",
    ),
    sqlite_autoincrement=True,
)

#: One row per file that was ever found below a root. Ids are never used again.
scripts = Table(
    "scripts",
    metadata,
    number_key(),
    Column(
        "root_id",
        BigInteger,
        ForeignKey("folder_roots.id", ondelete="CASCADE"),
        nullable=False,
    ),
    #: Folder below the root with a slash at its end, ``""`` for the root itself.
    Column("folder", _ordered_text(), nullable=False),
    Column("name", _ordered_text(), nullable=False),
    Column("name_folded", _ordered_text(), nullable=False),
    Column("path", _ordered_text(), nullable=False),
    #: ``path`` in folded case; None if it is ASCII, where databases can fold themselves.
    Column("path_folded", Text),
    Column("extension", Text, nullable=False),
    Column("language", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime", UtcTime, nullable=False),
    #: What a scan compares besides the size: the file as it was when it was read.
    Column("mtime_ns", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    #: Its row in ``script_contents``; numbers that grow keep the index small to write.
    Column("content_id", BigInteger, nullable=False),
    #: When this content was first seen here.
    Column("content_since", UtcTime, nullable=False),
    Column("missing_flag", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column(
        "lifecycle_status", String(16), nullable=False, server_default=text("'active'")
    ),
    Column("owner", String(200)),
    Column("environment", String(200)),
    Column("notes", Text),
    Index("uq_scripts_place", "root_id", "folder", "name", unique=True),
    Index("ix_scripts_content_id", "content_id"),
    sqlite_autoincrement=True,
)
# The whole list in the order in which it is shown: any filter and any search is a walk
# along this one index, 20 ms for 100,000 scripts.
_listed = Index(
    "ix_scripts_listed",
    scripts.c.missing_flag,
    scripts.c.name_folded,
    scripts.c.path,
    scripts.c.root_id,
    scripts.c.extension,
    scripts.c.language,
    scripts.c.lifecycle_status,
    scripts.c.owner,
    scripts.c.environment,
    scripts.c.size,
    scripts.c.mtime,
).ddl_if(dialect="sqlite")
_named = Index(
    "ix_scripts_named", scripts.c.missing_flag, scripts.c.name_folded, scripts.c.id
).ddl_if(dialect="postgresql")

#: One row per folder with scripts: what a scan saw there, as one number.
script_folders = Table(
    "script_folders",
    metadata,
    Column(
        "root_id",
        BigInteger,
        ForeignKey("folder_roots.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    #: As in ``scripts``.
    Column("folder", _ordered_text(), primary_key=True),
    #: Of names, inodes, sizes and times; 0 if it has to be looked at in any case.
    Column("mark", BigInteger, nullable=False),
    #: Files that are listed, and files that are not although they lie there.
    Column("file_count", Integer, nullable=False),
    Column("skipped_count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

#: Each content that a script had before the present one.
script_versions = Table(
    "script_versions",
    metadata,
    Column(
        "script_id",
        BigInteger,
        ForeignKey("scripts.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("content_id", BigInteger, primary_key=True),
    Column("first_seen_at", UtcTime, nullable=False),
    #: When it was last found.
    Column("last_seen_at", UtcTime, nullable=False),
    Index("ix_script_versions_content_id", "content_id"),
    sqlite_with_rowid=False,
)

#: The bytes of every version, each once.
script_contents = Table(
    "script_contents",
    metadata,
    number_key(),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    #: Whether ``data`` is compressed (zlib).
    Column("packed", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
    #: Whether text search and near duplicates know it.
    Column("is_indexed", Boolean, nullable=False, server_default=text("false")),
    #: Whether a script that had it was removed: perhaps nobody needs it any more.
    Column("is_doubtful", Boolean, nullable=False, server_default=text("false")),
    partial_index(
        "ix_script_contents_todo",
        "id",
        where="is_indexed = false OR is_doubtful = true",
    ),
)

#: Fingerprints of contents: those that share one are probably alike.
content_bands = Table(
    "content_bands",
    metadata,
    Column("band", SmallInteger, primary_key=True),
    Column("value", BigInteger, primary_key=True),
    Column(
        "content_id",
        BigInteger,
        ForeignKey("script_contents.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Index("ix_content_bands_content_id", "content_id"),
    sqlite_with_rowid=False,
)

#: Coloured words that people put on scripts.
tags = Table(
    "tags",
    metadata,
    number_key(),
    Column("name", String(50), nullable=False),
    Column("name_folded", String(150), nullable=False, unique=True),
    Column("color", String(7), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

#: Which tag is on which script.
script_tags = Table(
    "script_tags",
    metadata,
    Column(
        "script_id",
        BigInteger,
        ForeignKey("scripts.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column(
        "tag_id",
        BigInteger,
        ForeignKey("tags.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Index("ix_script_tags_tag_id", "tag_id"),
    sqlite_with_rowid=False,
)

#: The beginnings of contents in folded case, by the id of the content. SQLite has an
#: index of three-letter pieces built in; PostgreSQL has one if ``pg_trgm`` may be made.
#: Where neither is to be had the same queries work, only slower.
_FTS = (
    "CREATE VIRTUAL TABLE script_texts USING fts5"
    "(body, tokenize='trigram', detail='none', columnsize=0)"
)
_PLAIN = "CREATE TABLE script_texts (rowid INTEGER PRIMARY KEY, body TEXT NOT NULL)"
_POSTGRESQL = "CREATE TABLE script_texts (rowid BIGINT PRIMARY KEY, body TEXT NOT NULL)"
_TRIGRAMS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_script_texts_body ON script_texts USING gin (body gin_trgm_ops)",
    "CREATE INDEX ix_scripts_path ON scripts USING gin (path gin_trgm_ops)",
)


@event.listens_for(metadata, "after_create")
def _make_search(
    _target: MetaData, connection: Connection, tables: Sequence[Table], **_: object
) -> None:
    if script_contents not in tables:
        return
    if connection.dialect.name == "sqlite":
        if not _tried(connection, _FTS):
            connection.exec_driver_sql(_PLAIN)
    else:
        connection.exec_driver_sql(_POSTGRESQL)
        _tried(connection, *_TRIGRAMS)


def _tried(connection: Connection, *statements: str) -> bool:
    """Return whether all ``statements`` could be carried out; else none was."""
    try:
        with connection.begin_nested():
            for statement in statements:
                connection.exec_driver_sql(statement)
    except exc.DBAPIError:
        return False
    return True
