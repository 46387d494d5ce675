"""What is done with a run when its last attempt is over, step by step.

Each step is a module with ``STAGE``, ``is_wanted`` and ``work``; ``ORDER`` is the one
place that says which there are and in which order. A new step is a module and a line here
(``docs/howto/add-a-step.md``). The steps read and fill an ``Ending``; no step knows a
database or HTTP, and none can keep a run from ending.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from scriptrunner.engine.steps import alerts, baseline, cost, gates, junit, scans
from scriptrunner.engine.steps.ending import Ending, StepEvent
from scriptrunner.engine.visualizer import StageFacts

logger = logging.getLogger(__name__)


class Step(Protocol):
    """A module of this package."""

    #: Stage of the step report that tells of it.
    STAGE: str

    def is_wanted(self, request: Mapping[str, Any]) -> bool:
        """Return whether a run with these options has this step."""

    def work(self, ending: Ending) -> Mapping[str, Any]:
        """Do it; return details for the step report.

        Fills ``ending.result`` and notes events. ``ending.fail`` says that it did not
        work out; raising is a defect.
        """


#: The steps in the order of their work. The cost comes first because gates and alerts may
#: ask for it; the report shows them in the order of its stages.
ORDER: Sequence[Step] = (scans, cost, gates, baseline, junit, alerts)


def is_any_wanted(request: Mapping[str, Any]) -> bool:
    """Return whether a run with these options has any step at all."""
    return any(step.is_wanted(request) for step in ORDER)


def needs_files(request: Mapping[str, Any]) -> bool:
    """Return whether a step of such a run reads or writes files."""
    return any(step.is_wanted(request) for step in (scans, baseline, junit))


def work_through(ending: Ending) -> None:
    """Let every step that is wanted do its work, and note how long each took."""
    began = time.monotonic()
    for step in ORDER:
        if not step.is_wanted(ending.request):
            continue
        since = time.monotonic()
        noted = len(ending.events)
        details = _work(step, ending)
        until = time.monotonic()
        error = ending.take_error()
        ending.stages[step.STAGE] = StageFacts(
            status="done" if error is None else "error",
            offset_seconds=since - began,
            duration_seconds=until - since,
            details=details if error is None else {**details, "error": error},
        )
        for event in ending.events[noted:]:
            event.data["duration_seconds"] = round(until - since, 6)


def _work(step: Step, ending: Ending) -> Mapping[str, Any]:
    known, noted = dict(ending.result), len(ending.events)
    try:
        details = step.work(ending)
        _check(ending.result, known, details, ending.events[noted:])
    except Exception as error:  # a defect here must not keep a run from ending
        logger.exception("run %s: the step %s failed", ending.run_id, step.STAGE)
        ending.result, ending.events = known, ending.events[:noted]
        ending.fail(f"internal error ({type(error).__name__})")
        return {}
    return details


def _check(
    result: Mapping[str, Any],
    known: Mapping[str, Any],
    details: Mapping[str, Any],
    noted: Sequence[StepEvent],
) -> None:
    """Refuse what no record can hold, such as an infinite number, before it is too late."""
    added = {name: value for name, value in result.items() if name not in known}
    told = [event.data for event in noted]
    json.dumps([added, details, told], allow_nan=False)
