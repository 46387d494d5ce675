"""Contents: the bytes of each version, once; what is indexed of them."""

import zlib
from collections.abc import Mapping, Sequence

from sqlalchemy import (
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    column,
    delete,
    exists,
    or_,
    select,
    table,
    text,
    update,
)

from scriptrunner.storage.tables import (
    content_bands,
    script_contents,
    script_versions,
    scripts,
)

#: Text by the id of its content; how it is indexed depends on the database.
script_texts = table("script_texts", column("rowid", Integer), column("body", Text))
# Written out, not bound: else no database would use the partial index.
_TODO = text("script_contents.is_indexed = false OR script_contents.is_doubtful = true")
_PACK = (
    update(script_contents)
    .where(script_contents.c.id == bindparam("number"), ~script_contents.c.packed)
    .values(packed=True, data=bindparam("new_data"))
)


def has_work(connection: Connection) -> bool:
    """Return whether some content is to be indexed, or perhaps to be removed."""
    statement = select(script_contents.c.id).where(_TODO).limit(1)
    return connection.execute(statement).first() is not None


def find_bytes(connection: Connection, sha256: str) -> bytes | None:
    """Return the bytes with this hash, or None if they are not kept."""
    row = connection.execute(
        select(script_contents.c.packed, script_contents.c.data).where(
            script_contents.c.sha256 == sha256
        )
    ).first()
    return None if row is None else _unpack(row.packed, row.data)


def list_bytes(connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """Return the bytes of contents by their ids."""
    rows = connection.execute(
        select(
            script_contents.c.id, script_contents.c.packed, script_contents.c.data
        ).where(script_contents.c.id.in_(ids))
    )
    return {row.id: _unpack(row.packed, row.data) for row in rows}


def list_unindexed(
    connection: Connection, *, limit: int
) -> Sequence[tuple[int, bytes, str]]:
    """Return id, bytes and hash of contents that are not indexed yet."""
    rows = connection.execute(
        select(
            script_contents.c.id,
            script_contents.c.packed,
            script_contents.c.data,
            script_contents.c.sha256,
        )
        .where(_TODO, ~script_contents.c.is_indexed)
        .order_by(script_contents.c.id)
        .limit(limit)
    )
    return [(row.id, _unpack(row.packed, row.data), row.sha256) for row in rows]


def note_indexed(
    connection: Connection,
    bodies: Mapping[int, str],
    bands: Mapping[int, Sequence[int]],
    packs: Mapping[int, bytes],
) -> None:
    """Write what was found out about contents, by their ids; safe to repeat.

    Args:
        connection: One that may write.
        bodies: Texts to search.
        bands: Fingerprints.
        packs: Compressed bytes, where that is worth it.
    """
    ids = list(bodies)
    open_ids = set(
        connection.scalars(
            select(script_contents.c.id)
            .where(script_contents.c.id.in_(ids), ~script_contents.c.is_indexed)
            .with_for_update()
        )
    )
    if not open_ids:
        return
    connection.execute(
        script_texts.insert(),
        [{"rowid": each, "body": bodies[each]} for each in ids if each in open_ids],
    )
    rows = [
        {"band": number, "value": value, "content_id": each}
        for each in ids
        if each in open_ids
        for number, value in enumerate(bands.get(each, ()))
    ]
    if rows:
        connection.execute(content_bands.insert(), rows)
    connection.execute(
        update(script_contents)
        .where(script_contents.c.id.in_(open_ids))
        .values(is_indexed=True)
    )
    packed = [
        {"number": each, "new_data": packs[each]} for each in open_ids if each in packs
    ]
    if packed:
        connection.execute(_PACK, packed)


def remove_unneeded(connection: Connection, *, limit: int) -> int:
    """Look at up to ``limit`` doubtful contents and remove those nobody has any more.

    Returns:
        How many were looked at.
    """
    doubtful = connection.scalars(
        select(script_contents.c.id)
        .where(_TODO, script_contents.c.is_doubtful)
        .order_by(script_contents.c.id)
        .limit(limit)
        .with_for_update()
    ).all()
    if not doubtful:
        return 0
    is_needed = or_(
        exists().where(script_versions.c.content_id == script_contents.c.id),
        exists().where(scripts.c.content_id == script_contents.c.id),
    )
    gone = connection.scalars(
        select(script_contents.c.id).where(
            and_(script_contents.c.id.in_(doubtful), ~is_needed)
        )
    ).all()
    if gone:
        connection.execute(delete(script_texts).where(script_texts.c.rowid.in_(gone)))
        connection.execute(
            delete(script_contents).where(script_contents.c.id.in_(gone))
        )
    connection.execute(
        update(script_contents)
        .where(script_contents.c.id.in_(doubtful))
        .values(is_doubtful=False)
    )
    return len(doubtful)


def _unpack(packed: bool, data: bytes) -> bytes:
    return zlib.decompress(data) if packed else bytes(data)
