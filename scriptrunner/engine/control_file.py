"""The control file of an attempt: four slots that tell what happened, whoever died.

Standard library only: the zygote and every shim import it. A slot is ``REC1`` (4 bytes),
length (u32, little endian), CRC-32 of the text (u32), then UTF-8 JSON of at most 1 012
bytes; zeros mean empty. Each slot is written in place by one ``pwrite``, into blocks that
were allocated when the file was made, so an end can be recorded on a full disk.

Slot 0, identity: written by the shim once it holds the file's lock.
Slot 1, spawn: written just before the fork; "from here the script may have run". The four
bytes ``VOID`` say that a recovery got there first: the shim must not start anything.
Slot 2, end: written when the process tree is gone.
Slot 3, signal: written when an order or a deadline was carried out.
"""

import errno
import fcntl
import json
import os
import struct
from zlib import crc32

from scriptrunner.fault_points import pass_point

#: ``typing`` is not loaded at run time: its import would be paid for with every run.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SLOT_BYTES = 1024
SLOT_COUNT = 4
FILE_BYTES = SLOT_BYTES * SLOT_COUNT
MAGIC = b"REC1"
VOID_MAGIC = b"VOID"
HEAD = struct.Struct("<4sII")
#: Bytes of JSON that one slot can hold.
TEXT_BYTES = SLOT_BYTES - HEAD.size

IDENTITY, SPAWN, END, SIGNAL = range(4)
_WRITE_POINTS = ("control.identity", "control.spawn", "control.end", "control.signal")


class VoidType:
    """The mark of a spawn slot that recovery has closed."""

    def __repr__(self) -> str:
        """Return ``VOID``."""
        return "VOID"


#: Slot 1 was closed before the script was started.
VOID = VoidType()


class ControlFile:
    """What the four slots say: a mapping, None for empty.

    ``spawn`` may be ``VOID``, or ``{}`` when it holds something unreadable (the script may
    have run). ``end_damaged`` says that slot 2 holds something unreadable.
    """

    __slots__ = ("end", "end_damaged", "identity", "signal", "spawn")

    def __init__(self, data: bytes) -> None:
        identity, spawn, end, signal = (
            data[n * SLOT_BYTES : (n + 1) * SLOT_BYTES] for n in range(SLOT_COUNT)
        )
        self.identity = _decode(identity)
        self.spawn: dict[str, Any] | VoidType | None
        if spawn[:4] == VOID_MAGIC:
            self.spawn = VOID
        else:
            self.spawn = _decode(spawn)
            if self.spawn is None and any(spawn):
                self.spawn = {}
        self.end = _decode(end)
        self.end_damaged = self.end is None and any(end)
        self.signal = _decode(signal)


def _decode(slot: bytes) -> "dict[str, Any] | None":
    """Return the mapping in ``slot`` (bytes), or None if empty, cut or damaged."""
    if len(slot) < HEAD.size:
        return None
    magic, length, checksum = HEAD.unpack_from(slot)
    if magic != MAGIC or length > TEXT_BYTES:
        return None
    text = slot[HEAD.size : HEAD.size + length]
    if len(text) != length or crc32(text) != checksum:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def encode(record: "dict[str, Any]") -> bytes:
    """Return the bytes of a slot that holds ``record``; it must fit ``TEXT_BYTES``."""
    text = json.dumps(record, separators=(",", ":")).encode("ascii")
    if len(text) > TEXT_BYTES:
        raise ValueError(f"a record of {len(text)} bytes does not fit a slot")
    return HEAD.pack(MAGIC, len(text), crc32(text)) + text


def path_of(run_dir: str, attempt: int) -> str:
    """Return the path of an attempt's control file."""
    return f"{run_dir}/a{attempt}.ctl"


def create(path: str) -> int:
    """Make the file, with all its blocks, and return a descriptor for it.

    Raises:
        FileExistsError: If somebody was first: a shim, or a recovery with its tombstone.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        pass_point("control.create")
        os.posix_fallocate(descriptor, 0, FILE_BYTES)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            os.close(descriptor)
            os.unlink(path)
            raise
        os.pwrite(descriptor, bytes(FILE_BYTES), 0)
    return descriptor


def lock(descriptor: int) -> bool:
    """Try to take the file's lock and return whether it is ours now.

    Only a shim and the recovering supervisor may call this. The lock is a POSIX lock: it
    is lost when its holder closes *any* descriptor of the file.
    """
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def holder(descriptor: int) -> int | None:
    """Return the pid that holds the lock (0 if it is in another PID namespace), or None."""
    query = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, query)
    kind: int
    pid: int
    kind, _, _, _, pid = struct.unpack("hhqqi4x", answer)
    return None if kind == fcntl.F_UNLCK else pid


def write_slot(
    descriptor: int, slot: int, record: "dict[str, Any]", *, durable: bool = False
) -> None:
    """Write ``record`` into ``slot`` (0..3); ``durable`` forces it to the disk."""
    pass_point(_WRITE_POINTS[slot])
    os.pwrite(descriptor, encode(record), slot * SLOT_BYTES)
    if durable:
        os.fdatasync(descriptor)


def write_void(descriptor: int, *, durable: bool = False) -> None:
    """Close slot 1: whoever comes later must not start the script."""
    pass_point("control.void")
    os.pwrite(descriptor, VOID_MAGIC, SPAWN * SLOT_BYTES)
    if durable:
        os.fdatasync(descriptor)


def read_descriptor(descriptor: int) -> ControlFile:
    """Return the ``ControlFile`` behind an open descriptor."""
    return ControlFile(os.pread(descriptor, FILE_BYTES, 0).ljust(FILE_BYTES, b"\0"))


def read(path: str) -> ControlFile | None:
    """Return the ``ControlFile`` at ``path``, or None if there is none.

    Never call this in the process that holds the file's lock: closing the descriptor
    would drop the lock.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        return read_descriptor(descriptor)
    finally:
        os.close(descriptor)
