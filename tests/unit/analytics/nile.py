"""The flow of the Nile at Aswan, 1871 to 1970: the data set that shifts are tried on.

It ships with statsmodels. In 1898 the level fell: Cobb, "The problem of the Nile",
Biometrika 65 (1978).
"""

from functools import cache

#: Place of 1898, counted from 1871.
SHIFT = 27


@cache
def volumes() -> tuple[float, ...]:
    """Return a hundred yearly volumes in 10⁸ m³."""
    # Slow to import, and only these tests need it.
    from statsmodels.datasets import nile  # noqa: PLC0415

    return tuple(float(each) for each in nile.load_pandas().data["volume"])
