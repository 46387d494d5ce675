"""Roots that are removed while others do something with them; both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text

from scriptrunner.library.errors import FolderRootNotFoundError
from scriptrunner.library.places import RootPolicy
from scriptrunner.library.root_desk import RootDesk
from tests.library_world import LibraryWorld


class Between:
    """A database; before its n-th transaction somebody else does something.

    Args:
        library: Has the real database.
        doings: What is done, by the number of the transaction, from 1.
    """

    def __init__(
        self, library: LibraryWorld, doings: dict[int, Callable[[], object]]
    ) -> None:
        self._database = library.database
        self._doings = doings
        self._number = 0

    def retrying(self, action: Callable[[Connection], Any]) -> Any:
        self._number += 1
        if self._number in self._doings:
            self._doings[self._number]()
        return self._database.retrying(action)


def make_desk(library: LibraryWorld, database: Any) -> RootDesk:
    return RootDesk(
        database,
        policy=RootPolicy([], data_dir=library.data),
        clock=library.clock,
        wake=lambda: None,
        announce=lambda: None,
    )


def test_of_two_who_remove_a_root_one_finds_it_gone(library: LibraryWorld) -> None:
    library.write("a.py")
    root = library.add_root()
    library.scan(root)
    first = make_desk(library, library.database)
    done: list[int] = []
    between = Between(library, {2: lambda: done.append(first.delete(root))})
    with pytest.raises(FolderRootNotFoundError):
        make_desk(library, between).delete(root)
    assert done == [1]


def test_a_scan_while_its_root_is_removed_leaves_nothing(library: LibraryWorld) -> None:
    library.write("a.py")
    root = library.add_root()
    # The look that finds no script is the second transaction; then it scans.
    between = Between(library, {3: lambda: library.scan(root)})
    assert make_desk(library, between).delete(root) == 1
    library.work()
    with library.database.read() as connection:
        for table in ("scripts", "script_contents", "library_scans"):
            statement = text(f"SELECT count(*) FROM {table}")  # noqa: S608
            assert connection.execute(statement).scalar() == 0, table
