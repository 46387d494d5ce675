"""The script as the shim starts it: opened without links, hashed, kept, watched for changes.

Standard library only.
"""

import errno
import os

from scriptrunner.engine import whole_file
from scriptrunner.engine.beneath import open_beneath
from scriptrunner.engine.digest import sha256

#: Largest script that is started, in bytes.
MAX_SCRIPT_BYTES = 64 * 1024 * 1024
#: Bytes read at once.
_CHUNK_BYTES = 1 << 20


class ScriptChangedError(Exception):
    """The script is not what was asked for any more."""


class ScriptFile:
    """A script that was read once: its ``sha256``, ``size`` and what identifies the file.

    ``data`` are its bytes, as long as somebody needs them.
    """

    __slots__ = ("_identity", "data", "path", "sha256", "size")

    def __init__(
        self, path: str, digest: str, size: int, identity: tuple[int, ...]
    ) -> None:
        self.path = path
        self.sha256 = digest
        self.size = size
        self.data = b""
        self._identity = identity

    def is_unchanged(self) -> bool:
        """Return whether the path still names the very file that was read."""
        try:
            return (
                _identify(os.stat(self.path, follow_symlinks=False)) == self._identity
            )
        except OSError:
            return False


def _identify(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def take(
    path: str,
    root: str,
    relative: str,
    *,
    expected: str | None,
    scripts_dir: str | None,
    with_data: bool = False,
) -> ScriptFile:
    """Read a script, keep its bytes, and return what it is.

    Args:
        path: The path by which it will be started.
        root: Trusted folder.
        relative: Path below ``root``, walked without following links.
        expected: sha256 that the bytes must have, or None.
        scripts_dir: Folder that keeps the bytes by sha256, or None.
        with_data: Whether the result holds the bytes.

    Raises:
        ScriptChangedError: If it is gone, no regular file, too large, or other bytes.
    """
    try:
        descriptor = open_beneath(root, relative)
    except OSError as error:
        raise ScriptChangedError(
            f"the script cannot be opened: {error.strerror}"
        ) from error
    try:
        before = os.fstat(descriptor)
        data = _read_all(descriptor)
        if _identify(os.fstat(descriptor)) != _identify(before):
            raise ScriptChangedError("the script changed while it was read")
    finally:
        os.close(descriptor)
    digest = sha256(data)
    if expected is not None and digest != expected:
        raise ScriptChangedError(
            "the script's bytes are not the ones that were submitted"
        )
    if scripts_dir is not None:
        keep(data, digest, scripts_dir)
    script = ScriptFile(path, digest, len(data), _identify(before))
    if with_data:
        script.data = data
    if not script.is_unchanged():
        raise ScriptChangedError("the script was replaced while it was read")
    return script


def _read_all(descriptor: int) -> bytes:
    chunks = []
    size = 0
    while chunk := os.read(descriptor, _CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_SCRIPT_BYTES:
            raise ScriptChangedError(
                f"the script is larger than {MAX_SCRIPT_BYTES} bytes"
            )
    return b"".join(chunks)


def keep(data: bytes, digest: str, scripts_dir: str) -> None:
    """Keep ``data`` as ``<scripts_dir>/<digest>`` (0400) unless it is there.

    The file appears whole or not at all. A full disk is no reason not to run: then the
    bytes are not kept.
    """
    target = f"{scripts_dir}/{digest}"
    if os.access(target, os.F_OK):
        return
    try:
        whole_file.write(target, data, mode=0o400, point="script.keep")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
