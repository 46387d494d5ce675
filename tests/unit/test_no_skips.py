"""`--no-skips`: on a machine that can have everything, a skip is a failure."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent

TESTS = """
import pytest

def test_passes(): pass

@pytest.mark.skip(reason="needs a moon")
def test_skipped(): pass

@pytest.mark.xfail(strict=True)
def test_expected_to_fail(): assert False
"""
WHOLE_MODULE = "import pytest; pytest.skip('needs a sun', allow_module_level=True)"


def run(folder: Path, *options: str) -> tuple[int, str]:
    (folder / "test_some.py").write_text(TESTS)
    (folder / "test_none.py").write_text(WHOLE_MODULE)
    (folder / "pytest.ini").touch()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-q",
        str(folder),
    ]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True
    )
    return done.returncode, done.stdout


def test_skips_are_told(tmp_path: Path) -> None:
    code, output = run(tmp_path)
    assert code == 0
    assert "1 passed, 2 skipped, 1 xfailed" in output


def test_skips_fail_where_nothing_may_be_skipped(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--no-skips", "--continue-on-collection-errors")
    assert code == 1
    assert "Nothing may be skipped here. Skipped: needs a moon" in output
    assert "Nothing may be skipped here. Skipped: needs a sun" in output
    assert "1 passed, 1 xfailed, 2 errors" in output
