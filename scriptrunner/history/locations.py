"""Which history databases may be named, and opening them.

A name is an alias that the administrator has set up, or the path of a file below the
history folder. Only a run may create a file; reading and cleaning never do. A file that is
there has to be one of ours: nothing else is even opened.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from scriptrunner.engine.beneath import (
    SymlinkFoundError,
    WrongTypeError,
    open_beneath,
)
from scriptrunner.engine.destinations import HISTORY_SUFFIXES, check_history_db
from scriptrunner.history.errors import HistoryDbNotFoundError, InvalidHistoryDbError
from scriptrunner.settings import Settings
from scriptrunner.storage.history_file import HistoryFile, is_history_header

#: Bytes (UTF-8) of one name in a path.
MAX_NAME_BYTES = 255
_HEADER_BYTES = 100


class HistoryLocations:
    """The history files of one service. Threads and processes may share them.

    Args:
        folder: The history folder; made by the first run that needs it.
        aliases: Name → absolute path, set up by the administrator.
    """

    def __init__(self, folder: Path, aliases: Mapping[str, Path]) -> None:
        """Look at nothing yet."""
        self._folder = folder
        # Where an alias leads is the administrator's affair; only the file is looked at.
        self._aliases = {
            name: Path(os.path.realpath(file.parent)) / file.name
            for name, file in aliases.items()
        }

    def check(self, name: str) -> None:
        """Refuse what a run may not keep its history in; a missing file is fine.

        Raises:
            InvalidHistoryDbError: If it is malformed, unknown, lies elsewhere, or is a
                file that is no history.
        """
        self._examine(name)

    def open_to_read(self, name: str) -> HistoryFile:
        """Return a history that nothing can be changed in.

        Raises:
            InvalidHistoryDbError: As ``check``.
            HistoryDbNotFoundError: If no run has made it yet.
        """
        return HistoryFile(self._get_existing(name))

    def open_to_clean(self, name: str) -> HistoryFile:
        """Return a history from which executions may be removed; errors as above."""
        return HistoryFile(self._get_existing(name), may_write=True, wait_seconds=30.0)

    def open_to_record(self, name: str) -> HistoryFile:
        """Return a history that a run may write to, made if it is missing.

        Raises:
            InvalidHistoryDbError: As ``check``.
            OSError: If the file cannot be made.
        """
        path, exists = self._examine(name)
        if not exists:
            _make_private(path, self._folder if name not in self._aliases else None)
        return HistoryFile(path, may_create=True)

    def _get_existing(self, name: str) -> Path:
        path, exists = self._examine(name)
        if not exists:
            raise HistoryDbNotFoundError
        return path

    def _examine(self, name: str) -> tuple[Path, bool]:
        """Return where a history lies, and whether there is one already."""
        alias = self._aliases.get(name)
        if alias is not None:
            folder, relative = str(alias.parent), alias.name
        else:
            folder, relative = str(self._folder), self._below_folder(name)
        try:
            head = _read_head(folder, relative)
        except FileNotFoundError:
            return Path(folder, relative), False
        except (SymlinkFoundError, WrongTypeError):
            raise InvalidHistoryDbError(
                "history_db must be a plain file, reached without symlinks"
            ) from None
        except OSError:
            raise InvalidHistoryDbError("history_db cannot be read") from None
        if head and not is_history_header(head):
            raise InvalidHistoryDbError("history_db is a file of another kind")
        return Path(folder, relative), bool(head)

    def _below_folder(self, name: str) -> str:
        """Return the path below the history folder that ``name`` means."""
        check_history_db(name)
        if not name.endswith(HISTORY_SUFFIXES):
            raise InvalidHistoryDbError(
                "history_db names no history that is set up in WEBAPI_HISTORY_DBS; a"
                f" file has to end in {', '.join(HISTORY_SUFFIXES)}"
            )
        relative = name
        if name.startswith("/"):
            folder = f"{self._folder}/"
            if not name.startswith(folder):
                raise InvalidHistoryDbError(
                    "history_db must lie in the history folder of the service"
                )
            relative = name[len(folder) :]
        parts = relative.split("/")
        if any(
            part in ("", ".", "..") or len(part.encode()) > MAX_NAME_BYTES
            for part in parts
        ):
            raise InvalidHistoryDbError(
                "history_db must be a relative path of plain names, without .."
            )
        return relative


def make_locations(settings: Settings) -> HistoryLocations:
    """Return the history files of the service with these settings."""
    return HistoryLocations(settings.history_dir, dict(settings.history_dbs))


def _read_head(folder: str, relative: str) -> bytes:
    descriptor = open_beneath(folder, relative)
    try:
        return os.pread(descriptor, _HEADER_BYTES, 0)
    finally:
        os.close(descriptor)


def _make_private(path: Path, folder: Path | None) -> None:
    """Make an empty file for our user alone, and the folders that lead to it."""
    if folder is not None:
        for each in reversed(path.relative_to(folder).parents):
            (folder / each).mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
