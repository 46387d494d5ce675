"""Tags, as people ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from scriptrunner.clock import Clock
from scriptrunner.library.errors import (
    ScriptNotFoundError,
    TagExistsError,
    TagNotFoundError,
)
from scriptrunner.library.models import Tag
from scriptrunner.library.repository import tagging
from scriptrunner.library.root_desk import MAX_ID
from scriptrunner.storage.database import Connection, Database

#: Colour of tags that are made without one.
DEFAULT_COLOR = "#6366f1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkTagging:
    """What came of putting tags on many scripts at once."""

    #: Pairs of script and tag that are other than before.
    changed: int
    #: Ids of scripts that there are not.
    unknown: Sequence[int]


class TagDesk:
    """Makes, changes and removes tags, and puts them on scripts. Threads may share it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        """Hold nothing yet."""
        self._database = database
        self._clock = clock

    def list_tags(self) -> list[Tag]:
        """Return all tags by name."""
        with self._database.read() as connection:
            return tagging.list_all(connection)

    def add(self, name: str, *, color: str = DEFAULT_COLOR) -> Tag:
        """Make a tag.

        Args:
            name: 1 to 50 printable characters, trimmed.
            color: ``#rrggbb``.

        Raises:
            TagExistsError: If there is one of this name, in whatever case.
        """

        def add(connection: Connection) -> Tag:
            number = tagging.insert(
                connection,
                name=name,
                name_folded=name.casefold(),
                color=color.lower(),
                now=self._clock.utc_now(),
            )
            if number is None:
                raise TagExistsError
            return _get(connection, number)

        return self._database.retrying(add)

    def change(
        self, tag_id: int, *, name: str | None = None, color: str | None = None
    ) -> Tag:
        """Change name or colour of a tag; None leaves it as it is.

        Raises:
            TagNotFoundError: If there is none.
            TagExistsError: If another one has this name.
        """

        def change(connection: Connection) -> Tag:
            _get(connection, tag_id)
            values: dict[str, str] = {}
            if name is not None:
                folded = name.casefold()
                if tagging.has_name(connection, folded, besides=tag_id):
                    raise TagExistsError
                values |= {"name": name, "name_folded": folded}
            if color is not None:
                values["color"] = color.lower()
            tagging.change(connection, tag_id, values)
            return _get(connection, tag_id)

        return self._database.retrying(change)

    def delete(self, tag_id: int) -> None:
        """Remove a tag, also from all scripts.

        Raises:
            TagNotFoundError: If there is none.
        """
        if not _is_id(tag_id) or not self._database.retrying(
            lambda connection: tagging.remove(connection, tag_id)
        ):
            raise TagNotFoundError

    def attach(self, script_id: int, tag_id: int) -> None:
        """Put a tag on a script; it may be there already.

        Raises:
            ScriptNotFoundError: If there is no such script.
            TagNotFoundError: If there is no such tag.
        """
        self._change_one(script_id, tag_id, attach=True)

    def detach(self, script_id: int, tag_id: int) -> None:
        """Take a tag off a script; it need not be there. Errors as ``attach``."""
        self._change_one(script_id, tag_id, attach=False)

    def _change_one(self, script_id: int, tag_id: int, *, attach: bool) -> None:
        if not _is_id(script_id):
            raise ScriptNotFoundError
        if not _is_id(tag_id):
            raise TagNotFoundError
        found = self.change_many([script_id], [tag_id], attach=attach)
        if found.unknown:
            raise ScriptNotFoundError

    def change_many(
        self, script_ids: Sequence[int], tag_ids: Sequence[int], *, attach: bool
    ) -> BulkTagging:
        """Put tags on scripts, or take them off; scripts that there are not are named.

        Raises:
            TagNotFoundError: If there is no such tag; nothing is done then.
        """
        wanted = [each for each in dict.fromkeys(script_ids) if _is_id(each)]

        def change(connection: Connection) -> BulkTagging:
            known, known_tags = tagging.list_known(connection, wanted, tag_ids)
            unknown = [each for each in dict.fromkeys(script_ids) if each not in known]
            if known and not set(tag_ids) <= known_tags:
                raise TagNotFoundError
            act = tagging.attach if attach else tagging.detach
            changed = act(connection, sorted(known), sorted(known_tags))
            return BulkTagging(changed=changed, unknown=unknown)

        if not all(_is_id(each) for each in tag_ids):
            raise TagNotFoundError
        return self._database.retrying(change)


def _get(connection: Connection, tag_id: int) -> Tag:
    found = tagging.find(connection, tag_id) if _is_id(tag_id) else None
    if found is None:
        raise TagNotFoundError
    return found


def _is_id(number: int) -> bool:
    return 0 < number <= MAX_ID
