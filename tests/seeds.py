"""Seeds that are new in every test run, and the same in all processes of one run."""

import os
import random
import secrets

#: pytest-xdist gives it to its workers, which must all collect the same tests.
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
_LIMIT = 10**6


def draw_seed(name: str) -> int:
    """Return a seed for the test ``name``: 0 to 999 999."""
    return random.Random(f"{_RUN} {name}").randrange(_LIMIT)
