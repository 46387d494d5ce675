"""When a token ends by itself: a length of time, a date or a time, as people write it."""

import re
from datetime import UTC, datetime, timedelta

#: What can be written, and that it lies ahead; for messages and help.
WORDS = "a length of time (12h, 30d, 8w), a date or a time, at most ten years ahead"
#: Longest life of a token that ends.
LONGEST = timedelta(days=3_653)
_LENGTH = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ][\d:.,]+([Zz]|[+-]\d{2}:?\d{2})?)?")


def parse_expiry(text: str, *, now: datetime) -> datetime:
    """Return when a token ends that is made now.

    Args:
        text: Hours, days or weeks (``12h``, ``30d``, ``8w``); a date, which means its
            first moment in UTC; or a time with any offset or none (UTC).
        now: UTC.

    Raises:
        ValueError: If it is none of these, not in the future, or beyond ``LONGEST``.
    """
    cleaned = text.strip()
    length = _LENGTH.fullmatch(cleaned)
    if length is not None:
        moment = now + timedelta(hours=int(length[1]) * _HOURS[length[2]])
    elif _MOMENT.fullmatch(cleaned):
        moment = _read_moment(cleaned)
    else:
        raise ValueError(WORDS)
    if not now < moment <= now + LONGEST:
        raise ValueError(WORDS)
    return moment


def _read_moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(WORDS) from None
