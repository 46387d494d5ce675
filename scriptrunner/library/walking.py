"""The walk through a root: folder by folder, by descriptors, never through a link.

The files of a folder come in the order of their names, by their bytes, which is the order
in which the database lists what is known there.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b

from scriptrunner.library.languages import BY_EXTENSION
from scriptrunner.library.models import RootOptions
from scriptrunner.library.patterns import (
    ENVIRONMENT_MARKS,
    GitIgnore,
    Wanted,
    is_skipped_folder,
    split_patterns,
)

#: Folders inside one another.
MAX_DEPTH = 32
#: Files and folders of one scan.
MAX_ENTRIES = 200_000
#: Bytes (UTF-8) of the folder part of a path; PostgreSQL cannot index longer ones.
MAX_FOLDER_BYTES = 2_000
#: Bytes read of a ``.gitignore``.
MAX_GITIGNORE_BYTES = 256 << 10

OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: ``O_NONBLOCK`` because a FIFO put there in the meantime must not hold us up.
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

#: Inode, size in bytes, and time of the last change in nanoseconds.
FileState = tuple[int, int, int]
NOTHING_SEEN: Mapping[str, FileState] = {}


class TooManyEntriesError(Exception):
    """There are more entries than one scan looks at."""


@dataclass(slots=True)
class Found:
    """The files of one folder that may be scripts; the descriptor is the walk's."""

    #: Below the root, with a slash at its end; empty for the root itself.
    folder: str
    descriptor: int
    #: In order of their names.
    files: "list[os.DirEntry[str]]"

    def mark(self, seen: Mapping[str, FileState] = NOTHING_SEEN) -> int:
        """Return a number that changes with any file; files that vanish are left out.

        Args:
            seen: States that are known already, by name; the others are looked up.
        """
        facts = []
        for entry in self.files:
            name = entry.name
            if name in seen:
                inode, size, mtime_ns = seen[name]
            else:
                try:
                    state = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                inode, size, mtime_ns = state.st_ino, state.st_size, state.st_mtime_ns
            facts.append(f"{name}/{inode}.{size}.{mtime_ns}")
        digest = blake2b("/".join(facts).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)


