"""What a condition would have said of a run: for people who are writing one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scriptrunner.engine.conditions import ConditionError, parse
from scriptrunner.engine.metric_names import find_unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What there is to say of a condition."""

    #: What is wrong with it, and in which column (from 1); None if it can be read.
    problem: str | None = None
    column: int | None = None
    #: Its metrics by their own names.
    metrics: tuple[str, ...] = ()
    #: Names that no number has.
    warnings: tuple[str, ...] = ()
    #: Whether the run meets it; None if that is not decided, or without a run.
    is_met: bool | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def check_condition(text: str, metrics: Mapping[str, Any] | None) -> Check:
    """Read a condition and judge it.

    Args:
        text: As somebody wrote it.
        metrics: Of a run that is over, or None.
    """
    try:
        condition = parse(text)
    except ConditionError as error:
        return Check(problem=error.problem, column=error.column)
    warnings = tuple(find_unknown(condition.names))
    if metrics is None:
        return Check(metrics=condition.names, warnings=warnings)
    return Check(
        metrics=condition.names,
        warnings=warnings,
        is_met=condition.evaluate(metrics),
        values=condition.values(metrics),
        missing=tuple(condition.missing(metrics)),
    )
