"""Secret values in output: each byte of them replaced by ``*``, wherever they are cut.

A byte is masked if any occurrence of any secret covers it. So the result for a place does
not depend on where reading began, offsets stay true, and overlapping secrets are all
covered. A seat belt: a script can always print its secret in another form.
"""

from collections.abc import Callable, Iterable

from scriptrunner.engine import hiding

#: Reads ``size`` bytes at ``offset``: ``read(size, offset)``.
Read = Callable[[int, int], bytes]


class Masker:
    """Replaces the secrets of one run. Holds no state; threads may share it.

    Args:
        secrets: Values of the run's secret environment variables.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Keep what is long enough, longest first."""
        self._secrets = hiding.list_hidden(secrets)
        #: Bytes that must be known on either side of a piece to mask it right.
        self.overlap = max((len(each) - 1 for each in self._secrets), default=0)

    def __bool__(self) -> bool:
        """Whether there is anything to replace."""
        return bool(self._secrets)

    def mask(self, data: bytes) -> bytes:
        """Return ``data`` with every whole secret in it replaced."""
        return hiding.hide(data, self._secrets)

    def read(self, read: Read, offset: int, end: int) -> bytes:
        """Return the masked bytes from ``offset`` to ``end``.

        Args:
            read: Reads ``size`` bytes at an offset, fewer at the end of what there is.
            offset: First byte, >= 0.
            end: Behind the last byte; what lies there is looked at, but not returned.
        """
        if not self._secrets:
            return read(end - offset, offset)
        start = max(0, offset - self.overlap)
        data = read(end + self.overlap - start, start)
        return self.mask(data)[offset - start : end - start]

    def count_open(self, tail: bytes) -> int:
        """Return how many bytes at the end of ``tail`` may be the beginning of a secret.

        A live reader holds these back until it is known what follows.
        """
        longest = min(self.overlap, len(tail))
        for length in range(longest, 0, -1):
            end = tail[-length:]
            if any(
                len(each) > length and each.startswith(end) for each in self._secrets
            ):
                return length
        return 0
