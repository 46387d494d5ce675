"""The text of a script as it lies on the disk now; what is listed is what is read."""

import hashlib
import os
from dataclasses import dataclass

from scriptrunner.engine.beneath import open_beneath
from scriptrunner.library.errors import FileMissingError
from scriptrunner.library.models import Script
from scriptrunner.library.reading import MAX_FILE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The beginning of a file, or all of it."""

    data: bytes
    #: Of the whole file.
    size: int
    is_truncated: bool
    #: Of ``data``.
    sha256: str

    @property
    def text(self) -> str:
        """The text; bytes that are not UTF-8 become U+FFFD."""
        return self.data.decode("utf-8", "replace")


def read_content(script: Script) -> Content:
    """Read a script, at most 4 MiB of it, without following a link.

    Raises:
        FileMissingError: If there is no regular file (any more).
    """
    try:
        descriptor = open_beneath(script.root_path, script.relative)
    except OSError:
        raise FileMissingError from None
    try:
        size = os.fstat(descriptor).st_size
        pieces, left = [], MAX_FILE_BYTES
        while left and (piece := os.read(descriptor, min(left, 1 << 20))):
            pieces.append(piece)
            left -= len(piece)
    except OSError:
        raise FileMissingError from None
    finally:
        os.close(descriptor)
    data = b"".join(pieces)
    return Content(
        data=data,
        size=max(size, len(data)),
        is_truncated=size > len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
