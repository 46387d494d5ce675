"""The oracle of cron expressions: tries every minute of the clock on the wall.

Slow and simple on purpose, and it shares no code with the scheduler.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def walk(
    expression: str, zone: ZoneInfo, since: datetime, minutes: int
) -> list[datetime]:
    """Return the fires in the ``minutes`` from ``since`` (UTC, whole minute)."""
    parts = expression.split()
    fields = [parse(part, *RANGES[n]) for n, part in enumerate(parts)]
    both_days = parts[2][0] == "*" or parts[4][0] == "*"
    is_meant = not any(sign in part for part in parts[:2] for sign in "*/")
    fires, done = [], set()
    for moment, walls in iter_minutes(zone, since, minutes, with_skipped=is_meant):
        due = [wall for wall in walls if matches(wall, fields, both_days=both_days)]
        if is_meant:  # once per day: what comes twice was done the first time
            due = [wall for wall in due if wall not in done]
            done.update(due)
        if due:
            fires.append(moment)
    return fires


def iter_minutes(
    zone: ZoneInfo, since: datetime, minutes: int, *, with_skipped: bool
) -> Iterator[tuple[datetime, list[datetime]]]:
    """Yield each minute and what the wall shows, with what a clock change skipped."""
    before = (since - MINUTE).astimezone(zone).replace(tzinfo=None)
    for number in range(minutes):
        moment = since + number * MINUTE
        wall = moment.astimezone(zone).replace(tzinfo=None)
        walls, skipped = [wall], before + MINUTE
        while with_skipped and skipped < wall:
            walls.append(skipped)
            skipped += MINUTE
        yield moment, walls
        before = wall


def matches(wall: datetime, fields: list[set[int]], *, both_days: bool) -> bool:
    minute, hour, day, month, weekday = fields
    if wall.minute not in minute or wall.hour not in hour or wall.month not in month:
        return False
    is_day = wall.day in day
    is_weekday = bool({wall.isoweekday(), wall.isoweekday() % 7} & weekday)
    return (is_day and is_weekday) if both_days else (is_day or is_weekday)


def parse(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for term in text.split(","):
        base, _, step = term.partition("/")
        if base == "*":
            begin, end = low, high
        elif "-" in base:
            begin, end = (int(each) for each in base.split("-"))
        else:
            begin = int(base)
            end = high if step else begin
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def changes_of(zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """Return the hours in which the offset of a zone changes."""
    found, at = [], since
    while at < until:
        following = at + timedelta(hours=1)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            found.append(at)
        at = following
    return found


def make_expression(random: Random) -> str:
    """Return an expression that likes the small hours, where clocks change."""
    late = 23 if random.random() < 0.4 else 4
    weights = ((0, 59, 0.25), (0, late, 0.3), (1, 28, 0.8), (1, 12, 0.85), (0, 7, 0.8))
    return " ".join(_make_field(random, *each) for each in weights)


def _make_field(random: Random, low: int, high: int, star: float) -> str:
    kind = random.random() - star
    first = random.randint(low, high)
    last = random.randint(first, high)
    if kind < 0:
        return "*"
    if kind < 0.1:
        return f"*/{random.randint(1, max(2, (high - low) // 2))}"
    if kind < 0.2:
        return f"{first}-{last}"
    if kind < 0.28:
        return ",".join(str(random.randint(low, high)) for _ in range(3))
    if kind < 0.35:
        return f"{first}-{last}/{random.randint(1, 10)}"
    return str(first)


def make_cases(
    seed: int, count: int, zones: list[str]
) -> Iterator[tuple[str, str, datetime]]:
    """Yield zone, expression and a start shortly before a clock change of the zone."""
    random = Random(seed)
    starts = {}
    for name in zones:
        changes = changes_of(
            ZoneInfo(name),
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2027, 6, 1, tzinfo=UTC),
        )
        starts[name] = [each - timedelta(hours=27) for each in changes] or [
            datetime(2026, 3, 1, tzinfo=UTC)
        ]
    for number in range(count):
        zone = zones[number % len(zones)]
        yield zone, make_expression(random), random.choice(starts[zone])
