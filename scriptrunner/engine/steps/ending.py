"""The end of a run as the steps see it: what is known, and what they add."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from scriptrunner.engine.outcomes import GATES_FAILED, Outcome, Reason, Status
from scriptrunner.engine.result import Outputs
from scriptrunner.engine.steps.prices import Rates
from scriptrunner.engine.visualizer import StageFacts


class OutputFiles(Protocol):
    """Where the files of a run go."""

    @property
    def written(self) -> list[dict[str, Any]]:
        """``name``, ``size`` and ``sha256`` of every file written."""

    def write(self, path: str, content: bytes) -> str:
        """Write a file and return its name among the outputs.

        Args:
            path: As the request has it.
            content: All of it; a file of ours by that name is replaced.

        Raises:
            OutputError: If it cannot be written, or another's file is there.
        """


#: Reasons with which a script may have been started although nobody saw it.
MAYBE_STARTED = frozenset({Reason.LOST, Reason.HOST_RESTART})


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was looked up for the steps of a run, before they work."""

    #: Metrics of the attempts before the last one.
    earlier_metrics: Sequence[Mapping[str, Any]] = ()
    rates: Rates | None = None
    #: The numbers of the baseline that was asked for.
    baseline: Mapping[str, float] | None = None
    #: Why there is none, for people.
    baseline_error: str | None = None
    #: Samples of the attempt that ends, for runs whose events tell of them.
    samples: Sequence[Sequence[Any]] = ()
    #: Results of the scans by kind, as in a result.
    scans: Mapping[str, Any] | None = None
    #: Values that met alert rules while the script was running, by place of the rule.
    early_alerts: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


@dataclass(slots=True)
class StepEvent:
    """An event that a step notes; ids and time are added by who keeps it."""

    event_type: str
    data: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Ending:
    """The end of one run, handed from step to step."""

    run_id: str
    script_name: str
    #: All options of the run by name.
    request: Mapping[str, Any]
    #: How the script ended; failed gates change it, see ``final_outcome``.
    outcome: Outcome
    #: One line that says why the script did not succeed, or None.
    error: str | None
    #: Of the last attempt; a step may add some.
    metrics: dict[str, Any]
    outputs: Outputs
    found: Findings
    files: OutputFiles
    #: Whether any attempt's script has, or may have, been started.
    is_started: bool = True
    #: Keys of the result that steps fill.
    result: dict[str, Any] = field(default_factory=dict)
    events: list[StepEvent] = field(default_factory=list)
    stages: dict[str, StageFacts] = field(default_factory=dict)
    #: Name and metrics to be kept as a baseline.
    saved_baseline: tuple[str, Mapping[str, Any]] | None = None
    _error: str | None = None

    def note(self, event_type: str, **data: Any) -> None:
        """Note an event; ``duration_seconds`` is added when the step is over."""
        self.events.append(StepEvent(event_type, data))

    def fail(self, error: str) -> None:
        """Say that the step did not work out; the run ends all the same."""
        self._error = error

    def take_error(self) -> str | None:
        """Return what the last step failed with, once."""
        error, self._error = self._error, None
        return error

    @property
    def keeps_its_gates(self) -> bool:
        """Whether there are no gates, or all of them were evaluated and passed."""
        is_gated = bool(self.request.get("performance_gates"))
        return not is_gated or self.result.get("performance_gates_passed") is True

    @property
    def is_success(self) -> bool:
        """Whether the script succeeded and every gate passed."""
        return self.outcome.is_success and self.keeps_its_gates

    @property
    def final_outcome(self) -> Outcome:
        """How the run ends: as its script did, unless only gates failed."""
        if self.outcome.status is Status.COMPLETED and not self.keeps_its_gates:
            return GATES_FAILED
        return self.outcome


#: Gets the end of a run after its steps, and may add to its result and events.
EndingReceiver = Callable[[Ending], object]