class Walk:
    """One walk through the folders below ``path``.

    Args:
        path: The root, a real path.
        options: What to look at.
        forbidden: ``(st_dev, st_ino)`` of folders that are never entered.
    """

    def __init__(
        self,
        path: str,
        options: RootOptions,
        *,
        forbidden: frozenset[tuple[int, int]] = frozenset(),
    ) -> None:
        """Prepare; nothing is opened yet."""
        self.entry_count = 0
        self.skipped_count = 0
        self.error_count = 0
        #: Folders that could not be looked into: what was known there is not gone.
        self.unreadable: list[str] = []
        self._path = path
        self._options = options
        self._forbidden = forbidden
        self._wanted = Wanted(
            split_patterns(options.include_patterns),
            split_patterns(options.exclude_patterns),
        )
        self._has_excludes = bool(options.exclude_patterns)

    def __iter__(self) -> Iterator[Found]:
        """Yield every folder that has files; each descriptor is good until the next.

        Raises:
            TooManyEntriesError: When the bound is reached.
            OSError: If the root itself cannot be opened.
        """
        descriptor = os.open(self._path, OPEN_FOLDER)
        try:
            yield from self._walk(descriptor, "", 0, None)
        finally:
            os.close(descriptor)

    def _walk(
        self, descriptor: int, folder: str, depth: int, rules: GitIgnore | None
    ) -> Iterator[Found]:
        try:
            files, folders = self._list(descriptor, folder)
        except OSError:
            self._fail(folder)
            return
        if folders is None:
            return
        if self._options.gitignore:
            rules = self._read_rules(descriptor, folder, rules)
            files, folders = _unignored(rules, folder, files, folders)
        if files:
            yield Found(folder, descriptor, files)
        del files
        for name in folders:
            yield from self._enter(descriptor, folder, name, depth + 1, rules)

    def _enter(
        self, parent: int, above: str, name: str, depth: int, rules: GitIgnore | None
    ) -> Iterator[Found]:
        folder = f"{above}{name}/"
        if depth > MAX_DEPTH or len(folder.encode()) > MAX_FOLDER_BYTES:
            self.skipped_count += 1
            return
        try:
            descriptor = os.open(name, OPEN_FOLDER, dir_fd=parent)
        except FileNotFoundError:
            return
        except OSError:
            self._fail(folder)
            return
        try:
            if self._forbidden:
                found = os.fstat(descriptor)
                if (found.st_dev, found.st_ino) in self._forbidden:
                    return
            yield from self._walk(descriptor, folder, depth, rules)
        finally:
            os.close(descriptor)

    def _fail(self, folder: str) -> None:
        self.error_count += 1
        self.unreadable.append(folder)

    def _list(
        self, descriptor: int, folder: str
    ) -> "tuple[list[os.DirEntry[str]], list[str] | None]":
        """Return files and names of folders; None for folders if it is not for us."""
        files: list[os.DirEntry[str]] = []
        folders: list[str] = []
        is_candidate = self._candidate_test(folder)
        is_plain = not self._has_excludes and not self._wanted.has_include
        with os.scandir(descriptor) as entries:
            for entry in entries:
                self.entry_count += 1
                if self.entry_count > MAX_ENTRIES:
                    raise TooManyEntriesError
                name = entry.name
                if name in ENVIRONMENT_MARKS and folder:
                    return [], None
                if not name.isascii() and not _is_text(name):
                    self.skipped_count += 1
                elif entry.is_file(follow_symlinks=False):
                    # Without patterns, and for nearly all: decided here, at once.
                    if (
                        is_plain and name[name.rfind(".") :] in BY_EXTENSION
                    ) or is_candidate(name, entry):
                        files.append(entry)
                elif entry.is_dir(follow_symlinks=False):
                    if self._options.recursive and self._is_entered(folder, name):
                        folders.append(name)
                else:
                    self.skipped_count += 1
        files.sort(key=_name_of)
        folders.sort()
        return files, folders

    def _is_entered(self, folder: str, name: str) -> bool:
        if is_skipped_folder(name):
            return False
        return not self._has_excludes or not self._wanted.is_excluded(
            f"{folder}{name}/"
        )

    def _candidate_test(self, folder: str) -> "Callable[[str, os.DirEntry[str]], bool]":
        """Return a test of files in ``folder``: may they be scripts that we want?"""
        wanted = self._wanted

        def by_name(name: str, entry: "os.DirEntry[str]") -> bool:
            dot = name.rfind(".")
            return (
                dot >= 0 and name[dot:].lower() in BY_EXTENSION
            ) or _may_have_first_line(name, entry)

        def by_pattern(name: str, entry: "os.DirEntry[str]") -> bool:
            relative = folder + name
            if self._has_excludes and wanted.is_excluded(relative):
                return False
            if wanted.has_include:
                return wanted.is_included(relative)
            return by_name(name, entry)

        if self._has_excludes or wanted.has_include:
            return by_pattern
        return by_name

    def _read_rules(
        self, descriptor: int, folder: str, rules: GitIgnore | None
    ) -> GitIgnore | None:
        try:
            file = os.open(".gitignore", OPEN_FILE, dir_fd=descriptor)
        except OSError:
            return rules
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return rules
            text = os.read(file, MAX_GITIGNORE_BYTES).decode("utf-8", "replace")
        except OSError:
            return rules
        finally:
            os.close(file)
        with suppress(ValueError):  # a rule that is none
            return GitIgnore(folder, text, rules)
        return rules


def _unignored(
    rules: GitIgnore | None,
    folder: str,
    files: "list[os.DirEntry[str]]",
    folders: list[str],
) -> "tuple[list[os.DirEntry[str]], list[str]]":
    if rules is None:
        return files, folders
    return (
        [each for each in files if not rules.is_ignored(folder + each.name)],
        [name for name in folders if not rules.is_ignored(f"{folder}{name}/")],
    )


def _name_of(entry: "os.DirEntry[str]") -> str:
    return entry.name


def _is_text(name: str) -> bool:
    """Return whether the bytes of a name were UTF-8; others cannot be shown."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _may_have_first_line(name: str, entry: "os.DirEntry[str]") -> bool:
    """Return whether a file of no known extension may begin with ``#!``."""
    if "." in name.lstrip("."):
        return False
    try:
        return bool(entry.stat(follow_symlinks=False).st_mode & 0o111)
    except OSError:
        return False
