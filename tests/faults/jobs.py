"""The jobs of a fault test: what each run was asked to do, and what it must have done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.scripts.job import output_of

#: What the service puts between standard output and standard error.
SEPARATOR = "\n--- STDERR ---\n"
EXIT_CODES = (0, 0, 0, 1, 3, 42)
#: Part of the failing jobs that are tried again.
RETRIED_PART = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """One run of ``scripts/job.py`` with a tag of its own."""

    tag: str
    exit_code: int = 0
    milliseconds: int = 0
    lines: int = 1
    #: Further fields of the request.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Whether a person may end it, so that not its own end counts.
    is_ordered: bool = False
    #: Runs of it that there may be: a restart is one more.
    runs: int = 1
    #: Attempts that it makes: all fail, or the first is good.
    attempts: int = 1

    def again(self) -> "Job":
        """Return the same job for the run of a restart."""
        return replace(self, runs=self.runs + 1)

    def request(self, script: Path, ledger: Path) -> dict[str, Any]:
        """Return the body of the submission."""
        numbers = (self.exit_code, self.milliseconds, self.lines)
        args = [str(ledger), self.tag, *map(str, numbers)]
        return {"script_path": str(script), "args": args, **self.options}

    @property
    def stdout(self) -> str:
        """All that the job prints."""
        return output_of(self.tag, self.lines)

    @property
    def stderr(self) -> str:
        """All that it says on standard error."""
        return f"{self.tag} ends with {self.exit_code}\n" if self.lines else ""

    @property
    def log(self) -> str:
        """Its whole log as the service shows it."""
        return self.stdout + (SEPARATOR + self.stderr if self.stderr else "")


def make_jobs(
    random: Random,
    count: int,
    *,
    milliseconds: tuple[int, int] = (0, 600),
    lines: tuple[int, int] = (1, 2000),
    prefix: str = "job",
) -> list[Job]:
    """Return jobs of random codes, durations and output (both ends included)."""
    jobs = []
    for number in range(count):
        code = random.choice(EXIT_CODES)
        attempts, options = _retried(random, code)
        job = Job(
            tag=f"{prefix}-{number}",
            exit_code=code,
            milliseconds=random.randint(*milliseconds),
            lines=_skewed(random, *lines),
            options=options,
            attempts=attempts,
        )
        jobs.append(job)
    return jobs


def _retried(random: Random, exit_code: int) -> tuple[int, dict[str, Any]]:
    """Return number of attempts and options of a job; some failing ones are retried."""
    if exit_code == 0 or random.random() > RETRIED_PART:
        return 1, {}
    attempts = random.randint(2, 3)
    return attempts, {
        "retry_on_failure": True,
        "retry_max_attempts": attempts,
        "retry_strategy": "linear",
        "retry_initial_delay": 0.2,
    }


def _skewed(random: Random, least: int, most: int) -> int:
    """Return mostly small numbers, now and then a large one."""
    return least + int((most - least) * random.random() ** 4)
