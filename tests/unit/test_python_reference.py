"""The page on running scripts from Python names all that there is."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from runner import ExecutionVisualizer, StructuredLogger
from scriptrunner.engine import runner
from scriptrunner.engine.plan import RunOptions
from scriptrunner.standalone import ScriptRunner

PAGE = Path(__file__).parent.parent.parent / "docs" / "reference" / "python.md"


def list_rows(heading: str) -> set[str]:
    """Return the names in the first column of the tables behind a heading."""
    text = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)", cell)}


def test_every_parameter_is_named() -> None:
    own = set(inspect.signature(runner.ScriptRunner.__init__).parameters)
    own -= {"self", "args", "timeout", "options"}
    documented = list_rows("ScriptRunner")
    assert own <= documented
    known = own | {each.name for each in fields(RunOptions)}
    members = {name for name in dir(ScriptRunner) if not name.startswith("_")}
    assert documented - known == members


@pytest.mark.parametrize("kind", [ExecutionVisualizer, StructuredLogger])
def test_every_member_of_the_others_is_named(kind: type) -> None:
    made = kind({}) if kind is ExecutionVisualizer else kind()
    members = {name for name in dir(made) if not name.startswith("_")}
    assert list_rows(kind.__name__) - {kind.__name__} == members
