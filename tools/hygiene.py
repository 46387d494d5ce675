#!/usr/bin/env python3
"""Name files that are untidy in ways no other tool of ours looks at.

    tools/hygiene.py FILE ...

Standard library only. Prints one line per fault; the exit code is 1 if there is any.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

#: Bytes; larger files belong elsewhere than into a repository that everybody clones.
LARGEST_BYTES = 1 << 20

CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
TRAILING = re.compile(rb"[ \t]+$", re.MULTILINE)
#: Keys and tokens by their telling shapes, ours among them.
SECRET = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    rb"|\bAKIA[0-9A-Z]{16}\b"
    rb"|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    rb"|\bxox[abprs]-[0-9A-Za-z-]{20,}"
    rb"|\bwapi_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\b"
)


def faults_of(content: bytes) -> Iterator[str]:
    """Yield what is wrong with the content of one file; pictures are only weighed."""
    if len(content) > LARGEST_BYTES:
        yield f"has {len(content):,} bytes, more than {LARGEST_BYTES:,}"
    if b"\0" in content:
        return
    if b"\r\n" in content:
        yield "has Windows line ends"
    if TRAILING.search(content):
        yield "has blanks at the end of a line"
    if content and (not content.endswith(b"\n") or content.endswith(b"\n\n")):
        yield "does not end with exactly one newline"
    if SECRET.search(content):
        yield "has what looks like a secret"
    if CONFLICT.search(content):
        yield "has marks of a merge conflict"


def main(names: list[str]) -> int:
    """Print the faults of all files; 1 if there are any, else 0."""
    found = 0
    for name in names:
        for fault in faults_of(Path(name).read_bytes()):
            print(f"{name}: {fault}")
            found = 1
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
