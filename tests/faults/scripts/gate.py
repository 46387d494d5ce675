"""Waits until a file appears, then exits. Arguments: ledger, tag, gate, exit code."""

import sys
import time
from pathlib import Path

from job import note


def main():
    """Begin, wait for the gate, end."""
    ledger, tag, gate, code = sys.argv[1:5]
    note(ledger, "begin", tag)
    while not Path(gate).exists():
        time.sleep(0.01)
    note(ledger, "end", tag)
    sys.exit(int(code))


if __name__ == "__main__":
    main()
