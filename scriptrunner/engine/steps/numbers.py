"""Metrics as numbers, and numbers as people read them."""

import math

#: From here on a number is written with an exponent.
LONGEST_WRITTEN_OUT = 10**15


def to_number(value: object) -> float | int | None:
    """Return a metric as a finite number, booleans as 1 and 0; else None."""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer beyond all floats
        return None


def number_text(value: float) -> str:
    """Return a number without needless digits: 80.0 is ``80``, and 1e300 is ``1e+300``."""
    if abs(value) < LONGEST_WRITTEN_OUT and float(value).is_integer():
        return str(int(value))
    return f"{value:.10g}"
