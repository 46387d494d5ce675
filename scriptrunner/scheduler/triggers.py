"""When a task fires by time: schedule, cron expression or a single time, with bounds.

Everything here is computed from the definition alone: no clock, no database. A fire has a
planned time, which is its identity; delay and jitter only say when it is acted on.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from scriptrunner.clock import to_microseconds
from scriptrunner.scheduler.cron import Cron, parse_cron
from scriptrunner.scheduler.intervals import Interval, IntervalTrigger, parse_interval
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.zones import get_zone

_INSTANT = timedelta(microseconds=1)


class Times(Protocol):
    """Planned times without bounds."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first one later than ``moment`` (aware), in UTC, or None."""


@dataclass(frozen=True, slots=True)
class CronTimes:
    """The times of a cron expression in a zone."""

    cron: Cron
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time later than ``moment``."""
        return self.cron.next_after(moment, self.zone)


@dataclass(frozen=True, slots=True)
class OneTime:
    """A single time."""

    at: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the time if it is later than ``moment``."""
        return self.at if self.at > moment else None


@dataclass(frozen=True, slots=True)
class TimeTrigger:
    """Planned times within the bounds of a task."""

    times: Times
    start_at: datetime | None = None
    end_at: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first planned time later than ``moment`` (aware), in UTC, or None."""
        if self.start_at is not None:
            moment = max(moment, self.start_at - _INSTANT)
        try:
            found = self.times.next_after(moment)
        except (OverflowError, ValueError):  # the calendar ends there
            return None
        if found is None or (self.end_at is not None and found > self.end_at):
            return None
        return found

    def iter_after(self, moment: datetime) -> Iterator[datetime]:
        """Yield the planned times later than ``moment``, in order."""
        found = self.next_after(moment)
        while found is not None:
            yield found
            found = self.next_after(found)


def find_trigger(
    definition: TaskDefinition, *, created_at: datetime
) -> TimeTrigger | None:
    """Return when a task fires by time, or None if it does not.

    Args:
        definition: The task, checked.
        created_at: When it was made; the anchor of schedules without ``start_at``.

    Raises:
        InvalidScheduleError: If the schedule is none.
        InvalidCronError: If the cron expression is none.
        UnknownZoneError: If the zone is not known.
    """
    times = _find_times(definition, created_at)
    if times is None:
        return None
    # A single time needs no other bounds.
    if definition.run_at is not None:
        return TimeTrigger(times)
    return TimeTrigger(times, definition.start_at, definition.end_at)


def _find_times(definition: TaskDefinition, created_at: datetime) -> Times | None:
    if definition.run_at is not None:
        return OneTime(definition.run_at)
    zone = get_zone(definition.timezone)
    if definition.cron_expr is not None:
        return CronTimes(parse_cron(definition.cron_expr), zone)
    if definition.schedule is not None:
        return IntervalTrigger(
            _parse_interval(definition.schedule),
            definition.start_at or created_at,
            definition.start_at is not None,
            zone,
        )
    return None


@lru_cache(maxsize=4096)
def _parse_interval(text: str) -> Interval:
    return parse_interval(text)


def due_time(definition: TaskDefinition, fire_time: datetime) -> datetime:
    """Return when a planned fire is acted on: after the task's delay and jitter.

    The jitter follows from task and time, so whoever computes it gets the same.
    """
    seconds = definition.delay_seconds
    if definition.jitter_seconds:
        text = f"{definition.task_id} {to_microseconds(fire_time)}"
        ratio = zlib.crc32(text.encode("utf-8")) / 2**32
        seconds += ratio * definition.jitter_seconds
    return (fire_time + timedelta(seconds=seconds)).astimezone(UTC)
