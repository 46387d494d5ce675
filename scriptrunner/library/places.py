"""Which folders may be roots of the library, and what a picker of folders shows."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scriptrunner.engine.beneath import open_beneath
from scriptrunner.engine.paths import has_script_suffix, is_well_formed
from scriptrunner.library.errors import (
    FolderMissingError,
    FolderNotFoundError,
    RootNotAllowedError,
)

#: Folders of the system; nobody keeps their scripts there.
SYSTEM_FOLDERS = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var",
)
#: Folders inside those that anybody may use.
TEMPORARY_FOLDERS = ("/var/tmp", "/var/folders", "/run/user")  # noqa: S108 - only names
#: Bytes of the longest path of a root; PostgreSQL cannot index longer ones.
MAX_ROOT_BYTES = 2_000
#: Entries that a picker shows.
MAX_SHOWN = 1_000


class RootPolicy:
    """Decides which folders may be roots.

    Args:
        allowed: The folders that the administrator named; empty means the rule of thumb:
            what the service's user owns, outside of hidden and system folders.
        data_dir: The data folder, which never is one.
    """

    def __init__(self, allowed: Sequence[Path], *, data_dir: Path) -> None:
        """Resolve the allowed folders once."""
        #: Real paths of the folders that the administrator named.
        self.allowed_folders = tuple(os.path.realpath(each) for each in allowed)
        self._data_dir = os.path.realpath(data_dir)

    def resolve(self, text: str) -> str:
        """Return the real path of a folder that may be a root.

        Raises:
            FolderMissingError: If it is no folder.
            RootNotAllowedError: If it may not be one.
        """
        if not is_well_formed(text) or not text.startswith("/"):
            raise FolderMissingError
        try:
            real = os.path.realpath(text, strict=True)
            found = os.stat(real)  # noqa: PTH116 - one call
        except (OSError, ValueError):
            raise FolderMissingError from None
        if not stat.S_ISDIR(found.st_mode) or not is_well_formed(real):
            raise FolderMissingError
        if len(real.encode()) > MAX_ROOT_BYTES or _is_below(real, self._data_dir):
            raise RootNotAllowedError
        if self.allowed_folders:
            if not any(_is_below(real, each) for each in self.allowed_folders):
                raise RootNotAllowedError
        elif not _is_plain_place(real) or found.st_uid != os.geteuid():
            raise RootNotAllowedError
        return real


def _is_plain_place(path: str) -> bool:
    """Return whether a folder lies where people keep their things."""
    if path == "/" or any(part.startswith(".") for part in path.split("/") if part):
        return False
    if any(_is_below(path, each) and path != each for each in TEMPORARY_FOLDERS):
        return True
    return not any(_is_below(path, each) for each in SYSTEM_FOLDERS)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a folder below an allowed root holds."""

    root: str
    #: Below the root, without slashes at its ends.
    path: str
    folders: Sequence[str]
    #: Names and sizes of Python files.
    files: Sequence[tuple[str, int]]
    is_truncated: bool


def list_folder(roots: Sequence[str], root: str, path: str) -> Listing:
    """Return folders and Python files below one of ``roots``.

    Args:
        roots: Real paths of the folders that may be looked into.
        root: One of them.
        path: Below it; ``..`` leads nowhere, links are not shown.

    Raises:
        FolderNotFoundError: If there is no such folder.
    """
    relative = path.strip("/")
    if root not in roots or not is_well_formed(relative):
        raise FolderNotFoundError
    try:
        descriptor = open_beneath(root, relative, folder=True)
    except OSError:
        raise FolderNotFoundError from None
    folders: list[str] = []
    files: list[tuple[str, int]] = []
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if not is_well_formed(entry.name) or entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False) and has_script_suffix(
                    entry.name
                ):
                    size = entry.stat(follow_symlinks=False).st_size
                    files.append((entry.name, size))
    except OSError:
        raise FolderNotFoundError from None
    finally:
        os.close(descriptor)
    is_truncated = len(folders) > MAX_SHOWN or len(files) > MAX_SHOWN
    return Listing(
        root=root,
        path=relative,
        folders=sorted(folders, key=str.casefold)[:MAX_SHOWN],
        files=sorted(files, key=lambda each: each[0].casefold())[:MAX_SHOWN],
        is_truncated=is_truncated,
    )
