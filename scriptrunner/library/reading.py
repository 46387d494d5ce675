"""Reading one file of a root: bytes, hash, lines, language. Nothing blocks here."""

import codecs
import hashlib
import os
import stat
import time
from dataclasses import dataclass

from scriptrunner.library.languages import (
    BY_EXTENSION,
    OTHER,
    extension_of,
    find_by_first_line,
)
from scriptrunner.library.walking import OPEN_FILE, FileState

#: Bytes of the largest file that is listed, and of what is shown of one.
MAX_FILE_BYTES = 4 << 20
#: Nanoseconds in which a file may change again without a new time. What was read so
#: soon after its last change is read again by the next scan.
FRESH_NS = 20_000_000
#: Largest time that is kept: the end of the year 9999, in nanoseconds.
MAX_TIME_NS = 253_402_300_799 * 1_000_000_000
#: Inode numbers have 64 bits without a sign, the database's numbers one less.
INODE_MASK = (1 << 63) - 1

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BOM_BEGINNINGS = frozenset(bom[0] for bom, _ in _BOMS)


class TooLargeToListError(Exception):
    """The file is larger than a scan reads."""


class NoScriptError(Exception):
    """The file is none of those that are wanted after all."""


@dataclass(slots=True)  # not frozen: there are very many
class FileFacts:
    """A file as it was when it was read."""

    name: str
    extension: str
    language: str
    size: int
    #: Of the file; 0 if it was so fresh that it has to be read again.
    mtime_ns: int
    #: Microseconds since 1970, as it is shown.
    mtime_us: int
    #: Inode, size and time, as the kernel says.
    state: FileState
    line_count: int
    sha256: str
    data: bytes


def read_file(folder: int, name: str, *, is_asked_for: bool) -> FileFacts:
    """Read the file ``name`` in the folder that the descriptor ``folder`` means.

    Args:
        folder: Descriptor of the folder.
        name: Of the file.
        is_asked_for: Whether patterns name it, so that any language will do.

    Raises:
        TooLargeToListError: If it is larger than ``MAX_FILE_BYTES``.
        NoScriptError: If it is no regular file, or of no known language.
        OSError: If it cannot be read.
    """
    descriptor = os.open(name, OPEN_FILE, dir_fd=folder)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise NoScriptError
        if found.st_size > MAX_FILE_BYTES:
            raise TooLargeToListError
        extension = extension_of(name)
        language = BY_EXTENSION.get(extension)
        if language is None:
            data = os.read(descriptor, 256)
            language = find_by_first_line(data)
            if language is None and not is_asked_for:
                raise NoScriptError
            data += _read_rest(descriptor, found.st_size - len(data))
        else:
            data = _read_rest(descriptor, found.st_size)
    finally:
        os.close(descriptor)
    changed_ns = found.st_mtime_ns
    is_fresh = changed_ns > time.time_ns() - FRESH_NS
    return FileFacts(
        name,
        extension,
        language or OTHER,
        len(data),
        0 if is_fresh or len(data) != found.st_size else changed_ns,
        (changed_ns if 0 <= changed_ns <= MAX_TIME_NS else _nearest(changed_ns))
        // 1000,
        (found.st_ino, found.st_size, changed_ns),
        count_lines(data),
        hashlib.sha256(data).hexdigest(),
        data,
    )


def _nearest(time_ns: int) -> int:
    """Return the nearest time that can be shown."""
    return 0 if time_ns < 0 else MAX_TIME_NS


def _read_rest(descriptor: int, expected: int) -> bytes:
    """Return what is left, one byte more than ``expected`` being asked for at a time."""
    data = os.read(descriptor, expected + 1 if expected > 0 else 1)
    if len(data) == expected:
        return data
    pieces, size = [data], len(data)
    while data:
        data = os.read(descriptor, 1 << 20)
        pieces.append(data)
        size += len(data)
        if size > MAX_FILE_BYTES:
            raise TooLargeToListError
    return b"".join(pieces)


def count_lines(data: bytes) -> int:
    r"""Return the number of lines; ``\n``, ``\r\n`` and ``\r`` end one.

    Text in UTF-16 or UTF-32 is decoded first. A last line without an end counts.
    """
    if not data:
        return 0
    if data[0] in _BOM_BEGINNINGS:
        data = _as_utf8(data)
    count = data.count(b"\n")
    if b"\r" in data:
        count += data.count(b"\r") - data.count(b"\r\n")
    return count + (not data.endswith((b"\n", b"\r")))


def _as_utf8(data: bytes) -> bytes:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace").encode()
    return data
