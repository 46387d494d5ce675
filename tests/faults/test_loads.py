"""Queues, schedules, outputs and readers are many, and nothing is lost."""

from pathlib import Path

from tests.faults import ci
from tests.faults.trial import FaultTest


@ci.cases("loads")
def test_nothing_is_lost(test: FaultTest, seed: int, tmp_path: Path) -> None:
    ci.check(test, seed, tmp_path)
