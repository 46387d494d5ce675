"""Large libraries are loaded by the runs that need them, and by no others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
LAZY = (
    "alembic",
    "apprise",
    "bandit",
    "detect_secrets",
    "httpx",
    "junitparser",
    "mpmath",
    "pyarrow",
    "pygments",
    "smtplib",
    "yaml",
)
#: Everything a service and its supervisor load, and one run from request to record.
PROGRAM = """
import json, sys
from pathlib import Path
import scriptrunner.application.services, scriptrunner.supervise, scriptrunner.web.app
at_start = set(sys.modules)
import pytest  # its own libraries are not ours
foreign = set(sys.modules) - at_start
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from tests.run_world import RunWorld

folder, options, lazy = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
database = Database(f"sqlite:///{folder}/runs.db")
migrate(database)
world = RunWorld(folder, database)
record = world.get(world.run_to_end(**options))
assert record.item.status == "completed", record
print(json.dumps([name for name in lazy if name in set(sys.modules) - foreign]))
"""


@pytest.mark.parametrize(
    ("options", "loaded"),
    [
        ({}, []),
        (
            {
                "performance_gates": [{"metric": "cpu", "max_value": 1e9}],
                "enable_cost_tracking": True,
                "save_baseline": "b.json",
                "alerts": [{"condition": "timed_out", "channels": ["log"]}],
                "enable_visualizer": True,
            },
            [],
        ),
        ({"junit_output": "r.xml"}, ["junitparser"]),
    ],
)
def test_a_run_loads_what_it_needs(
    tmp_path: Path, options: dict[str, object], loaded: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), json.dumps(options), *LAZY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == loaded
