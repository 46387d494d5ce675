"""What a fault test is: a name, sizes, and a function that does it once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.report import Report


@dataclass(frozen=True, slots=True)
class Trial:
    """One execution of a fault test: where, from which seed, how large."""

    test_id: str
    folder: Path
    seed: int
    size: Mapping[str, int]

    def random(self) -> Random:
        """Return a fresh source of random numbers, always the same for a seed."""
        return Random(f"{self.test_id}-{self.seed}")

    def report(
        self, *, planned: Mapping[str, int], criteria: tuple[str, ...] = ()
    ) -> Report:
        """Return an empty report of this trial."""
        return Report(self.test_id, self.seed, planned=planned, criteria=criteria)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTest:
    """One row of the table of fault tests.

    Attributes:
        test_id: ``T1`` and so on.
        title: What it does, in a line.
        run: Does it and returns the report.
        ci: Sizes for every change.
        long: Sizes for a release.
        seconds: Time limit of the CI size; the work itself takes less.
    """

    test_id: str
    title: str
    run: Callable[[Trial], Report]
    ci: Mapping[str, int]
    long: Mapping[str, int]
    seconds: int

    def perform(self, folder: Path, seed: int, size: Mapping[str, int]) -> Report:
        """Run it once in ``folder`` with ``size``; missing sizes are those of CI."""
        trial = Trial(self.test_id, folder, seed, {**self.ci, **size})
        return self.run(trial)


def derive(random: Random) -> Random:
    """Return a source of random numbers for one thread, decided by ``random``."""
    return Random(random.random())
