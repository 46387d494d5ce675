"""What a caller may expect of runs: a model of the API without processes or times."""

from collections.abc import Iterable
from dataclasses import dataclass, field

TERMINAL = frozenset({"completed", "failed", "cancelled"})
REASONS = {
    "stop": "stopped",
    "cancel": "cancelled",
    "kill": "killed",
    "restart": "restart",
}


@dataclass(slots=True)
class ModelRun:
    """One run as its record must be."""

    tag: str
    exit_code: int
    status: str = "queued"
    run_status: str | None = None
    reason: str | None = None
    #: As the record shows it: only a script that ended by itself has one to predict.
    shown_code: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing changes any more."""
        return self.status in TERMINAL

    def end(self) -> None:
        """Its script exits."""
        good = self.exit_code == 0
        self.status = "completed" if good else "failed"
        self.run_status = "success" if good else "failed"
        self.reason = None if good else "exit_code"
        self.shown_code = self.exit_code

    def cancel(self, kind: str) -> None:
        """Somebody ends it."""
        self.run_status = None if self.status == "queued" else "killed"
        self.status, self.reason = "cancelled", REASONS[kind]


@dataclass(slots=True)
class Model:
    """All runs of a service with ``slots`` places, in the order of the queue."""

    slots: int
    runs: dict[str, ModelRun] = field(default_factory=dict)

    def add(self, run_id: str, run: ModelRun) -> None:
        """A run was accepted."""
        self.runs[run_id] = run
        self._promote()

    def finish(self, run_id: str) -> None:
        """The script of a running run exits."""
        self.runs[run_id].end()
        self._promote()

    def order(self, run_id: str, kind: str) -> int:
        """Somebody asks for the end of a run; return the status of the answer."""
        run = self.runs.get(run_id)
        if run is None:
            return 404
        if run.is_over:
            return 409
        run.cancel(kind)
        self._promote()
        return 200

    def restart(self, run_id: str, new_id: str) -> None:
        """A run was restarted as ``new_id``."""
        old = self.runs[run_id]
        new = ModelRun(f"{old.tag}", old.exit_code)
        if not old.is_over:
            old.cancel("restart")
        self.add(new_id, new)

    def delete(self, run_id: str) -> int:
        """Somebody deletes a run; return the status of the answer."""
        run = self.runs.get(run_id)
        if run is None:
            return 404
        if not run.is_over:
            return 400
        del self.runs[run_id]
        return 200

    def running(self) -> list[str]:
        """Return the ids of the runs whose scripts run."""
        return [each for each, run in self.runs.items() if run.status == "running"]

    def active(self) -> list[str]:
        """Return the ids of the runs that are not over."""
        return [each for each, run in self.runs.items() if not run.is_over]

    def count(self, statuses: Iterable[str]) -> int:
        """Return how many runs have one of these statuses."""
        return sum(run.status in set(statuses) for run in self.runs.values())

    def _promote(self) -> None:
        """First in, first out: the oldest ones that are not over run."""
        for run_id in self.active()[: self.slots]:
            self.runs[run_id].status = "running"
