"""Files of a run's outputs: written whole or not at all, and never over somebody else's.

A folder is walked by descriptors that follow no link. What we have written there is known
by path and sha256 from a register outside the folder, so a file that somebody else made,
or has changed since, stays as it is.
"""

import errno
import hashlib
import json
import os
import stat
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scriptrunner.engine import whole_file
from scriptrunner.engine.beneath import open_beneath
from scriptrunner.engine.destinations import InvalidOutputPathError, relative_output

#: Bytes of a file that may be one of ours.
MAX_OWN_BYTES = 64 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class OutputError(Exception):
    """A file could not be written; the message may be shown."""


class OwnFiles:
    """The files that the service has written below one folder.

    Args:
        folder: Where they are; made when the first is written, unless it is shared: a
            shared folder that is missing may be a disk that is not mounted.
        register: Folder that remembers what is ours; made likewise, outside ``folder``.
        is_shared: Whether others may read the files (umask permitting).
    """

    def __init__(self, folder: str, register: str, *, is_shared: bool = False) -> None:
        """Touch nothing yet."""
        self._folder = folder
        self._register = Path(register)
        self._is_shared = is_shared
        self._file_mode = 0o666 if is_shared else 0o600
        self._folder_mode = 0o777 if is_shared else 0o700

    def check(self, relative: str) -> None:
        """Refuse a place where a file could not be written as things are now.

        Raises:
            OutputError: If another's file, a folder or a link is there or on the way.
        """
        try:
            with self._open_parent(relative, make=False) as parent:
                self._check_own(parent, relative)
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(_explain(error)) from None

    def put(self, relative: str, content: bytes) -> None:
        """Write a file, in place of an earlier one of ours.

        It is there whole, by rename, or not at all. Safe to repeat after a crash.

        Args:
            relative: Plain names below the folder.
            content: All of it.

        Raises:
            OutputError: If it cannot be written, or another's file is there.
        """
        try:
            with self._open_parent(relative, make=True) as parent:
                earlier = self._check_own(parent, relative)
                self._remember(relative, [earlier, _digest(content)])
                _write(parent, _name(relative), content, self._file_mode, earlier)
        except OSError as error:
            raise OutputError(_explain(error)) from None

    @contextmanager
    def _open_parent(self, relative: str, *, make: bool) -> Iterator[int]:
        """Open the folder of a file by walking to it without following a link."""
        if make and not self._is_shared:
            Path(self._folder).mkdir(self._folder_mode, parents=True, exist_ok=True)
        current = os.open(self._folder, _FOLDER)
        try:
            for part in relative.split("/")[:-1]:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, self._folder_mode, dir_fd=current)
                following = os.open(part, _FOLDER, dir_fd=current)
                os.close(current)
                current = following
            yield current
        finally:
            os.close(current)

    def _check_own(self, parent: int, relative: str) -> str | None:
        """Return the sha256 of the file of ours that is there, None if nothing is.

        Raises:
            OutputError: If something is there that is not ours.
        """
        name = _name(relative)
        try:
            found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if stat.S_ISREG(found.st_mode) and found.st_size <= MAX_OWN_BYTES:
            digest = _digest_of(parent, name)
            if digest in self._recall(relative):
                return digest
        raise OutputError("something is there that the service did not create")

    def _entry(self, relative: str) -> Path:
        return self._register / f"{_digest(relative.encode('utf-8'))}.json"

    def _recall(self, relative: str) -> Collection[str]:
        try:
            known: Collection[str] = json.loads(self._entry(relative).read_bytes())
        except (FileNotFoundError, ValueError):
            return ()
        return known

    def _remember(self, relative: str, digests: list[str | None]) -> None:
        """Note both what is there and what is about to be, before it is."""
        self._register.mkdir(0o700, parents=True, exist_ok=True)
        known = json.dumps([each for each in digests if each is not None])
        entry = str(self._entry(relative))
        whole_file.write(entry, known.encode("ascii"), mode=0o666)


def _write(
    parent: int, name: str, content: bytes, mode: int, earlier: str | None
) -> None:
    """Write under another name first; a name that is free is taken, not overwritten."""
    temporary = f".{uuid.uuid4()}.tmp"
    descriptor = os.open(temporary, _CREATE, mode, dir_fd=parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if earlier is None and _link(parent, temporary, name):
            return
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        temporary = ""
    finally:
        if temporary:
            os.unlink(temporary, dir_fd=parent)


def _link(parent: int, temporary: str, name: str) -> bool:
    """Give the file its name unless it is taken; return whether there are links here.

    Raises:
        OutputError: If the name was taken in this very moment.
    """
    try:
        os.link(
            temporary,
            name,
            src_dir_fd=parent,
            dst_dir_fd=parent,
            follow_symlinks=False,
        )
    except FileExistsError:
        raise OutputError(
            "something is there that the service did not create"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


def _name(relative: str) -> str:
    return relative.rpartition("/")[2]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(parent: int, name: str) -> str:
    descriptor = os.open(name, _READ, dir_fd=parent)
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _explain(error: OSError) -> str:
    """Return the system's word without any path."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "a symbolic link or a file is on the way"
    return error.strerror or type(error).__name__


class RunOutputs:
    """The outputs of one run: in its own folder, and published if there is a place.

    Args:
        own: The files in the run's folder.
        published: The files below the output root, or None.
        roots: Spellings of the output root.
    """

    def __init__(
        self, own: OwnFiles, published: OwnFiles | None, roots: Collection[str]
    ) -> None:
        """Start with nothing written."""
        self._own = own
        self._published = published
        self._roots = roots
        #: ``name``, ``size`` and ``sha256`` of every file written.
        self.written: list[dict[str, Any]] = []

    def write(self, path: str, content: bytes) -> str:
        """Write a file and return its name among the outputs.

        Args:
            path: As the request has it: relative, or absolute below the output root.
            content: All of it.

        Raises:
            OutputError: If it cannot be written or published.
        """
        try:
            name = relative_output("path", path, self._roots)
        except InvalidOutputPathError as error:
            raise OutputError(error.message) from None
        self._own.put(name, content)
        self.written.append(describe_output(name, content))
        if self._published is not None:
            self._published.put(name, content)
        return name


def describe_output(name: str, content: bytes) -> dict[str, Any]:
    """Return a file as records list it."""
    return {"name": name, "size": len(content), "sha256": _digest(content)}


class LocalOutputs:
    """The outputs of a run without a service: files of the user, wherever they say."""

    def __init__(self) -> None:
        """Start with nothing written."""
        self.written: list[dict[str, Any]] = []

    def write(self, path: str, content: bytes) -> str:
        """Write a file at ``path``, relative to the current folder; see ``RunOutputs``.

        An earlier file is replaced, as by the output option of any tool.
        """
        target = Path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            whole_file.write(str(target), content, mode=0o666)
        except OSError as error:
            raise OutputError(_explain(error)) from None
        self.written.append(describe_output(path, content))
        return path


def read_below(folder: str, relative: str, *, limit_bytes: int) -> bytes:
    """Return the first ``limit_bytes`` + 1 bytes of a file below ``folder``.

    Raises:
        OSError: If there is none that can be reached without following a link.
    """
    descriptor = open_beneath(folder, relative)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit_bytes + 1)
