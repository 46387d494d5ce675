"""Seeds that once found a defect; they run on every change, besides a new one."""

from collections.abc import Mapping

#: By test. Keep few: each costs a whole run of its test.
ALWAYS: Mapping[str, tuple[int, ...]] = {}
