"""Every fault test is performed in CI, in one file, or by hand."""

import pytest

from tests.faults.catalogue import TESTS
from tests.faults.ci import BY_HAND, GROUPS
from tests.server import PROJECT


def test_every_fault_test_is_in_one_group() -> None:
    performed = [test_id for ids in GROUPS.values() for test_id in ids]
    assert sorted([*performed, *BY_HAND]) == sorted(TESTS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_is_performed(group: str) -> None:
    text = (PROJECT / "tests" / "faults" / f"test_{group}.py").read_text()
    assert f'@ci.cases("{group}")' in text
