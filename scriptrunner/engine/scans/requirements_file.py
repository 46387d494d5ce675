"""Which requirements file belongs to a script. Standard library only: the shim looks.

It is ``requirements.txt`` beside the script or in the nearest folder above it, inside the
allowed root; links are not followed.
"""

import os

from scriptrunner.engine.beneath import open_beneath
from scriptrunner.engine.scans.kinds import MAX_REQUIREMENTS_BYTES

NAME = "requirements.txt"


class RequirementsFile:
    """A requirements file: its path below the root and its bytes.

    ``problem`` says why it cannot be read, else None; then ``data`` is empty.
    """

    __slots__ = ("data", "path", "problem")

    def __init__(self, path: str, data: bytes, problem: str | None = None) -> None:
        self.path = path
        self.data = data
        self.problem = problem


def find(root: str, relative: str) -> RequirementsFile | None:
    """Return the file that belongs to the script at ``relative`` below ``root``, or None.

    Args:
        root: Trusted folder, a real path.
        relative: Path of the script below it, without ``.`` and ``..``.
    """
    folders = relative.split("/")[:-1]
    while True:
        path = "/".join([*folders, NAME])
        try:
            return _read(root, path)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            return RequirementsFile(path, b"", error.strerror or "cannot be read")
        if not folders:
            return None
        folders.pop()


def _read(root: str, path: str) -> RequirementsFile:
    descriptor = open_beneath(root, path)
    try:
        data = os.read(descriptor, MAX_REQUIREMENTS_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_REQUIREMENTS_BYTES:
        return RequirementsFile(path, b"", "larger than 1 MiB")
    return RequirementsFile(path, data)
