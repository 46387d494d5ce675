"""The script of the fault tests: says in a ledger that it began and that it ended.

Arguments: ledger, tag, exit code, milliseconds, lines. The ledger is written by single
appends, so the truth about the scripts does not come from the service.
"""

import os
import sys
import time

#: What floods of output consist of, by the name of their shape.
SHAPES = {
    "one line": b"x",
    "empty lines": b"\n",
    "zeros": b"\0",
    "bad utf-8": b"\xff\xfe\x80\xc3",
}


def output_of(tag, lines):
    """Return all that a job prints, as text."""
    return "".join(
        f"{tag} line {number:06d} ✓ {'=' * (number * 7 % 60)}\n"
        for number in range(lines)
    )


def note(ledger, mark, tag):
    """Append one line: mark, run id, attempt, tag, pid."""
    run_id = os.environ.get("RUN_ID", "-")
    attempt = os.environ.get("SCRIPT_RUNNER_ATTEMPT", "0")
    text = f"{mark} {run_id} {attempt} {tag} {os.getpid()}\n"
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def main():
    """Begin, print the first half, sleep, print the rest, end. No lines: say nothing."""
    ledger, tag = sys.argv[1:3]
    code, milliseconds, lines = map(int, sys.argv[3:6])
    note(ledger, "begin", tag)
    text = output_of(tag, lines)
    half = len(text) // 2
    sys.stdout.write(text[:half])
    sys.stdout.flush()
    time.sleep(milliseconds / 1000)
    sys.stdout.write(text[half:])
    sys.stdout.flush()
    if lines:
        sys.stderr.write(f"{tag} ends with {code}\n")
    note(ledger, "end", tag)
    sys.exit(code)


if __name__ == "__main__":
    main()
