"""Which files may be run as scripts, and which folders scripts may work in.

One door for every path of a request: ``AllowedRoots``. It says first whether a path lies
inside at all, so that nothing outside the roots is revealed, and looks at the disk only by
``open_beneath``, which follows no link.
"""

import os
import re
import stat
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scriptrunner.engine.beneath import SymlinkFoundError, open_beneath
from scriptrunner.engine.plan import ScriptRef
from scriptrunner.errors import InvalidInputError

SCRIPT_SUFFIXES = (".py", ".pyw")
#: Bytes (UTF-8) of the longest path.
MAX_PATH_BYTES = 4_096
#: C0 and C1 control characters, DEL, line and paragraph separators.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class InvalidScriptPathError(InvalidInputError):
    """Invalid script path."""

    code = "invalid_script_path"


class ScriptOutsideRootError(InvalidInputError):
    """Script must reside within the allowed root."""

    code = "script_outside_root"


class SymlinkNotAllowedError(InvalidInputError):
    """Symlinks are not allowed."""

    code = "symlink_not_allowed"


class ScriptMissingError(InvalidInputError):
    """Script path must point to an existing file."""

    code = "script_missing"


class NotPythonError(InvalidInputError):
    """Only Python files are allowed."""

    code = "not_python"


class ScriptNotAllowedError(InvalidInputError):
    """This file cannot be run as a script."""

    code = "script_not_allowed"


class InvalidWorkingDirError(InvalidInputError):
    """working_dir must be an existing directory."""

    code = "invalid_working_dir"


class FolderOutsideRootError(InvalidWorkingDirError):
    """working_dir must be an existing directory within the allowed root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRef:
    """A working folder that has passed the path rules."""

    #: Real path of the allowed root.
    root: str
    #: Path below it without ``..`` and links; ``""`` for the root itself.
    relative: str

    @property
    def path(self) -> str:
        """The absolute path."""
        return _join(self.root, self.relative)


@dataclass(frozen=True, slots=True)
class _Root:
    #: Absolute, as the administrator wrote it.
    given: str
    #: Without links, as it was at start.
    real: str


class AllowedRoots:
    """The folders below which scripts and working folders must lie.

    The roots are resolved once; later changes of a link above them are not followed.
    Holds no descriptors; threads may share it.
    """

    def __init__(
        self, roots: Sequence[Path], *, forbidden: Sequence[Path] = ()
    ) -> None:
        """Resolve ``roots`` (existing folders, in order of preference).

        Args:
            roots: Relative paths of requests are tried below each in this order.
            forbidden: Files and folders inside the roots that cannot be run, see
                ``list_own_files``. They need not exist.

        Raises:
            FileNotFoundError: If a root is missing.
            NotADirectoryError: If a root is not a folder.
        """
        self._roots = [
            _Root(os.path.normpath(each.absolute()), _real_folder(each))
            for each in roots
        ]
        self._forbidden = [os.path.realpath(each) for each in forbidden]
        self._forbidden_ids = {
            found for each in forbidden if (found := _identify(each))
        }

    @property
    def roots(self) -> tuple[str, ...]:
        """The real paths of the roots, in order."""
        return tuple(root.real for root in self._roots)

    def locate(self, text: str) -> ScriptRef:
        """Return the script that ``text`` names.

        Args:
            text: Absolute, or relative to a root; nothing in it is expanded.

        Raises:
            InvalidScriptPathError: NUL, control characters, surrogates, too long.
            ScriptOutsideRootError: Outside every root, whether it exists or not.
            SymlinkNotAllowedError: A component below the root is a link.
            ScriptMissingError: Empty, missing, or not a regular file.
            NotPythonError: Not a ``.py`` or ``.pyw`` file.
            ScriptNotAllowedError: One of the service's own files.
        """
        if not is_well_formed(text):
            raise InvalidScriptPathError
        places = list(self._iter_places(text)) if text else []
        if text and not places:
            raise ScriptOutsideRootError
        for root, relative in places:
            try:
                allowed = self._look(root, relative)
            except SymlinkFoundError:
                raise SymlinkNotAllowedError from None
            except OSError:
                continue
            name = relative.rpartition("/")[2]
            if not has_script_suffix(name):
                raise NotPythonError
            if not allowed:
                raise ScriptNotAllowedError
            return ScriptRef(
                kind="file",
                shown_path=text,
                name=name,
                root=root,
                relative=relative,
                path=_join(root, relative),
            )
        raise ScriptMissingError

    def list_spellings(self, text: str) -> list[str]:
        """Return the absolute paths that ``text`` may mean, without a look at the disk.

        In order of preference; none for what lies outside every root.
        """
        if not text or not is_well_formed(text):
            return []
        return [_join(root, relative) for root, relative in self._iter_places(text)]

    def find_warnings(self, script: ScriptRef) -> list[str]:
        """Return what makes it doubtful who decides on the bytes of a script.

        A script, a folder above it or the root itself that other users can write, and a
        file of another user that is only linked here. Nothing for uploads.
        """
        if script.root is None or script.relative is None:
            return []
        parts = script.relative.split("/")
        places = ["/".join(parts[:count]) for count in range(len(parts) + 1)]
        found = (_find_doubt(script.root, place) for place in places)
        return [doubt for doubt in found if doubt is not None]

    def get_folder(self, text: str) -> FolderRef:
        """Return the working folder that ``text`` names.

        Args:
            text: Absolute, or relative to a root.

        Raises:
            FolderOutsideRootError: Outside every root.
            InvalidWorkingDirError: Malformed, missing, no folder, or reached by a link.
        """
        if not text or not is_well_formed(text):
            raise InvalidWorkingDirError
        places = list(self._iter_places(text))
        if not places:
            raise FolderOutsideRootError
        for root, relative in places:
            try:
                os.close(open_beneath(root, relative, folder=True))
            except SymlinkFoundError:
                raise InvalidWorkingDirError(
                    "working_dir must be an existing directory without symlinks"
                ) from None
            except OSError:
                continue
            return FolderRef(root=root, relative=relative)
        raise InvalidWorkingDirError

    def _iter_places(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield (real root, path below it) for each root ``text`` could lie in.

        Absolute paths: the deepest root first. ``..`` is resolved by its text alone.
        """
        plain = os.path.normpath(text)
        if not plain.startswith("/"):
            if plain != ".." and not plain.startswith("../"):
                relative = "" if plain == "." else plain
                yield from ((root.real, relative) for root in self._roots)
            return
        plain = "/" + plain.lstrip("/")
        found: dict[tuple[str, str], int] = {}
        for root in self._roots:
            for spelling in (root.given, root.real):
                relative_or_none = _below(plain, spelling)
                if relative_or_none is not None:
                    found.setdefault((root.real, relative_or_none), len(spelling))
        yield from sorted(found, key=found.__getitem__, reverse=True)

    def _look(self, root: str, relative: str) -> bool:
        """Open the file as a check and return whether it may be run.

        Raises:
            OSError: As ``open_beneath``.
        """
        identities: set[tuple[int, int]] = set()
        os.close(
            open_beneath(
                root,
                relative,
                visit=lambda seen: identities.add((seen.st_dev, seen.st_ino)),
            )
        )
        path = _join(root, relative)
        by_name = any(_below(path, each) is not None for each in self._forbidden)
        return not by_name and self._forbidden_ids.isdisjoint(identities)


