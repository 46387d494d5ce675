"""The end of a run without a service: what its steps need, and where their files go."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scriptrunner.engine import steps
from scriptrunner.engine.attempt import RunState
from scriptrunner.engine.local_plan import LocalPlan
from scriptrunner.engine.metrics import RunFacts, metrics_from
from scriptrunner.engine.output_files import LocalOutputs
from scriptrunner.engine.result import Outputs, error_text
from scriptrunner.engine.steps import baseline, cost
from scriptrunner.engine.steps.ending import MAYBE_STARTED, Ending, Findings
from scriptrunner.engine.steps.prices import PriceChoice, PriceError, Rates, find_rates

End = Mapping[str, Any]


def conclude(
    plan: LocalPlan,
    state: RunState,
    *,
    run_id: str,
    facts: RunFacts,
    ends: Sequence[End],
    outputs: Outputs,
    scans: Mapping[str, Any] | None,
) -> Ending | None:
    """Let the steps of a run work on its end; None if it never started.

    Args:
        plan: What was asked for.
        state: How the run ends by its script alone.
        run_id: The run.
        facts: What is known of it.
        ends: End record of each attempt; the last one is shown.
        outputs: What the last attempt printed.
        scans: What the scans have found, by kind.
    """
    request = plan.options.to_json()
    if state.run_status is None or not ends:
        return None
    ending = Ending(
        run_id=run_id,
        script_name=plan.script.name,
        request=request,
        outcome=state.outcome,
        error=error_text(ends[-1], facts=facts),
        metrics=metrics_from(ends[-1], facts=facts),
        outputs=outputs,
        found=replace(_look_up(request, plan.prices, facts, ends[:-1]), scans=scans),
        files=LocalOutputs(),
        is_started=state.reason in MAYBE_STARTED
        or any(each.get("started_us") is not None for each in ends),
    )
    steps.work_through(ending)
    if plan.on_ending is not None:
        plan.on_ending(ending)
    return ending


def _look_up(
    request: Mapping[str, Any],
    prices: PriceChoice,
    facts: RunFacts,
    earlier: Sequence[End],
) -> Findings:
    rates, numbers, error = None, None, None
    if cost.is_wanted(request):
        rates = _find_rates(prices)
    if request["load_baseline"] is not None:
        numbers, error = _load(request["load_baseline"])
    return Findings(
        earlier_metrics=[metrics_from(each, facts=facts) for each in earlier],
        rates=rates,
        baseline=numbers,
        baseline_error=error,
    )


def _find_rates(prices: PriceChoice) -> Rates | None:
    try:
        return find_rates(prices)
    except PriceError:
        return None


def _load(path: str) -> tuple[dict[str, float] | None, str | None]:
    """Return the numbers of the baseline in a file, or why there are none."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(baseline.MAX_FILE_BYTES + 1)
        return baseline.decode(data), None
    except OSError as error:
        return None, error.strerror or type(error).__name__
    except baseline.NoBaselineError:
        return None, "this file is no baseline"
