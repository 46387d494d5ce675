"""The fault tests in the size for every change; the seed is in the name of each.

A failure is repeated by ``python -m tests.faults T1 --seed …``; a seed that found a
defect joins ``seeds.py``.
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


def list_cases() -> Iterator[object]:
    for test in TESTS.values():
        for seed in (*ALWAYS.get(test.test_id, ()), draw_seed(test.test_id)):
            yield pytest.param(
                test,
                seed,
                id=f"{test.test_id}-seed-{seed}",
                marks=[pytest.mark.slow, pytest.mark.timeout(SLOWNESS * test.seconds)],
            )


@pytest.mark.parametrize(("test", "seed"), list(list_cases()))
def test_nothing_is_lost(test: FaultTest, seed: int, tmp_path: Path) -> None:
    report = test.perform(tmp_path, seed, {})
    print("\n".join(report.lines()))
    assert report.is_passed
