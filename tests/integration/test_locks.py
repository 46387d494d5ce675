"""The proof that locks work must not disturb itself when several workers start."""

import subprocess
import sys
from pathlib import Path

from tests.server import PROJECT

CHECK = (
    "import sys; from pathlib import Path;"
    "from scriptrunner.supervisor.lock import check_locks_work;"
    "[check_locks_work(Path(sys.argv[1])) for _ in range(5)]"
)


def test_workers_that_start_together_prove_the_locks_side_by_side(
    tmp_path: Path,
) -> None:
    """One held the probe file that the other wanted, which then refused to start."""
    command = [sys.executable, "-c", CHECK, str(tmp_path)]
    checks = [subprocess.Popen(command, cwd=PROJECT) for _ in range(4)]
    assert [check.wait(timeout=15) for check in checks] == [0, 0, 0, 0]
