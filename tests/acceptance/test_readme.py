"""The README's commands, word for word, against a real service."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import running_server

ROOT = Path(__file__).parent.parent.parent
#: What follows a link's text, or names a picture.
LINK = re.compile(r'(?:\]\(|\bsrc="|\bsrcset=")([^)"#]+)')


def blocks_of(heading: str, language: str) -> list[str]:
    """Return the code blocks of one language below a heading of the README."""
    text = (ROOT / "README.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that looks like a checkout to the README's commands."""
    checkout = tmp_path / "scripts"
    shutil.copytree(ROOT / "examples", checkout / "examples")
    (checkout / "runner.py").symlink_to(ROOT / "runner.py")
    (checkout / ".venv").symlink_to(sys.prefix)
    return checkout


def run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(90)
def test_tour_with_curl(tmp_path: Path, folder: Path) -> None:
    assert shutil.which("curl"), "apt-get install curl"
    with running_server(tmp_path) as server:
        lines = "\n".join(blocks_of("A tour with curl", "sh"))
        lines = lines.replace("http://127.0.0.1:9000", server.url)
        output = run(["bash", "-euo", "pipefail", "-c", lines], folder)
    assert output.startswith('{"run_id":')
    assert '"status":"queued"' in output.splitlines()[0].replace(" ", "")
    assert "hello from a file of mine" in output
    assert "I and 3 children will not leave" in output
    assert '"killed":true' in output.replace(" ", "")
    assert '"status":"cancelled"' in output.replace(" ", "")
    assert '"total_runs":4' in output.replace(" ", "")
    assert "1 of 1 gates failed: execution_time_seconds = " in output
    assert '"relative_path":"stubborn.py"' in output
    assert output.count("T01:00:00.000000Z") + output.count("T00:00:00.000000Z") >= 5
    assert "Its last fire" in output
    assert '"executions":' in output
    assert '"baseline":' in output


def test_shell_without_a_server(folder: Path) -> None:
    (block,) = blocks_of("Without a server", "sh")
    output = run(["bash", "-euo", "pipefail", "-c", block], folder)
    assert "number 1\nnumber 2\nnumber 3\n" in output


def test_python_without_a_server(folder: Path) -> None:
    (block,) = blocks_of("Without a server", "python")
    output = run([sys.executable, "-c", block], folder, PYTHONPATH=str(ROOT))
    code, seconds = output.split()[-2:]
    assert code == "0"
    assert 0.3 < float(seconds) < 10


def test_links_lead_somewhere() -> None:
    """Of all pages, not only of the README."""
    for page in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "WEBAPI/README.md",
    ]:
        for target in LINK.findall(page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} → {target}"
