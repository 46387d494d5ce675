"""Files that appear whole or not at all, whoever looks and whatever is killed.

Standard library only, and little of it: the shim writes with this.
"""

import os

from scriptrunner.fault_points import pass_point


def write(
    target: str, data: bytes, *, mode: int = 0o600, point: str | None = None
) -> None:
    """Write ``data`` to ``target`` by way of a draft beside it; what is there goes.

    Args:
        target: The path; its folder must be there.
        data: All of it.
        mode: Permissions of the file, less those that the umask takes.
        point: Fault point passed while the draft is there and empty.

    Raises:
        OSError: As the system says; no draft is left.
    """
    folder, slash, _ = target.rpartition("/")
    draft = f"{folder}{slash}.{os.urandom(8).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(draft, flags, mode)
    try:
        try:
            if point is not None:
                pass_point(point)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
        os.rename(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
