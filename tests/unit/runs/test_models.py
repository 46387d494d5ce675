"""Sets of states and idempotency keys."""

import pytest

from scriptrunner.runs.intake import is_key
from scriptrunner.runs.models import (
    ACTIVE_STATUSES,
    LIVE_PHASES,
    TERMINAL_STATUSES,
    Phase,
    Status,
)


def test_every_status_is_active_or_terminal() -> None:
    assert set(Status) == ACTIVE_STATUSES | TERMINAL_STATUSES
    assert not ACTIVE_STATUSES & TERMINAL_STATUSES


def test_phases_without_a_process() -> None:
    assert set(Phase) - LIVE_PHASES == {Phase.QUEUED, Phase.BACKOFF, Phase.FINAL}


@pytest.mark.parametrize(
    ("key", "expected"),
    [("a", True), ("x" * 255, True), ("!~", True), ("x" * 256, False), ("", False)],
)
def test_keys(key: str, expected: bool) -> None:
    assert is_key(key) is expected
