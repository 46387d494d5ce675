"""What is loaded by whom: the shim pays for every module with each run."""

import subprocess
import sys

import pytest

from tests.server import PROJECT

CODE = """\
import sys
sys.path.insert(0, {project!r})
from scriptrunner.engine import shim
before = set(sys.modules)
assert not [name for name in before if "scans" in name]
import {module}
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("module", ["session", "report"])
def test_a_shim_scans_with_the_standard_library_alone(module):
    code = CODE.format(
        project=str(PROJECT), module=f"scriptrunner.engine.scans.{module}"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    # Nothing but our own: whatever else they need, every shim has already.
    assert [name for name in loaded if not name.startswith("scriptrunner.")] == []


def test_asking_for_no_scan_loads_no_scanner():
    code = (
        "import sys\n"
        "from scriptrunner.engine.scans import ordering\n"
        "assert ordering.build_order([], script_name='x', block='HIGH',"
        " advisory_db=None, cache_dir=None) is None\n"
        "names = ('bandit', 'detect_secrets', 'packaging', 'importlib.metadata')\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
    )
    assert done.stdout.strip() == "[]"
