"""What a schedule would do, before it is saved: next times, and what clocks do to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from scriptrunner.clock import to_text
from scriptrunner.scheduler.cron import Cron, parse_cron
from scriptrunner.scheduler.intervals import parse_interval
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.triggers import TimeTrigger, find_trigger
from scriptrunner.scheduler.zones import get_zone, iter_changes, offset_at

#: Next times of a preview.
COUNT = 10
#: How far ahead clock changes are looked for.
HORIZON = timedelta(days=400)
MAX_WARNINGS = 6
#: A next time beyond this is worth a word.
RARE = timedelta(days=366)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a schedule would do."""

    description: str
    #: Planned times, in UTC.
    next_runs: tuple[datetime, ...]
    #: The same on the wall of the zone, with the offset.
    local: tuple[str, ...]
    warnings: tuple[str, ...]


def preview(
    definition: TaskDefinition, *, now: datetime, count: int = COUNT
) -> Preview:
    """Return what the times of a task would be, counted from ``now``.

    Args:
        definition: The task; only its times are looked at, and they are valid.
        now: The time, also the anchor of a schedule without ``start_at``.
        count: Most times.
    """
    zone = get_zone(definition.timezone)
    trigger = find_trigger(definition, created_at=now)
    if trigger is None:
        return Preview("By events, by other tasks or by hand", (), (), ())
    times = tuple(islice(trigger.iter_after(now), count))
    warnings = [*_rarity(times, now), *_iter_change_warnings(definition, now, zone)]
    return Preview(
        description=describe(definition),
        next_runs=times,
        local=tuple(each.astimezone(zone).isoformat() for each in times),
        warnings=tuple(warnings[:MAX_WARNINGS]),
    )


def describe(definition: TaskDefinition) -> str:
    """Return when a task fires by time, in words."""
    if definition.run_at is not None:
        return f"Once at {to_text(definition.run_at)}"
    if definition.cron_expr is not None:
        words = parse_cron(definition.cron_expr).describe()
    elif definition.schedule is not None:
        interval = parse_interval(definition.schedule)
        words = interval.describe()
        if interval.is_real_time:
            return words
    else:
        return "By events, by other tasks or by hand"
    return f"{words} ({definition.timezone})"


def _rarity(times: tuple[datetime, ...], now: datetime) -> Iterator[str]:
    if not times:
        yield "It never fires: no time lies ahead within its bounds"
    elif times[0] - now > RARE:
        yield f"It fires rarely: the next time is {to_text(times[0])}"


def _iter_change_warnings(
    definition: TaskDefinition, now: datetime, zone: ZoneInfo
) -> Iterator[str]:
    """Yield a line for each clock change ahead that meets a fire."""
    for change, step in iter_changes(now, now + HORIZON, zone):
        earlier = offset_at(change - timedelta(seconds=1), zone)
        before = (change + earlier).replace(tzinfo=None)
        begin, end = sorted((before, before + step))
        met = _list_met(definition, begin, end, now=now)
        if met:
            yield _words(definition, met, begin, end, is_gap=step > timedelta(0))


def _list_met(
    definition: TaskDefinition, begin: datetime, end: datetime, *, now: datetime
) -> list[datetime]:
    """Return the first wall-clock times in [begin, end) at which the task would fire.

    They are counted as if the clock did not change.
    """
    if definition.cron_expr is not None:
        cron = parse_cron(definition.cron_expr)
        if not cron.is_fixed and _follows_quietly(cron, end - begin):
            return []
    elif (
        definition.schedule is None or parse_interval(definition.schedule).is_real_time
    ):
        return []
    steady = _on_the_wall(definition, now)
    first = begin.replace(tzinfo=UTC) - timedelta(microseconds=1)
    times = islice(steady.iter_after(first), 100)
    return [t.replace(tzinfo=None) for t in times if t < end.replace(tzinfo=UTC)]


def _follows_quietly(cron: Cron, length: timedelta) -> bool:
    """Whether real time goes on evenly: every hour is meant, and the change is in hours."""
    hour = cron.expression.split()[1]
    return hour == "*" and length % _HOUR == timedelta(0)


def _on_the_wall(definition: TaskDefinition, now: datetime) -> TimeTrigger:
    """Return the trigger on a wall whose clock never changes."""
    zone = get_zone(definition.timezone)
    anchor = (definition.start_at or now).astimezone(zone).replace(tzinfo=UTC)
    steady = TaskDefinition(
        task_id="preview",
        script_path="",
        schedule=definition.schedule,
        cron_expr=definition.cron_expr,
    )
    found = find_trigger(steady, created_at=anchor)
    assert found is not None  # noqa: S101 - it has times
    return found


def _words(
    definition: TaskDefinition,
    met: list[datetime],
    begin: datetime,
    end: datetime,
    *,
    is_gap: bool,
) -> str:
    day = f"{begin:%Y-%m-%d}"
    shown = ", ".join(f"{each:%H:%M}" for each in met[:3])
    more = f" and {len(met) - 3} more" if len(met) > 3 else ""
    span = f"{begin:%H:%M} to {end:%H:%M}"
    is_meant = definition.cron_expr is None or parse_cron(definition.cron_expr).is_fixed
    if is_gap and is_meant:
        return (
            f"On {day} the clock skips {span}: the fire of {shown}{more} comes at "
            f"{end:%H:%M}"
        )
    if is_gap:
        return f"On {day} the clock skips {span}: {shown}{more} does not fire"
    if is_meant:
        return (
            f"On {day} the time {span} comes twice: {shown}{more} fires the first time "
            "only"
        )
    return f"On {day} the time {span} comes twice: {shown}{more} fires twice"
