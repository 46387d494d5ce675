"""Time zones: which names are known, and what a wall-clock time is in real time.

A wall-clock time that a clock change skips means the first moment after the gap; one that
comes twice means its first occurrence. That is the rule for everything that is meant once
a day.
"""

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

#: Seconds around which a search for clock changes looks: none last shorter.
_STEP = timedelta(hours=12)


class UnknownZoneError(ValueError):
    """The name is not that of an IANA time zone."""


@lru_cache(maxsize=1)
def _known_names() -> frozenset[str]:
    # Not what depends on the machine: its own zone, and tables that count leap seconds.
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


@lru_cache(maxsize=1024)
def get_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name such as ``Europe/Berlin``.

    Raises:
        UnknownZoneError: If there is no zone of that name.
    """
    if name != "UTC" and name not in _known_names():
        raise UnknownZoneError(f"{name[:100]!a} is not an IANA time zone")
    return ZoneInfo(name)


def to_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment that a wall-clock time means, in UTC.

    Args:
        wall: A naive local time.
        zone: Where the clock hangs.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
        return first
    return end_of_gap(first, zone)


def end_of_gap(near: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of the clock change whose gap ``near`` was meant in.

    ``near`` is what the zone's earlier offset makes of the skipped time, which lies at or
    after the change and less than the length of the gap behind it.
    """
    change = find_change(near - timedelta(days=1), near, zone)
    return near if change is None else change


def find_change(since: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the last change of the offset in (since, until], to the second, or None."""
    before, after = offset_at(since, zone), offset_at(until, zone)
    if before == after:
        return None
    low, high = since, until
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        middle = middle.replace(microsecond=0) if middle > low else middle
        if middle <= low:
            break
        if offset_at(middle, zone) == after:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def iter_changes(
    since: datetime, until: datetime, zone: ZoneInfo
) -> list[tuple[datetime, timedelta]]:
    """Return the clock changes in (since, until] with the step forward of each.

    Args:
        since: Aware UTC.
        until: Aware UTC.
        zone: The zone.

    Returns:
        Moment (UTC) and step; a negative step puts the clock back.
    """
    found = []
    at = since
    while at < until:
        following = min(at + _STEP, until)
        change = find_change(at, following, zone)
        if change is not None:
            found.append((change, offset_at(following, zone) - offset_at(at, zone)))
        at = following
    return found


def offset_at(moment: datetime, zone: ZoneInfo) -> timedelta:
    """Return how far the clocks of ``zone`` are ahead of UTC at ``moment`` (aware)."""
    return moment.astimezone(zone).utcoffset() or timedelta(0)
