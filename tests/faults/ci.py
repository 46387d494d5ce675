"""The fault tests in the size for every change, by what they do to the service.

Each group has a test file of its own, ``test_<group>.py``, so that the files can be shared
out among cores. The seed is in the name of each test; a failure is repeated by
``python -m tests.faults T1 --seed …``; a seed that found a defect joins ``seeds.py``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.catalogue import TESTS
from tests.faults.seeds import ALWAYS
from tests.faults.trial import FaultTest
from tests.seeds import draw_seed

#: How much longer a test may take beside others on a busy machine.
SLOWNESS = 3
#: Ids of the fault tests by the name of their file.
GROUPS = {
    "random_kills": ("T1",),
    "kills": ("T2", "T4", "T5", "T18", "T19", "T24"),
    "crash_points": ("T3", "T15"),
    "disks_and_databases": ("T6", "T7", "T9", "T17", "T21"),
    "loads": ("T8", "T10", "T11", "T12", "T16"),
    "models": ("T14", "T23"),
}
#: What says nothing within minutes is performed before a release only.
BY_HAND = ("T20",)


def cases(group: str) -> pytest.MarkDecorator:
    """Return the mark that gives a test the fault tests of a group, and seeds for them."""
    return pytest.mark.parametrize(("test", "seed"), list(_list_cases(group)))


def _list_cases(group: str) -> Iterator[object]:
    for test in (TESTS[test_id] for test_id in GROUPS[group]):
        for seed in (*ALWAYS.get(test.test_id, ()), draw_seed(test.test_id)):
            yield pytest.param(
                test,
                seed,
                id=f"{test.test_id}-seed-{seed}",
                marks=[pytest.mark.slow, pytest.mark.timeout(SLOWNESS * test.seconds)],
            )


def check(test: FaultTest, seed: int, folder: Path) -> None:
    """Perform a fault test and fail unless it is passed."""
    report = test.perform(folder, seed, {})
    print("\n".join(report.lines()))
    assert report.is_passed
