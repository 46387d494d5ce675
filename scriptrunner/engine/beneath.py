"""Open a file or folder below a trusted folder without ever following a link.

Standard library only, and little of it: every shim imports this module.
"""

import errno
import os
import stat
from collections.abc import Callable

#: Flags for a folder on the way: a descriptor to walk on from, no right to list needed.
_STEP = (
    getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: ``O_NONBLOCK`` because a FIFO put there in the meantime must not hold us up.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class SymlinkFoundError(OSError):
    """A component of the path is a symbolic link."""


class WrongTypeError(OSError):
    """The path leads to something that is not a regular file (or not a folder)."""


def open_beneath(
    root: str,
    relative: str,
    *,
    folder: bool = False,
    visit: Callable[[os.stat_result], object] | None = None,
) -> int:
    """Return a read descriptor for ``relative`` below ``root``; the caller closes it.

    The path is walked one component at a time with ``openat``, so nothing that is
    renamed or replaced meanwhile can lead out of ``root`` or through a link.

    Args:
        root: Trusted folder, a real path; only its last component is checked.
        relative: Path below it without ``.`` and ``..``; ``""`` means ``root`` itself
            and needs ``folder``.
        folder: Whether a folder is meant; else it must be a regular file.
        visit: Called with the ``stat_result`` of everything on the way, ``root`` first.

    Raises:
        SymlinkFoundError: If any component is a link.
        WrongTypeError: If it is a folder, FIFO, socket or device where a file is meant,
            or the other way round.
        OSError: As the system says: missing, no right, not a well-formed path.
    """
    parts = relative.split("/") if relative else []
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise OSError(errno.EINVAL, "not a plain relative path", relative)
    if not parts and not folder:
        raise WrongTypeError(errno.EISDIR, "the root is not a file", root)
    current = os.open(root, _STEP if parts else _FOLDER)
    try:
        _tell(current, visit)
        for number, part in enumerate(parts, 1):
            flags = _STEP
            if number == len(parts):
                flags = _FOLDER if folder else _FILE
            following = _open_part(current, part, flags)
            os.close(current)
            current = following
            _tell(current, visit)
        if not folder and not stat.S_ISREG(os.fstat(current).st_mode):
            raise WrongTypeError(errno.EINVAL, "not a regular file", relative)
    except BaseException:
        os.close(current)
        raise
    return current


def _open_part(parent: int, name: str, flags: int) -> int:
    """Open one component; look first, because opening a device may have effects."""
    mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        raise SymlinkFoundError(errno.ELOOP, "a symbolic link", name)
    is_wanted = stat.S_ISDIR if flags & os.O_DIRECTORY else stat.S_ISREG
    if not is_wanted(mode):
        raise WrongTypeError(errno.EINVAL, "neither file nor folder as meant", name)
    try:
        return os.open(name, flags, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
            raise SymlinkFoundError(
                errno.ELOOP, "replaced while opened", name
            ) from None
        raise


def _tell(descriptor: int, visit: Callable[[os.stat_result], object] | None) -> None:
    if visit is not None:
        visit(os.fstat(descriptor))
