"""What a scan reads and writes of scripts: the known files in order, and what is new."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Row,
    bindparam,
    func,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.types import TypeEngine

from scriptrunner.library.repository.bulk import insert_rows
from scriptrunner.storage.database import Database
from scriptrunner.storage.tables import (
    UtcTime,
    script_contents,
    script_folders,
    script_versions,
    scripts,
)
from scriptrunner.storage.upsert import insert_into

#: Known files that are fetched at once.
CHUNK_ROWS = 4_000


def _plain(each: Column[Any]) -> TypeEngine[Any]:
    """Return the type that passes numbers of times on as they are."""
    return BigInteger() if isinstance(each.type, UtcTime) else each.type


#: Name, inode, size, time, missing, id, hash, shown time: in the order of names.
_KNOWN = (
    select(
        scripts.c.name,
        scripts.c.inode,
        scripts.c.size,
        scripts.c.mtime_ns,
        scripts.c.missing_flag,
        scripts.c.id,
        scripts.c.sha256,
        type_coerce(scripts.c.mtime, BigInteger),
    )
    .where(
        scripts.c.root_id == bindparam("root_id"),
        scripts.c.folder == bindparam("folder"),
        scripts.c.name > bindparam("name"),
    )
    .order_by(scripts.c.name)
    .limit(CHUNK_ROWS)
)
#: What is written of a file that was read, in the order of ``FileRow``.
FILE_COLUMNS = (
    scripts.c.folder,
    scripts.c.name,
    scripts.c.name_folded,
    scripts.c.path,
    scripts.c.path_folded,
    scripts.c.extension,
    scripts.c.language,
    scripts.c.size,
    scripts.c.mtime,
    scripts.c.mtime_ns,
    scripts.c.inode,
    scripts.c.line_count,
    scripts.c.sha256,
    scripts.c.content_id,
    scripts.c.updated_at,
)
_NEW_COLUMNS = (
    *FILE_COLUMNS,
    scripts.c.root_id,
    scripts.c.created_at,
    scripts.c.content_since,
)
_CONTENT_COLUMNS = (
    script_contents.c.sha256,
    script_contents.c.size,
    script_contents.c.data,
    script_contents.c.packed,
)
_CHANGE = (
    update(scripts)
    .where(scripts.c.id == bindparam("number"))
    .values(
        {
            each.name: bindparam(f"new_{each.name}", type_=_plain(each))
            for each in FILE_COLUMNS
        }
        | {"missing_flag": False}
    )
)
_TOUCH = (
    update(scripts)
    .where(scripts.c.id == bindparam("number"))
    .values(inode=bindparam("new_inode"), mtime_ns=bindparam("new_mtime_ns"))
)

#: The values of ``FILE_COLUMNS``, times in microseconds since 1970.
FileRow = tuple[Any, ...]
KnownRow = Row[str, int, int, int, bool, int, str, int]


@dataclass(slots=True)
class FolderState:
    """What a scan saw in one folder."""

    mark: int
    file_count: int
    skipped_count: int


def list_folders(connection: Connection, root_id: int) -> dict[str, FolderState]:
    """Return the state of every folder of a root that has scripts."""
    rows = connection.execute(
        select(
            script_folders.c.folder,
            script_folders.c.mark,
            script_folders.c.file_count,
            script_folders.c.skipped_count,
        ).where(script_folders.c.root_id == root_id)
    )
    return {row[0]: FolderState(*row[1:]) for row in rows}


def keep_folders(
    connection: Connection, root_id: int, states: Mapping[str, FolderState]
) -> None:
    """Write the states of some folders of a root."""
    if not states:
        return
    statement = insert_into(connection, script_folders)
    changed = {
        name: statement.excluded[name]
        for name in ("mark", "file_count", "skipped_count")
    }
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["root_id", "folder"], set_=changed
        ),
        [
            {"root_id": root_id, "folder": folder, **asdict(state)}
            for folder, state in states.items()
        ],
    )


def iter_known(database: Database, root_id: int, folder: str) -> Iterator[KnownRow]:
    """Yield what is known of a folder, missing files too, by name.

    It is read in pieces, so that no transaction stays open meanwhile.
    """
    place = {"root_id": root_id, "folder": folder, "name": ""}
    while True:
        with database.read() as connection:
            rows = connection.execute(_KNOWN, place).all()
        yield from rows
        if len(rows) < CHUNK_ROWS:
            return
        place["name"] = rows[-1][0]


def count_known(connection: Connection, root_id: int) -> int:
    """Return how many files of a root are known and not missing."""
    statement = select(func.count()).where(
        scripts.c.root_id == root_id, ~scripts.c.missing_flag
    )
    count: int = connection.execute(statement).scalar_one()
    return count


def list_same(
    connection: Connection, root_id: int, content_ids: Iterable[int]
) -> Sequence[Row[int, str, str, int, bool]]:
    """Return id, folder, name, content and missing of scripts with some contents."""
    return connection.execute(
        select(
            scripts.c.id,
            scripts.c.folder,
            scripts.c.name,
            scripts.c.content_id,
            scripts.c.missing_flag,
        )
        .where(
            scripts.c.content_id.in_(list(content_ids)), scripts.c.root_id == root_id
        )
        .order_by(scripts.c.id)
    ).all()


def insert_new(
    connection: Connection, root_id: int, rows: Sequence[FileRow], *, now_us: int
) -> None:
    """Add scripts of one root; ``now_us`` is now in microseconds since 1970."""
    new = [(*row, root_id, now_us, now_us) for row in rows]
    insert_rows(connection, scripts, _NEW_COLUMNS, new)


def change(connection: Connection, rows: Sequence[tuple[int, FileRow]]) -> None:
    """Write what scripts have become: ``(id, values)`` each; they are there again."""
    names = [f"new_{each.name}" for each in FILE_COLUMNS]
    if rows:
        connection.execute(
            _CHANGE,
            [
                {"number": number, **dict(zip(names, values, strict=True))}
                for number, values in rows
            ],
        )


def touch(connection: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Write ``(id, inode, mtime_ns)`` of files that are as they were."""
    if rows:
        names = ("number", "new_inode", "new_mtime_ns")
        connection.execute(_TOUCH, [dict(zip(names, row, strict=True)) for row in rows])


