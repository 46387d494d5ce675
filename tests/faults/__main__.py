"""``python -m tests.faults T1 --seed 7 --runs 1000 --kills 300``; ``--list`` shows all."""

import argparse
import secrets
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.catalogue import TESTS
from tests.faults.report import Report
from tests.faults.trial import FaultTest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named tests; 0 only if every counter is zero and every fault was done."""
    options, rest = _make_parser().parse_known_args(arguments)
    if options.list or not options.tests:
        print(describe())
        return 0
    sizes = {**parse_sizes(rest)}
    passed = True
    for name in options.tests:
        test = TESTS[name]
        size = {**(test.long if options.long else test.ci), **sizes}
        passed &= run_once(test, options.seed, size, keep=options.keep).is_passed
    return 0 if passed else 1


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Fault tests: what if this is killed, full, locked or cut now? "
        "Sizes are given by their names, such as --runs 1000; --list shows them.",
        allow_abbrev=False,
    )
    parser.add_argument("tests", nargs="*", choices=[*TESTS, []], metavar="TEST")
    parser.add_argument("--list", action="store_true", help="show all tests and sizes")
    parser.add_argument("--long", action="store_true", help="the sizes of a release")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    return parser


def parse_sizes(words: Sequence[str]) -> dict[str, int]:
    """Return ``--name value`` pairs as numbers by name; the program ends at others."""
    sizes = {}
    for option, value in zip(words[::2], words[1::2], strict=False):
        if not option.startswith("--") or not value.isdigit():
            raise SystemExit(f"not a size: {option} {value}")
        sizes[option[2:].replace("-", "_")] = int(value)
    if len(words) % 2:
        raise SystemExit(f"{words[-1]} needs a value")
    known = {name for test in TESTS.values() for name in test.ci}
    if unknown := set(sizes) - known:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; see --list")
    return sizes


def describe() -> str:
    """Return a line per test: id, title, sizes in CI and before a release."""
    lines = []
    for test in TESTS.values():
        sizes = (
            " ".join(f"--{k} {v}" for k, v in each.items()) for each in _sizes(test)
        )
        small, large = sizes
        lines.append(f"{test.test_id:<4} {test.title}\n       {small}\n  long {large}")
    return "\n".join(lines)


def _sizes(test: FaultTest) -> tuple[dict[str, int], dict[str, int]]:
    return dict(test.ci), {**test.ci, **test.long}


def run_once(test: FaultTest, seed: int, size: dict[str, int], *, keep: bool) -> Report:
    """Run a test in a folder of its own, which stays if it fails, and print the report."""
    folder = Path(tempfile.mkdtemp(prefix=f"fault-{test.test_id}-"))
    report = test.perform(folder, seed, size)
    print("\n".join(report.lines()), flush=True)
    if keep or not report.is_passed:
        print(f"  kept: {folder}", flush=True)
    else:
        shutil.rmtree(folder)
    return report


if __name__ == "__main__":
    sys.exit(main())
