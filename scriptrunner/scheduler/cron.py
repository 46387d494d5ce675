"""Cron expressions: parsed and computed by cronsim, with our rule for clock changes.

An expression with fixed minutes and hours is meant once per day: a time that a clock
change skips fires right after the gap, one that comes twice fires at its first
occurrence. With ``*`` or a step in minute or hour the expression follows real time: every
minute that exists is looked at, and those that come twice count twice.
"""

import re
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from scriptrunner.scheduler.zones import find_change, offset_at, to_utc

#: Characters of an expression.
MAX_CHARACTERS = 200
FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day-of-month", "1 to 31"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day-of-week", "0 to 7 or SUN to SAT, 0 and 7 are Sunday"),
)
ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_STEPPED_RANGE = re.compile(
    r"\b(?P<low>[0-9]{1,4})-(?P<high>[0-9]{1,4})/(?P<step>[0-9]{1,4})\b"
)
_BROKEN = (CronSimError, AssertionError, TypeError, ValueError)
#: Naive, so that the library has no clock change to see: those are our affair.
_START = datetime(2026, 1, 1)  # noqa: DTZ001 - a time on the wall
#: Longer than any gap or repetition that a clock change makes.
_NEAR = timedelta(hours=12)


class InvalidCronError(ValueError):
    """The expression cannot be used; the message names the field."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression that can occur."""

    #: Five fields, aliases expanded, in capitals.
    expression: str
    #: Whether minute and hour are fixed: then a clock change skips or doubles nothing.
    is_fixed: bool
    _parsed: CronSim

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first fire later than ``moment`` (aware), in UTC.

        None if there is none in the next fifty years or in this calendar.
        """
        try:
            return self._next(moment, zone)
        except (StopIteration, OverflowError, ValueError):
            return None

    def _next(self, moment: datetime, zone: ZoneInfo) -> datetime:
        if self.is_fixed:
            return self._next_meant(moment, zone)
        step = offset_at(moment, zone)
        change = find_change(moment, moment + _NEAR, zone)
        if change is not None:
            # Up to the change by the old offset, from the change on by the new one:
            # minutes that come twice are counted twice, and skipped ones not at all.
            found = next(self._walk(_on_wall(moment, step))) - step
            if found.replace(tzinfo=UTC) < change:
                return found.replace(tzinfo=UTC)
            step = offset_at(change, zone)
            moment = change - timedelta(seconds=1)
        return self._next_real(moment, step, zone)

    def _next_real(self, moment: datetime, step: timedelta, zone: ZoneInfo) -> datetime:
        """Return the next minute that matches, with no change near before it."""
        for wall in self._walk(_on_wall(moment, step)):
            first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
            if _on_wall(first, offset_at(first, zone)) == wall and first > moment:
                return first
            # It comes twice, and the first time has been.
            second = (wall - step).replace(tzinfo=UTC)
            if offset_at(second, zone) == step:
                return second
        raise StopIteration

    def _next_meant(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the next time on the wall that is meant, wherever the clock puts it."""
        step = offset_at(moment, zone)
        for wall in self._walk(_on_wall(moment, step)):
            fire = to_utc(wall, zone)
            if fire > moment:
                return fire
        raise StopIteration

    def _walk(self, wall: datetime) -> CronSim:
        """Return the matching wall-clock times after ``wall`` (naive), in order."""
        walker = copy(self._parsed)
        walker.dt = wall
        return walker

    def describe(self) -> str:
        """Return the expression in words."""
        words: str = copy(self._parsed).explain()
        return words


@lru_cache(maxsize=4096)
def parse_cron(text: str) -> Cron:
    """Return the expression of ``text``: five fields, or an alias such as ``@daily``.

    Raises:
        InvalidCronError: If a field is wrong (it is named), or the expression can never
            occur.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidCronError(
            f"A cron expression has at most {MAX_CHARACTERS} characters"
        )
    given = _expand(text)
    parts = given.split()
    if len(parts) != len(FIELDS):
        names = ", ".join(name for name, _ in FIELDS)
        raise InvalidCronError(
            f"A cron expression has five fields ({names}), not {len(parts)}"
        )
    for number, part in enumerate(parts):
        _check_field(number, part)
    expression = _STEPPED_RANGE.sub(_without_step, given)
    try:
        parsed = CronSim(expression, _START)
    except _BROKEN:
        raise InvalidCronError(_never(text)) from None
    is_fixed = not any(sign in part for part in parts[:2] for sign in "*/")
    cron = Cron(expression, is_fixed, parsed)
    if cron.next_after(_START.replace(tzinfo=UTC), ZoneInfo("UTC")) is None:
        raise InvalidCronError(_never(text))
    return cron


def _never(text: str) -> str:
    return f"{text!a} never occurs: the field day-of-month names no day of its months"


def _expand(text: str) -> str:
    words = text.strip().lower()
    if words == "@reboot":
        raise InvalidCronError("@reboot is no time; start a run at once instead")
    if words.startswith("@"):
        if words not in ALIASES:
            known = ", ".join(ALIASES)
            raise InvalidCronError(f"{text[:40]!a} is not known; there are {known}")
        return ALIASES[words]
    return " ".join(text.upper().split())


def _without_step(found: re.Match[str]) -> str:
    """Return a range of one value without its step, which the library would widen."""
    is_one = int(found["low"]) == int(found["high"]) and int(found["step"]) > 0
    return found["low"] if is_one else found[0]


def _check_field(number: int, part: str) -> None:
    """Refuse a field that is wrong by itself, by its name."""
    alone = ["*"] * len(FIELDS)
    alone[number] = part
    try:
        CronSim(" ".join(alone), _START)
    except _BROKEN:
        name, wanted = FIELDS[number]
        raise InvalidCronError(
            f"The field {name} ({part[:40]!a}) is wrong; it takes {wanted}, with *, "
            "lists (1,2), ranges (1-5) and steps (*/5)"
        ) from None


def _on_wall(moment: datetime, step: timedelta) -> datetime:
    """Return the naive local time, whole seconds, at an offset of ``step``."""
    return (moment.astimezone(UTC) + step).replace(tzinfo=None, microsecond=0)