def supersede(
    connection: Connection,
    ids: Sequence[int],
    *,
    now: datetime,
    last_seen_at: datetime,
) -> None:
    """Keep the present contents of scripts as earlier versions; new ones follow.

    A content that a script had before is seen from its first to its last time.
    """
    if not ids:
        return
    last = literal(last_seen_at, UtcTime)
    present = select(
        scripts.c.id, scripts.c.content_id, scripts.c.content_since, last
    ).where(scripts.c.id.in_(ids))
    names = ["script_id", "content_id", "first_seen_at", "last_seen_at"]
    statement = insert_into(connection, script_versions).from_select(names, present)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["script_id", "content_id"],
            set_={"last_seen_at": statement.excluded.last_seen_at},
        )
    )
    connection.execute(
        update(scripts).where(scripts.c.id.in_(ids)).values(content_since=now)
    )


def keep_contents(
    connection: Connection, contents: Mapping[str, bytes]
) -> dict[str, int]:
    """Keep contents that are not there yet, and return the ids of all of them.

    Args:
        connection: One that may write.
        contents: Bytes by their sha256.
    """
    if not contents:
        return {}
    rows = [(sha256, len(data), data, False) for sha256, data in contents.items()]
    inserted = insert_rows(
        connection,
        script_contents,
        _CONTENT_COLUMNS,
        rows,
        keep=script_contents.c.sha256,
        returning=(script_contents.c.sha256, script_contents.c.id),
    )
    ids: dict[str, int] = dict(inserted)
    known_before = [sha256 for sha256 in contents if sha256 not in ids]
    if known_before:
        found = connection.execute(
            select(script_contents.c.sha256, script_contents.c.id).where(
                script_contents.c.sha256.in_(known_before)
            )
        )
        ids |= {row[0]: row[1] for row in found}
    return ids


def mark_missing(connection: Connection, ids: Sequence[int], *, now: datetime) -> int:
    """Mark scripts as gone; return how many were there until now."""
    if not ids:
        return 0
    statement = (
        update(scripts)
        .where(scripts.c.id.in_(ids), ~scripts.c.missing_flag)
        .values(missing_flag=True, updated_at=now)
    )
    return connection.execute(statement).rowcount
