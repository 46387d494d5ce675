"""How alike two texts are: by their runs of three lines, and by short fingerprints.

The measure is the Jaccard index of the sets of all runs of three lines, with blank lines
and indentation left out. Fingerprints (MinHash, A. Broder 1997) find candidates without
comparing everything with everything: texts that share a band of four smallest hashes.
With six bands, texts with an index of 0.8 share one with a probability of 0.96.
"""

import zlib
from collections.abc import Sequence

#: Bands, and hashes in a band.
BANDS = 6
ROWS = 4
#: Different runs of three lines that a text must have to be compared at all.
MIN_RUNS = 5
#: Bytes of a text that are looked at.
MAX_BYTES = 256 << 10

_MASK = (1 << 32) - 1
#: Odd multipliers and summands; any fixed ones will do.
_MIXERS = tuple(
    ((0x9E3779B1 * (2 * n + 1)) & _MASK | 1, (0x85EBCA6B * (n + 1)) & _MASK)
    for n in range(BANDS * ROWS)
)


def runs_of(data: bytes) -> frozenset[int]:
    """Return the hashes of all runs of three lines of a text."""
    lines = [line.strip() for line in data[:MAX_BYTES].splitlines()]
    hashes = [zlib.crc32(line) for line in lines if line]
    return frozenset(
        zlib.crc32(b"%d %d %d" % (first, second, third))
        for first, second, third in zip(hashes, hashes[1:], hashes[2:], strict=False)
    )


def bands_of(runs: frozenset[int]) -> Sequence[int]:
    """Return the fingerprint of a text, a number of 63 bits per band.

    It is empty for texts with fewer than ``MIN_RUNS`` different runs.
    """
    if len(runs) < MIN_RUNS:
        return ()
    smallest = [
        min([(each * factor + summand) & _MASK for each in runs])
        for factor, summand in _MIXERS
    ]
    bands = []
    for start in range(0, len(smallest), ROWS):
        packed = b"".join(n.to_bytes(4, "big") for n in smallest[start : start + ROWS])
        low, high = zlib.crc32(packed), zlib.crc32(packed, 1)
        bands.append(((high << 32) | low) >> 1)
    return bands


def similarity(first: frozenset[int], second: frozenset[int]) -> float:
    """Return the Jaccard index of two texts' runs, 0 to 1; 0 if both have none."""
    union = len(first | second)
    return len(first & second) / union if union else 0.0
