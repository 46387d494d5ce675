"""All fault tests, in order."""

from tests.faults import t01_random_kills, t02_shim_kills
from tests.faults.trial import FaultTest

TESTS: dict[str, FaultTest] = {
    module.TEST.test_id: module.TEST for module in (t01_random_kills, t02_shim_kills)
}
