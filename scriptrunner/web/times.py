"""Times in requests: RFC 3339, a plain date, or no offset, which means UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
#: A blank before the offset was a plus that nobody escaped in the query.
TIME = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<time>\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)"
    r"(?P<offset>[Zz]|[+ -]\d{2}:?\d{2})?"
)


def parse_time(text: str, *, is_upper_bound: bool = False) -> datetime:
    """Return the UTC time that ``text`` names.

    Args:
        text: A time with any offset or none (UTC), or a date (midnight UTC).
        is_upper_bound: A date means the end of that day instead of its beginning.

    Raises:
        ValueError: If it is neither.
    """
    text = text.strip()
    if DATE.fullmatch(text):
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return day + timedelta(days=1) if is_upper_bound else day
    found = TIME.fullmatch(text)
    if found is None:
        raise ValueError("not a time")
    offset = (found["offset"] or "Z").upper().replace(" ", "+")
    plain = f"{found['date']}T{found['time'].replace(',', '.')}{offset}"
    moment = datetime.fromisoformat(plain)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("not a time of this calendar") from None


def _validated(value: object, *, is_upper_bound: bool) -> object:
    if value is None or value == "":
        return None
    try:
        return parse_time(str(value), is_upper_bound=is_upper_bound)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "datetime_parsing",
            "Input should be a time such as 2026-11-23T10:00:00Z or a date",
        ) from None


def parse_moment(value: object) -> object:
    """Return the time that a text in a request names; nothing stays None."""
    return _validated(value, is_upper_bound=False)


def parse_bound(value: object) -> object:
    """Return likewise an upper bound: a date means the end of that day."""
    return _validated(value, is_upper_bound=True)


#: Query parameters: the beginning (included) and the end (excluded) of a span of time.
Since = Annotated[datetime | None, BeforeValidator(parse_moment)]
Until = Annotated[datetime | None, BeforeValidator(parse_bound)]
