"""The reference pages say what the code does: nothing missing, nothing left over."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import scriptrunner
from scriptrunner.engine.attempt import SUCCESS
from scriptrunner.engine.metrics import RunFacts, metrics_from
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.web.errors import PLAIN_ERRORS, status_of

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference"

#: Started by their path with other processes in mind, or loaded by Alembic.
NOT_IMPORTABLE = ("zygote", "local_shim", "migrations", "__main__")


@pytest.fixture(scope="module")
def all_modules_loaded() -> None:
    for module in pkgutil.walk_packages(scriptrunner.__path__, "scriptrunner."):
        if not any(part in module.name for part in NOT_IMPORTABLE):
            importlib.import_module(module.name)


def iter_errors(kind: type[ScriptRunnerError]) -> Iterator[type[ScriptRunnerError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__.startswith("scriptrunner."):
            yield from iter_errors(each)


@pytest.mark.usefixtures("all_modules_loaded")
def test_every_error_code_is_documented_with_its_status() -> None:
    page = (REFERENCE / "errors.md").read_text()
    documented = set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page, re.MULTILINE))
    local = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    raised = {
        (str(status_of(error)), error.code)
        for error in iter_errors(ScriptRunnerError)
        if error.code not in local
    }
    # Kinds whose code every class below them replaces.
    replaced = {("400", "invalid_request")}
    raised |= {(str(status), code) for status, (code, _) in PLAIN_ERRORS.items()}
    assert raised - replaced == documented - replaced


def test_every_metric_is_documented() -> None:
    facts = RunFacts(script_path="a.py", outcome=SUCCESS)
    page = (REFERENCE / "metrics.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(documented) == sorted(metrics_from({}, facts=facts))
