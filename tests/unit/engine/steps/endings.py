"""Ends of runs to try steps on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scriptrunner.engine.outcomes import SUCCESS, Outcome
from scriptrunner.engine.output_files import OutputError, describe_output
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.result import Outputs
from scriptrunner.engine.steps.ending import Ending, Findings


@dataclass
class MemoryFiles:
    """Keeps files in memory; refuses all if ``error`` is set."""

    error: str | None = None
    written: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)

    def write(self, path: str, content: bytes) -> str:
        if self.error is not None:
            raise OutputError(self.error)
        self.contents[path] = content
        self.written.append(describe_output(path, content))
        return path


METRICS: Mapping[str, Any] = {
    "cpu_max": 91.5,
    "execution_time_seconds": 0.109,
    "cpu_time_seconds": 12.4,
    "memory_avg_mb": 1024.0,
    "start_time": "2026-11-23T10:00:27.929939Z",
}


def make_ending(
    *,
    outcome: Outcome = SUCCESS,
    error: str | None = None,
    outputs: Outputs | None = None,
    found: Findings | None = None,
    files: MemoryFiles | None = None,
    script_name: str = "nightly.py",
    metrics: Mapping[str, Any] = METRICS,
    **options: Any,
) -> Ending:
    return Ending(
        run_id="d2a1892c-7b2e-4d43-8f0e-a0e7d2b8e6ff",
        script_name=script_name,
        request=RunOptions(**options).to_json(),
        outcome=outcome,
        error=error,
        metrics=dict(metrics),
        outputs=outputs or Outputs(),
        found=found or Findings(),
        files=files or MemoryFiles(),
    )
