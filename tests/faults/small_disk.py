"""A small disk for the data folder: a tmpfs, mounted by root or in a user namespace."""

import contextlib
import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

MIB = 1 << 20
_MNT_DETACH = 2
#: Mounts a tmpfs on $0 of $1 bytes and becomes the rest of the command.
_MOUNT_AND_RUN = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$0" && shift && exec "$@"'

_libc = ctypes.CDLL(None, use_errno=True)


class SmallDisk:
    """A place for a data folder; ``prefix`` goes before the command of the service.

    Attributes:
        path: The folder as the service knows it.
        prefix: Empty if everybody sees the disk; else it is mounted for the service only.
    """

    def __init__(self, path: Path, size_bytes: int, *, prefix: list[str]) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self.prefix = prefix

    def view(self, pid: int) -> Path:
        """Return the folder as we see it; ``pid`` is a process that has it mounted."""
        if not self.prefix:
            return self.path
        return Path(f"/proc/{pid}/root") / self.path.relative_to("/")


def can_use_namespaces() -> bool:
    """Return whether this user may mount in a user namespace."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


@contextlib.contextmanager
def small_disk(path: Path, size_bytes: int) -> Iterator[SmallDisk | None]:
    """Yield a disk of ``size_bytes`` for ``path``, or None if nobody lets us mount."""
    path.mkdir(parents=True)
    if _mount(path, size_bytes):
        try:
            yield SmallDisk(path, size_bytes, prefix=[])
        finally:
            _libc.umount2(os.fsencode(path), _MNT_DETACH)
    elif can_use_namespaces():
        unshare = ["unshare", "--user", "--map-root-user", "--mount"]
        shell = ["sh", "-c", _MOUNT_AND_RUN, str(path), str(size_bytes)]
        yield SmallDisk(path, size_bytes, prefix=[*unshare, *shell])
    else:
        yield None


def _mount(path: Path, size_bytes: int) -> bool:
    options = f"size={size_bytes},mode=700".encode()
    if _libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, options) == 0:
        return True
    if ctypes.get_errno() not in (errno.EPERM, errno.EACCES):
        raise OSError(ctypes.get_errno(), "cannot mount a tmpfs")
    return False


def fill(path: Path) -> int:
    """Write to the file ``path`` until the disk is full; return how many bytes fitted."""
    written = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for size in (MIB, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    written += os.write(descriptor, bytes(size))
    finally:
        os.close(descriptor)
    return written
