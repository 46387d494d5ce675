"""The usual value of a metric, by three methods.

``intelligent`` looks at the values first. Fewer than three: their mean. Scattered (the
deviation is over 30 % of the mean): the median without outliers. Many and wide (ten or
more, whose range is over half the mean): the 75th percentile, so that ordinary slow runs
are within it. Else: the median.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from scriptrunner.analytics.summary import deviation, exact_percent_of, mean, quantile

#: Reach of the fences in interquartile ranges.
IQR_K = 1.5
#: Percentile of the method of that name unless another is asked for.
PERCENTILE = 75
#: Coefficient of variation in percent above which values count as scattered.
SCATTERED_PERCENT = 30.0
#: Range by mean above which values count as wide.
WIDE_RATIO = 0.5


class BaselineMethod(StrEnum):
    """How the usual value is found."""

    PERCENTILE = "percentile"
    IQR = "iqr"
    INTELLIGENT = "intelligent"


def compute_baseline(
    values: Sequence[float], method: BaselineMethod, *, percentile: float = PERCENTILE
) -> dict[str, Any]:
    """Return ``baseline`` and what else the method says, by the names of the API.

    Args:
        values: At least one, in any order.
        method: How.
        percentile: Of the method of that name, 1 to 99.
    """
    ordered = sorted(values)
    if method is BaselineMethod.PERCENTILE:
        baseline = quantile(ordered, percentile / 100)
        return {"baseline": baseline, "percentile": percentile}
    if method is BaselineMethod.IQR:
        return _inside_fences(ordered)
    return _intelligent(ordered)


def _inside_fences(ordered: Sequence[float]) -> dict[str, Any]:
    low, high = quantile(ordered, 0.25), quantile(ordered, 0.75)
    reach = IQR_K * (high - low)
    inside = [value for value in ordered if low - reach <= value <= high + reach]
    removed = len(ordered) - len(inside)
    return {
        "baseline": quantile(inside, 0.5),
        "iqr_k": IQR_K,
        "outliers_removed": removed,
        "outlier_percentage": round(100 * removed / len(ordered), 2),
        "filtered_data_points": len(inside),
        "original_data_points": len(ordered),
    }


def _intelligent(ordered: Sequence[float]) -> dict[str, Any]:
    count = len(ordered)
    middle, spread = mean(ordered), deviation(ordered)
    width = ordered[-1] - ordered[0]
    variation = exact_percent_of(spread, middle) if spread else 0.0
    if count < 3:
        baseline, chosen = middle, "mean_fallback"
        reasoning = f"only {count} values: their mean"
    elif variation is None or variation > SCATTERED_PERCENT:
        baseline, chosen = _inside_fences(ordered)["baseline"], "iqr_filtered"
        shown = "no mean to compare with" if variation is None else f"{variation:.1f} %"
        reasoning = (
            f"scattered (coefficient of variation {shown}, over"
            f" {SCATTERED_PERCENT:g} %): the median without outliers"
        )
    elif count >= 10 and middle and width / abs(middle) > WIDE_RATIO:
        baseline, chosen = quantile(ordered, 0.75), "percentile"
        reasoning = (
            f"a wide range ({100 * width / abs(middle):.1f} % of the mean, over"
            f" {100 * WIDE_RATIO:g} %): the 75th percentile"
        )
    else:
        baseline, chosen = quantile(ordered, 0.5), "percentile"
        reasoning = "steady values: the median"
    return {
        "baseline": baseline,
        "chosen": chosen,
        "reasoning": reasoning,
        "data_characteristics": {
            "mean": middle,
            "median": quantile(ordered, 0.5),
            "stddev": spread,
            "coefficient_of_variation": variation,
            "range": width,
            "data_points": count,
        },
    }
