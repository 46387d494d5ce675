"""A file of allocated blocks that is given up when the disk is full.

The database needs a little room to record how runs ended. On a full disk the supervisor
frees the ballast for that, and takes it back when there is room again.
"""

import errno
import os
import shutil
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Ballast:
    """``size_bytes`` of the data disk, set aside in the file ``path``."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size = size_bytes
        self._is_held = False

    def hold(self) -> None:
        """Set the room aside if it is not and the disk has twice as much to give."""
        if self._is_held or shutil.disk_usage(self._path.parent).free < 2 * self._size:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, max(self._size, 1))
            self._is_held = True
        except OSError as error:
            os.ftruncate(descriptor, 0)
            if error.errno not in _FULL:
                raise
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Give the room to whoever needs it."""
        if self._path.exists():
            os.truncate(self._path, 0)
        self._is_held = False
