"""The service dies between any two steps, or two of them race, and nothing is lost."""

from pathlib import Path

from tests.faults import ci
from tests.faults.trial import FaultTest


@ci.cases("crash_points")
def test_nothing_is_lost(test: FaultTest, seed: int, tmp_path: Path) -> None:
    ci.check(test, seed, tmp_path)
