"""Writes much output of one shape. Arguments: ledger, tag, shape, MiB."""

import os
import sys

from job import SHAPES, note


def main():
    """Write blocks of 1 MiB straight to standard output."""
    ledger, tag, shape, mebibytes = sys.argv[1:5]
    note(ledger, "begin", tag)
    block = SHAPES[shape] * ((1 << 20) // len(SHAPES[shape]))
    for _ in range(int(mebibytes)):
        view = memoryview(block)
        while view:
            view = view[os.write(1, view) :]
    note(ledger, "end", tag)


if __name__ == "__main__":
    main()
