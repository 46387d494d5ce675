"""Whether a task can be what it is said to be; every fault at once. No database."""

import re
from collections.abc import Iterable, Mapping

from scriptrunner.scheduler.cron import InvalidCronError, parse_cron
from scriptrunner.scheduler.dependencies import find_problems
from scriptrunner.scheduler.errors import fault
from scriptrunner.scheduler.intervals import InvalidScheduleError, parse_interval
from scriptrunner.scheduler.models import MisfirePolicy, OverlapPolicy, TaskDefinition
from scriptrunner.scheduler.zones import UnknownZoneError, get_zone

#: Ids of tasks and names of events.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
NAME_WORDS = (
    "use letters, digits and . _ : -, beginning with a letter or digit, "
    "at most 128 characters"
)
MAX_LINKS = 100
MAX_DESCRIPTION = 10_000
MAX_SECONDS = 86_400
MAX_GRACE_SECONDS = 604_800
MAX_RUNS = 1_000_000_000
MAX_MADE_UP = 100
#: Years that times of tasks may lie in; beyond them calendars run out.
FIRST_YEAR, LAST_YEAR = 1970, 9990

Fault = dict[str, object]


def is_name(text: str) -> bool:
    """Return whether ``text`` may be a task's id or an event's name."""
    return NAME.fullmatch(text) is not None


def list_faults(
    definition: TaskDefinition,
    edges: Mapping[str, Iterable[str]],
    *,
    may_miss: bool = False,
) -> list[Fault]:
    """Return what is wrong with a task, one entry per fault.

    Args:
        definition: The task.
        edges: The dependencies of every task that there is, by its id.
        may_miss: Whether it may depend on tasks that are not there.
    """
    return [
        *_name_faults(definition),
        *_time_faults(definition),
        *_number_faults(definition),
        *_policy_faults(definition),
        *(
            fault("dependencies", each)
            for each in find_problems(
                definition.task_id,
                definition.dependencies,
                edges,
                may_miss=may_miss,
            )
        ),
    ]


def _name_faults(definition: TaskDefinition) -> Iterable[Fault]:
    if not is_name(definition.task_id):
        yield fault("task_id", f"This is no task id; {NAME_WORDS}")
    for event in definition.events:
        if not is_name(event):
            yield fault(
                "events", f"{event[:60]!a} is no name of an event; {NAME_WORDS}"
            )
    for field in ("events", "dependencies"):
        names = getattr(definition, field)
        if len(names) > MAX_LINKS:
            yield fault(field, f"{field} may have at most {MAX_LINKS} names")
        if len(set(names)) < len(names):
            yield fault(field, f"{field} names the same twice")
    if len(definition.description) > MAX_DESCRIPTION:
        words = f"description may have at most {MAX_DESCRIPTION} characters"
        yield fault("description", words)
    if "\0" in definition.description:
        yield fault("description", "description must not hold a NUL character")


def _time_faults(definition: TaskDefinition) -> Iterable[Fault]:
    given = [
        name
        for name in ("schedule", "cron_expr", "run_at")
        if getattr(definition, name) is not None
    ]
    if len(given) > 1:
        yield fault(given[1], f"give only one of {' and '.join(given)}")
    yield from time_faults(
        definition.schedule, definition.cron_expr, definition.timezone
    )
    for name in ("run_at", "start_at", "end_at"):
        moment = getattr(definition, name)
        if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
            words = f"{name} must lie between {FIRST_YEAR} and {LAST_YEAR}"
            yield fault(name, words)
    start, end = definition.start_at, definition.end_at
    if start is not None and end is not None and end <= start:
        yield fault("end_at", "end_at must be later than start_at")


def time_faults(
    schedule: str | None, cron_expr: str | None, timezone: str
) -> Iterable[Fault]:
    """Yield what is wrong with a schedule, a cron expression and a zone."""
    if schedule is not None:
        try:
            parse_interval(schedule)
        except InvalidScheduleError as error:
            yield fault("schedule", str(error), kind="schedule")
    if cron_expr is not None:
        try:
            parse_cron(cron_expr)
        except InvalidCronError as error:
            yield fault("cron_expr", str(error), kind="cron_expr")
    try:
        get_zone(timezone)
    except UnknownZoneError as error:
        yield fault("timezone", str(error), kind="timezone")


def _number_faults(definition: TaskDefinition) -> Iterable[Fault]:
    bounds = (
        ("misfire_grace_seconds", 0, MAX_GRACE_SECONDS),
        ("misfire_limit", 1, MAX_MADE_UP),
        ("delay_seconds", 0, MAX_SECONDS),
        ("jitter_seconds", 0, MAX_SECONDS),
        ("max_runs", 1, MAX_RUNS),
    )
    for name, low, high in bounds:
        value = getattr(definition, name)
        if value is not None and not low <= value <= high:
            yield fault(name, f"{name} must be from {low} to {high}")


def _policy_faults(definition: TaskDefinition) -> Iterable[Fault]:
    for name, kind in (
        ("misfire_policy", MisfirePolicy),
        ("overlap_policy", OverlapPolicy),
    ):
        words = [each.value for each in kind]
        if getattr(definition, name) not in words:
            yield fault(name, f"{name} must be one of {', '.join(words)}")
