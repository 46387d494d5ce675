"""Every script in one line: how often it ran, how it fared, and what stands out."""

import itertools
from collections.abc import Sequence
from typing import Any

from scriptrunner.analytics.rank_tests import compare
from scriptrunner.analytics.summary import median, percent_change
from scriptrunner.analytics.trend import RECENT
from scriptrunner.clock import from_microseconds, to_text
from scriptrunner.history.models import NewestExecution, ScriptFigures

#: Newest executions of each script that are looked at.
NEWEST = 20
#: Executions in a row that make a script "failing".
FAILING = 3
#: Changes between success and failure among the newest that make it "unstable".
UNSTABLE = 3
#: Percent by which the newest are slower than those before them to be "slower".
SLOWER_PERCENT = 10.0
_SIGNIFICANCE = 0.05


def describe_script(figures: ScriptFigures) -> dict[str, Any]:
    """Return one script of the overview."""
    last = figures.newest[-1]
    seconds = [
        each.execution_time_seconds
        for each in figures.newest
        if each.execution_time_seconds is not None and each.status == "completed"
    ]
    memory = [
        each.memory_max_mb for each in figures.newest if each.memory_max_mb is not None
    ]
    change = _find_slowdown(seconds)
    return {
        "script_path": last.script_path,
        "executions": figures.executions,
        "success_rate": round(100 * figures.successes / figures.executions, 2),
        "median_execution_time_seconds": median(seconds) if seconds else None,
        "median_memory_max_mb": median(memory) if memory else None,
        "recent_change_percent": change,
        "versions": len({each.script_sha256 for each in figures.newest}),
        "last_run": {
            "run_id": last.run_id,
            "time": to_text(from_microseconds(last.at_us)),
            "success": last.status == "completed",
        },
        "flags": _find_flags(figures.newest, change),
    }


def _find_slowdown(seconds: Sequence[float]) -> float | None:
    """Return by how many percent the last five differ from those before, in medians.

    None if there are too few, or if that may as well be chance (Mann-Whitney, p < 0.05).
    """
    if len(seconds) < 2 * RECENT:
        return None
    before, recent = seconds[:-RECENT], seconds[-RECENT:]
    percent = percent_change(median(before), median(recent))
    if percent is None or abs(percent) <= SLOWER_PERCENT:
        return None
    return percent if compare(before, recent).p_value < _SIGNIFICANCE else None


def _find_flags(newest: Sequence[NewestExecution], change: float | None) -> list[str]:
    flags = []
    outcomes = [each.status == "completed" for each in newest]
    if len(outcomes) >= FAILING and not any(outcomes[-FAILING:]):
        flags.append("failing")
    turns = sum(a != b for a, b in itertools.pairwise(outcomes))
    if turns >= UNSTABLE:
        flags.append("unstable")
    if change is not None:
        flags.append("slower" if change > 0 else "faster")
    return flags


def describe_all(scripts: Sequence[ScriptFigures]) -> dict[str, Any]:
    """Return the overview: totals, and the scripts by name."""
    described = sorted(
        (describe_script(each) for each in scripts),
        key=lambda script: str(script["script_path"]),
    )
    executions = sum(each.executions for each in scripts)
    successes = sum(each.successes for each in scripts)
    return {
        "scripts": described,
        "count": len(described),
        "executions": executions,
        "success_rate": round(100 * successes / executions, 2) if executions else None,
        "flagged": sum(bool(each["flags"]) for each in described),
    }
