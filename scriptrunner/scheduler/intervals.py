"""Schedule strings: ``every 5 minutes``, ``daily at 14:30``, and when they come due.

Seconds, minutes and hours are steps of real time on a grid. Days, weeks and months keep
the time on the wall.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scriptrunner.scheduler.zones import to_utc

#: Characters of a schedule string.
MAX_CHARACTERS = 100
#: The longest step.
MAX_STEP = timedelta(days=366)
ACCEPTED = (
    "hourly, daily, weekly, monthly, every <N> <seconds|minutes|hours|days|weeks>, "
    "every <N> (seconds), every <minute|hour|day|week>, daily at HH:MM, "
    "weekly on <weekday> at HH:MM; N is a whole number from 1, at most 366 days"
)
WEEKDAYS = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_UNITS = {
    "second": ("s", "sec", "secs", "second", "seconds"),
    "minute": ("m", "min", "mins", "minute", "minutes"),
    "hour": ("h", "hr", "hrs", "hour", "hours"),
    "day": ("d", "day", "days"),
    "week": ("w", "week", "weeks"),
}
_UNIT_BY_WORD = {word: unit for unit, words in _UNITS.items() for word in words}
_STEPS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_WORDS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}
_EVERY = re.compile(r"every ?(?:(?P<count>[0-9]{1,10}) ?)?(?P<unit>[a-z]+)?")
_AT = re.compile(
    r"(?:daily|every day|weekly on (?P<day>[a-z]+)|every (?P<weekday>[a-z]+))"
    r" at (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
)


class InvalidScheduleError(ValueError):
    """The text is no schedule; the message names the accepted forms."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A schedule string, taken apart."""

    count: int
    #: ``second``, ``minute``, ``hour``, ``day``, ``week`` or ``month``.
    unit: str
    #: Time on the wall, or None for that of the anchor.
    at: time | None = None
    #: 0 is Monday; with ``at`` and ``week`` only.
    weekday: int | None = None

    @property
    def is_real_time(self) -> bool:
        """Whether it is a step of real time, whatever the clock on the wall does."""
        return self.unit in ("second", "minute", "hour")

    def describe(self) -> str:
        """Return the schedule in words."""
        if self.at is not None:
            when = f"at {self.at:%H:%M}"
            if self.weekday is None:
                return f"Every day {when}"
            return f"Every {WEEKDAYS[self.weekday].capitalize()} {when}"
        if self.count == 1:
            return f"Every {self.unit}"
        return f"Every {self.count} {self.unit}s"


def parse_interval(text: str) -> Interval:
    """Return the schedule that ``text`` names, in any case, with blanks, ``_`` or ``-``.

    Raises:
        InvalidScheduleError: If it names none.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidScheduleError(
            f"A schedule has at most {MAX_CHARACTERS} characters; use {ACCEPTED}"
        )
    # One sign between words, or blanks: two signs would make "-1" a 1.
    words = re.sub(r"[_-]", " ", " ".join(text.lower().split()))
    found = _parse(words) if words.isascii() and "  " not in words else None
    if found is None:
        raise InvalidScheduleError(f"{text!a} is no schedule; use {ACCEPTED}")
    if found.unit != "month" and found.count > MAX_STEP // _STEPS[found.unit]:
        raise InvalidScheduleError(f"{text!a} is more than 366 days; use {ACCEPTED}")
    if found.count < 1:
        raise InvalidScheduleError(f"{text!a}: the step must be at least 1")
    return found


def _parse(words: str) -> Interval | None:
    if words in _WORDS:
        return Interval(1, _WORDS[words])
    at = _AT.fullmatch(words)
    if at is not None:
        return _parse_at(at)
    every = _EVERY.fullmatch(words)
    if every is None or (every["count"] is None and every["unit"] is None):
        return None
    unit = _UNIT_BY_WORD.get(every["unit"] or "s")
    return None if unit is None else Interval(int(every["count"] or 1), unit)


def _parse_at(found: re.Match[str]) -> Interval | None:
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour > 23 or minute > 59:
        return None
    day = found["day"] or found["weekday"]
    if day is None:
        return Interval(1, "day", time(hour, minute))
    matching = [n for n, name in enumerate(WEEKDAYS) if day in (name, name[:3])]
    return Interval(1, "week", time(hour, minute), matching[0]) if matching else None


@dataclass(frozen=True, slots=True)
class IntervalTrigger:
    """The fires of an interval.

    Args:
        interval: What to do how often.
        anchor: Where the grid begins, aware.
        includes_anchor: Whether the anchor itself is a fire.
        zone: Whose wall clock counts for days and longer.
    """

    interval: Interval
    anchor: datetime
    includes_anchor: bool
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        """Return the first fire later than ``moment`` (aware), in UTC."""
        if self.includes_anchor and moment < self.anchor and self.interval.at is None:
            return self.anchor.astimezone(UTC)
        if not self.includes_anchor:
            moment = max(moment, self.anchor)
        if self.interval.is_real_time:
            step = self.interval.count * _STEPS[self.interval.unit]
            passed = (moment - self.anchor) // step
            return (self.anchor + (passed + 1) * step).astimezone(UTC)
        return self._next_on_the_wall(moment)

    def _next_on_the_wall(self, moment: datetime) -> datetime:
        number = self._estimate(moment)
        while True:
            found = to_utc(self._wall(number), self.zone)
            if found > moment:
                return found
            number += 1

    def _estimate(self, moment: datetime) -> int:
        """Return the number of a fire that is not after the wanted one."""
        begin = self.anchor.astimezone(self.zone)
        local = moment.astimezone(self.zone)
        if self.interval.unit == "month":
            months = (local.year - begin.year) * 12 + local.month - begin.month
            return max(0, months - 1)
        days = (local.date() - begin.date()).days
        return max(0, days // self._days - 1)

    @property
    def _days(self) -> int:
        return self.interval.count * (7 if self.interval.unit == "week" else 1)

    def _wall(self, number: int) -> datetime:
        """Return the wall-clock time of fire ``number``, counted from the anchor's."""
        begin = self.anchor.astimezone(self.zone).replace(tzinfo=None, fold=0)
        if self.interval.at is not None:
            begin = datetime.combine(begin.date(), self.interval.at)
            if self.interval.weekday is not None:
                begin += timedelta(days=(self.interval.weekday - begin.weekday()) % 7)
        if self.interval.unit == "month":
            year, month = divmod(begin.year * 12 + begin.month - 1 + number, 12)
            day = min(begin.day, monthrange(year, month + 1)[1])
            return begin.replace(year=year, month=month + 1, day=day)
        return begin + timedelta(days=self._days * number)
