"""What a run has cost: an estimate from CPU time and memory, over all its attempts."""

from collections.abc import Mapping, Sequence
from typing import Any

from scriptrunner.engine.steps.ending import Ending
from scriptrunner.engine.steps.prices import Rates

STAGE = "Cost"
#: Decimals of amounts of money: a script of a hundredth of a second shows.
_DECIMALS = 9
_SECONDS_PER_HOUR = 3_600


def is_wanted(request: Mapping[str, Any]) -> bool:
    """Return whether the cost is tracked."""
    return bool(request.get("enable_cost_tracking"))


def work(ending: Ending) -> Mapping[str, Any]:
    """Estimate the cost and add it to the metrics as ``cost_total``."""
    rates = ending.found.rates
    ending.metrics["cost_total"] = None
    if rates is None:
        ending.fail("no price table")
        ending.note("cost", total=None, currency=None, error="no price table")
        return {}
    attempts = [*ending.found.earlier_metrics, ending.metrics]
    cost = estimate(attempts, rates)
    ending.result["cost"] = cost
    total = cost["cost"]["total"]
    ending.metrics["cost_total"] = total if cost["complete"] else None
    ending.note("cost", total=total, currency=rates.currency, error=None)
    return {"total": total, "currency": rates.currency, "source": rates.source}


def estimate(attempts: Sequence[Mapping[str, Any]], rates: Rates) -> dict[str, Any]:
    """Return the cost of all attempts together.

    cpu = CPU seconds / 3600 · rate of a CPU hour; memory = Σ (mean memory in GiB ·
    execution time) / 3600 · rate of a GiB hour.

    Args:
        attempts: Metrics of each attempt.
        rates: What is charged.

    Returns:
        As in a result. ``complete`` is false if an attempt has left no figures: then the
        sums are of the others, and None if there are none.
    """
    usages = [_usage_of(each) for each in attempts]
    known = [each for each in usages if each is not None]
    cpu_seconds, memory_seconds, seconds = (
        sum(each[column] for each in known) for column in range(3)
    )
    cpu = cpu_seconds / _SECONDS_PER_HOUR * rates.cpu_hour
    memory = memory_seconds / _SECONDS_PER_HOUR * rates.memory_gib_hour
    usage = {
        "cpu_seconds": round(cpu_seconds, 6),
        "memory_gib_seconds": round(memory_seconds, 6),
        "wall_seconds": round(seconds, 6),
    }
    cost = {
        "cpu": round(cpu, _DECIMALS),
        "memory": round(memory, _DECIMALS),
        "total": round(cpu + memory, _DECIMALS),
    }
    return {
        "currency": rates.currency,
        "estimate": True,
        "complete": len(known) == len(usages),
        "rates": rates.to_json(),
        "usage": usage if known else dict.fromkeys(usage),
        "cost": cost if known else dict.fromkeys(cost),
    }


def _usage_of(metrics: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Return CPU seconds, GiB seconds and seconds of an attempt; None if not known."""
    cpu, seconds = metrics["cpu_time_seconds"], metrics["execution_time_seconds"]
    memory_mb = metrics["memory_avg_mb"]
    if cpu is None or seconds is None or memory_mb is None:
        return None
    return cpu, memory_mb / 1_024 * seconds, seconds
