"""Lists of scripts: filters, search, order, pages with totals, the tree."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    false,
    func,
    select,
)

from scriptrunner.library.models import (
    Place,
    Script,
    ScriptFilter,
    ScriptPage,
    SortKey,
    Tag,
)
from scriptrunner.library.repository.contents import script_texts
from scriptrunner.storage.tables import (
    folder_roots,
    script_folders,
    script_tags,
    scripts,
    tags,
)

#: Matches up to which a list is put together from their ids.
FEW_MATCHES = 1_000
#: Hits of a search in texts that are counted; there may be more.
MAX_TEXT_HITS = 2_000

_NAMES = (
    "id",
    "root_id",
    "folder",
    "name",
    "path",
    "extension",
    "language",
    "size",
    "mtime",
    "line_count",
    "sha256",
    "missing_flag",
    "created_at",
    "updated_at",
    "lifecycle_status",
    "owner",
    "environment",
)
_ITEM = select(
    *(scripts.c[name] for name in _NAMES), folder_roots.c.path.label("root_path")
).join_from(scripts, folder_roots)
_ORDERS: dict[SortKey, tuple[ColumnElement[Any], ...]] = {
    SortKey.NAME: (scripts.c.name_folded, scripts.c.path),
    SortKey.PATH: (scripts.c.path,),
    SortKey.MTIME: (scripts.c.mtime, scripts.c.path),
    SortKey.SIZE: (scripts.c.size, scripts.c.path),
}


def list_page(
    connection: Connection,
    wanted: ScriptFilter,
    *,
    sort: SortKey,
    descending: bool,
    page: int,
    page_size: int,
) -> ScriptPage:
    """Return a page of the scripts that match, and how many match in all."""
    conditions = _conditions(connection, wanted)
    is_exact = True
    if wanted.content:
        hits = _find_texts(connection, wanted.content)
        is_exact = len(hits) < MAX_TEXT_HITS
        conditions.append(_has_content(connection, hits))
    # Few matches are found by one walk along the index; many make this stop early.
    few = connection.scalars(
        select(scripts.c.id).where(*conditions).limit(FEW_MATCHES + 1)
    ).all()
    if len(few) <= FEW_MATCHES:
        conditions, total = [scripts.c.id.in_(few)], len(few)
    else:
        total = connection.execute(
            select(func.count()).select_from(scripts).where(*conditions)
        ).scalar_one()
    ids = _list_ids(
        connection,
        conditions,
        keys=(*_ORDERS[sort], scripts.c.id),
        descending=descending,
        part=range((page - 1) * page_size, min(page * page_size, total)),
        total=total,
    )
    return ScriptPage(
        items=get_many(connection, ids),
        total=total,
        page=page,
        page_size=page_size,
        total_is_exact=is_exact,
    )


def _list_ids(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    keys: Sequence[ColumnElement[Any]],
    descending: bool,
    part: range,
    total: int,
) -> Sequence[int]:
    """Return the ids at the places ``part`` of a list; the nearer end is begun at."""
    if not part:
        return ()
    from_end = part.start > total // 2
    skipped = total - part.stop if from_end else part.start
    ids = connection.scalars(
        select(scripts.c.id)
        .where(*conditions)
        .order_by(*(key.desc() if descending != from_end else key for key in keys))
        .limit(len(part))
        .offset(skipped)
    ).all()
    return ids[::-1] if from_end else ids


def get_many(connection: Connection, ids: Sequence[int]) -> list[Script]:
    """Return scripts with their tags, in the order of ``ids``."""
    if not ids:
        return []
    rows = {
        row.id: row for row in connection.execute(_ITEM.where(scripts.c.id.in_(ids)))
    }
    tags_of = _tags_of(connection, ids)
    return [
        _to_script(rows[number], tags=tags_of.get(number, ()))
        for number in ids
        if number in rows
    ]


def find(connection: Connection, script_id: int) -> Script | None:
    """Return one script with its notes, or None."""
    row = connection.execute(
        _ITEM.add_columns(scripts.c.notes).where(scripts.c.id == script_id)
    ).first()
    if row is None:
        return None
    tags_of = _tags_of(connection, [script_id])
    return _to_script(row, tags=tags_of.get(script_id, ()), notes=row.notes)


def _tags_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[Tag]]:
    rows = connection.execute(
        select(script_tags.c.script_id, *tags.c)
        .join_from(script_tags, tags)
        .where(script_tags.c.script_id.in_(ids))
        .order_by(tags.c.name_folded)
    )
    found: dict[int, list[Tag]] = {}
    for row in rows:
        tag = Tag(id=row.id, name=row.name, color=row.color, created_at=row.created_at)
        found.setdefault(row.script_id, []).append(tag)
    return found


def _to_script(row: Row[*tuple[Any, ...]], **more: Any) -> Script:
    values = {name: row._mapping[name] for name in _NAMES}
    return Script(**values, root_path=row.root_path, **more)


def _conditions(
    connection: Connection, wanted: ScriptFilter
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.missing is None:
        # Both values, so that the index that begins with this column can be used.
        found.append(scripts.c.missing_flag.in_([False, True]))
    else:
        found.append(scripts.c.missing_flag == wanted.missing)
    for name in ("root_id", "language", "extension", "owner", "environment", "folder"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(scripts.c[name] == value)
    if wanted.below is not None:
        # A range, not LIKE, which ignores the case on SQLite.
        end = wanted.below[:-1] + chr(ord("/") + 1)
        found += [scripts.c.folder >= wanted.below, scripts.c.folder < end]
    if wanted.status is not None:
        found.append(scripts.c.lifecycle_status == wanted.status)
    if wanted.tag is not None:
        found.append(_has_tag(wanted.tag))
    if wanted.search:
        found.append(_path_has(connection, wanted.search))
    return found


def _has_tag(name: str) -> ColumnElement[bool]:
    tagged = select(script_tags.c.script_id).join_from(script_tags, tags)
    return scripts.c.id.in_(tagged.where(tags.c.name == name))


def _path_has(connection: Connection, part: str) -> ColumnElement[bool]:
    """Return whether the path has ``part`` in any case.

    ASCII is folded by the databases themselves, along the index; other paths are kept
    in folded case, too.
    """
    if not part.isascii():
        folded = scripts.c.path_folded.contains(part.casefold(), autoescape=True)
        return and_(scripts.c.path_folded.is_not(None), folded)
    if connection.dialect.name == "sqlite":  # its LIKE ignores the case of ASCII
        return scripts.c.path.contains(part, autoescape=True)
    escaped = part.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return scripts.c.path.ilike(f"%{escaped}%", escape="/")


def _has_content(
    connection: Connection, content_ids: Sequence[int]
) -> ColumnElement[bool]:
    """Return whether a script has one of some contents.

    The scripts are looked up first: SQLite would rather walk along the whole list.
    """
    if not content_ids:
        return false()
    found = connection.scalars(
        select(scripts.c.id).where(scripts.c.content_id.in_(content_ids))
    ).all()
    return scripts.c.id.in_(found)


def _find_texts(connection: Connection, part: str) -> Sequence[int]:
    """Return the ids of contents whose text has ``part``, at most ``MAX_TEXT_HITS``."""
    folded = part.casefold()
    body = script_texts.c.body
    statement = select(script_texts.c.rowid).limit(MAX_TEXT_HITS)
    if connection.dialect.name == "sqlite":
        # Only LIKE without ESCAPE uses the index of three-letter pieces. Letters that
        # LIKE would take for wildcards stand for any letter there, and instr is exact.
        pattern = folded.replace("%", "_")
        exact = func.instr(body, folded) > 0
        return connection.scalars(
            statement.where(body.like(f"%{pattern}%"), exact)
        ).all()
    return connection.scalars(
        statement.where(body.contains(folded, autoescape=True))
    ).all()


# The tree


def list_folders(connection: Connection, root_id: int, folder: str) -> list[Place]:
    """Return the folders right below ``folder`` that hold present scripts somewhere."""
    column = script_folders.c.folder
    below = func.substr(column, len(folder) + 1)
    name = func.substr(below, 1, _position(connection, below) - 1).label("name")
    conditions = [
        script_folders.c.root_id == root_id,
        script_folders.c.file_count > 0,
        column > folder,
    ]
    if folder:  # up to what follows the slash in the order of bytes
        conditions.append(column < folder[:-1] + chr(ord("/") + 1))
    rows = connection.execute(
        select(name, func.sum(script_folders.c.file_count).label("total"))
        .where(*conditions)
        .group_by(name)
        .order_by(name)
    )
    return [
        Place(name=row.name, folder=f"{folder}{row.name}/", script_count=int(row.total))
        for row in rows
    ]


def _position(connection: Connection, text: ColumnElement[str]) -> ColumnElement[int]:
    if connection.dialect.name == "sqlite":
        return func.instr(text, "/")
    return func.strpos(text, "/")


# Duplicates


def list_alike(connection: Connection, *, limit: int) -> tuple[int, list[list[int]]]:
    """Return groups of ids with the same name, size and number of lines.

    Returns:
        How many groups there are, and the largest of them, largest first.
    """
    keys = (scripts.c.name, scripts.c.size, scripts.c.line_count)
    return _list_groups(connection, keys, limit=limit)


def list_identical(
    connection: Connection, *, limit: int
) -> tuple[int, list[list[int]]]:
    """Return groups of ids with the same bytes; as ``list_alike``."""
    return _list_groups(connection, (scripts.c.content_id,), limit=limit)


def count_alike(connection: Connection) -> int:
    """Return how many groups ``list_alike`` would have."""
    keys = (scripts.c.name, scripts.c.size, scripts.c.line_count)
    groups = _groups(keys).subquery()
    count: int = connection.execute(
        select(func.count()).select_from(groups)
    ).scalar_one()
    return count


def _groups(keys: tuple[ColumnElement[Any], ...]) -> Any:
    return (
        select(*keys, func.count().label("members"))
        .where(~scripts.c.missing_flag, scripts.c.size > 0)
        .group_by(*keys)
        .having(func.count() > 1)
    )


def _list_groups(
    connection: Connection, keys: tuple[ColumnElement[Any], ...], *, limit: int
) -> tuple[int, list[list[int]]]:
    groups = _groups(keys).subquery()
    total: int = connection.execute(
        select(func.count()).select_from(groups)
    ).scalar_one()
    names = [each.name for each in keys]
    order = (groups.c.members.desc(), *(groups.c[name] for name in names))
    largest = select(groups).order_by(*order).limit(limit).subquery("largest")
    rows = connection.execute(
        select(scripts.c.id, *(largest.c[name] for name in names), largest.c.members)
        .join_from(
            scripts,
            largest,
            and_(*(scripts.c[name] == largest.c[name] for name in names)),
        )
        .where(~scripts.c.missing_flag, scripts.c.size > 0)
        .order_by(
            largest.c.members.desc(),
            *(largest.c[name] for name in names),
            scripts.c.path,
        )
    )
    found: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        found.setdefault(tuple(row[1:-1]), []).append(row.id)
    return total, list(found.values())


def list_with_contents(
    connection: Connection, content_ids: Sequence[int]
) -> dict[int, list[int]]:
    """Return ids of present scripts by the id of their content."""
    rows = connection.execute(
        select(scripts.c.content_id, scripts.c.id)
        .where(scripts.c.content_id.in_(content_ids), ~scripts.c.missing_flag)
        .order_by(scripts.c.path)
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.content_id, []).append(row.id)
    return found