def list_own_files(
    project_folder: Path, *, data_dir: Path, roots: Sequence[Path]
) -> list[Path]:
    """Return the service's own files, which are never run as scripts.

    The programs, the Python environment they run in, and the data folder. Where a root
    is the data folder or lies in it, only the folder of the runs is taken out: the
    administrator has named that root on purpose.

    Args:
        project_folder: Folder with ``runner.py``, ``WEBAPI`` and ``scriptrunner``.
        data_dir: The data folder; it need not exist.
        roots: The allowed roots.
    """
    own = [project_folder / name for name in ("runner.py", "WEBAPI", "scriptrunner")]
    if sys.prefix != sys.base_prefix:
        own.append(Path(sys.prefix))
    own += [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]
    own.append(data_dir / "runs")
    data = os.path.realpath(data_dir)
    if all(_below(os.path.realpath(root), data) is None for root in roots):
        own.append(data_dir)
    return own


def is_well_formed(text: str) -> bool:
    """Return whether ``text`` can be a path at all: encodable, printable, not too long."""
    if _CONTROL.search(text):
        return False
    try:
        return len(text.encode("utf-8")) <= MAX_PATH_BYTES
    except UnicodeEncodeError:
        return False


def has_script_suffix(name: str) -> bool:
    """Return whether a file name ends exactly in ``.py`` or ``.pyw``, after something."""
    return any(name.endswith(each) and name != each for each in SCRIPT_SUFFIXES)


def _below(path: str, folder: str) -> str | None:
    """Return the part of ``path`` below ``folder`` (``""`` for itself), or None."""
    if path == folder:
        return ""
    prefix = folder if folder.endswith("/") else folder + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def _join(folder: str, relative: str) -> str:
    return f"{folder.rstrip('/')}/{relative}" if relative else folder


def _real_folder(path: Path) -> str:
    real = os.path.realpath(path, strict=True)
    if not Path(real).is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    return real


def _find_doubt(root: str, relative: str) -> str | None:
    """Return what others may do to a file or folder, in words, or None."""
    name = f"'{relative}'" if relative else "the allowed root"
    try:
        found = os.lstat(_join(root, relative))
    except OSError:
        return None  # it is gone, and the start will say so
    is_folder = stat.S_ISDIR(found.st_mode)
    if is_folder and found.st_mode & stat.S_ISVTX:
        return None  # as /tmp: everybody may add, nobody may replace
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"Other users can change {name}"
    if not is_folder and found.st_nlink > 1 and found.st_uid != os.geteuid():
        return f"{name} is a hard link to a file of another user"
    return None


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
