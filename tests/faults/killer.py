"""Kills processes of the service at random instants and counts how many died of it."""

import threading
import time
from collections.abc import Collection, Mapping
from random import Random

from tests.faults.processes import (
    PARENT,
    SHIM,
    SUPERVISOR,
    WORKER,
    ZYGOTE,
    Process,
)
from tests.faults.report import Report
from tests.faults.service import Service

#: Seconds between two kills, least and most.
GAP_SECONDS = (0.005, 0.150)
#: How long a part is left alone after it was hit, in starts of the whole service on this
#: machine: the true rest is anything up to twice that. A zygote is back in an instant.
REST_STARTS = {PARENT: 2.0, WORKER: 0.5, SUPERVISOR: 0.4, ZYGOTE: 0.0, SHIM: 0.0}
#: How much of that one process needs to start.
START_PART = 0.5
#: Part of the kills that may hit a process while it is still starting.
EARLY_PART = 0.25


class Killer:
    """A thread that kills until ``kills`` processes that count have died.

    Args:
        service: Whose processes.
        report: Where each kill is counted, by role.
        random: Decides who and when.
        weights: How likely each role is to be hit.
        kills: How many.
        counted: The roles that count for ``kills``; the others die beside them.
    """

    def __init__(
        self,
        service: Service,
        report: Report,
        random: Random,
        *,
        weights: Mapping[str, float],
        kills: int,
        counted: Collection[str],
    ) -> None:
        self._service = service
        self._report = report
        self._random = random
        self._weights = weights
        self._kills = kills
        self._counted = counted
        self._done = 0
        #: Pid and start time of all processes that were killed.
        self.killed: set[tuple[int, int]] = set()
        self._spared_until = dict.fromkeys(weights, 0.0)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._kill_on, name="killer")

    @property
    def progress(self) -> float:
        """How much of the work is done, 0..1."""
        return min(1.0, self._done / max(1, self._kills))

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def join(self, seconds: float) -> None:
        """Wait until all kills are done, at most so long."""
        self._thread.join(seconds)

    def _kill_on(self) -> None:
        while self._done < self._kills:
            if self._stopped.wait(self._random.uniform(*GAP_SECONDS)):
                return
            self._kill_one()

    def _kill_one(self) -> None:
        """Kill a process of a random part that is there and not spared."""
        now = time.monotonic()
        there = {
            role: found
            for role, found in self._find_victims().items()
            if self._spared_until.get(role, now + 1) <= now
        }
        if not there:
            return
        weights = [self._weights[role] for role in there]
        role = self._random.choices(list(there), weights)[0]
        victim = self._random.choice(there[role])
        known = victim.pid, victim.start
        if known not in self.killed and victim.kill():
            self.killed.add(known)
            self._done += role in self._counted
            self._report.fault(role)
            longest = 2 * REST_STARTS[role] * self._service.start_seconds
            self._spared_until[role] = now + self._random.uniform(0, longest)

    def _find_victims(self) -> dict[str, list[Process]]:
        """Return processes by part; mostly only those that are done with starting.

        Otherwise nothing would ever be ready on a machine that is slow enough.
        """
        least_age = START_PART * self._service.start_seconds
        if self._random.random() < EARLY_PART:
            least_age = 0.0
        found = {}
        for role, processes in self._service.by_role().items():
            age = least_age if REST_STARTS.get(role) else 0.0
            old = [each for each in processes if each.age() >= age]
            if old:
                found[role] = old
        return found
