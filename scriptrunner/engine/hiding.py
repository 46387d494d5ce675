"""Secret values in bytes: each byte of them replaced by ``*``.

A byte is hidden if any occurrence of any secret covers it, so overlapping secrets are all
covered. A seat belt: a script can always print its secret in another form. Standard
library only; the shim hides what it copies by this.
"""

TYPE_CHECKING = False  # typing itself is not loaded: every run would pay for it
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Shorter values are too common to be replaced.
MIN_SECRET_BYTES = 6


def list_hidden(values: "Iterable[str]") -> list[bytes]:
    """Return the values that are long enough to be hidden, the longest first."""
    found = {value.encode("utf-8", "surrogateescape") for value in values}
    long_enough = [each for each in found if len(each) >= MIN_SECRET_BYTES]
    return sorted(long_enough, key=lambda each: (-len(each), each))


def hide(data: bytes, secrets: "Sequence[bytes]") -> bytes:
    """Return ``data`` with every whole secret in it replaced; its length stays."""
    hidden: bytearray | None = None
    for secret in secrets:
        start = data.find(secret)
        while start >= 0:
            hidden = bytearray(data) if hidden is None else hidden
            hidden[start : start + len(secret)] = b"*" * len(secret)
            start = data.find(secret, start + 1)
    return data if hidden is None else bytes(hidden)
