"""The reference pages say what the code does: nothing missing, nothing left over."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import scriptrunner
from scriptrunner.cli import cli as scriptrunner_command
from scriptrunner.cli.script import command as runner_command
from scriptrunner.engine.events import DATA_KEYS
from scriptrunner.engine.metric_names import METRICS
from scriptrunner.engine.outcomes import Reason
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.runs.models import Trigger
from scriptrunner.web.app import create_app
from scriptrunner.web.errors import PLAIN_ERRORS, status_of
from scriptrunner.web.openapi import describe_api

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference"

#: Started by their path with other processes in mind, or loaded by Alembic.
NOT_IMPORTABLE = ("zygote", "local_shim", "migrations", "__main__")


@pytest.fixture(scope="module")
def all_modules_loaded() -> None:
    for module in pkgutil.walk_packages(scriptrunner.__path__, "scriptrunner."):
        if not any(part in module.name for part in NOT_IMPORTABLE):
            importlib.import_module(module.name)


@pytest.fixture(scope="module")
def schema() -> Any:
    return describe_api(create_app())


def iter_errors(kind: type[ScriptRunnerError]) -> Iterator[type[ScriptRunnerError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__.startswith("scriptrunner."):
            yield from iter_errors(each)


@pytest.mark.usefixtures("all_modules_loaded")
def test_every_error_code_is_documented_with_its_status(schema: Any) -> None:
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
    raised |= codes_in_schema(schema)
    assert raised - replaced == documented - replaced


def codes_in_schema(schema: Any) -> set[tuple[str, str]]:
    """Return the statuses and codes that operations declare."""
    answers = [
        answer
        for operations in schema["paths"].values()
        for operation in operations.values()
        for answer in operation["responses"].items()
    ]
    return {
        (status, code)
        for status, answer in answers
        if status >= "400"
        for code in re.findall(r"`([a-z_]+)`", answer["description"])
    }


def test_every_operation_is_documented(schema: Any) -> None:
    page = (REFERENCE / "api.md").read_text()
    documented = re.findall(
        r"^\| (GET|POST|PUT|PATCH|DELETE) \| `(\S+)` \|", page, re.MULTILINE
    )
    hidden = {("GET", "/"), ("POST", "/api/csp-report"), ("GET", "/openapi.json")}
    declared = {
        (method.upper(), path)
        for path, operations in schema["paths"].items()
        for method in operations
    }
    assert set(documented) - hidden == declared - hidden


def test_every_field_of_a_run_request_is_documented(schema: Any) -> None:
    page = (REFERENCE / "api.md").read_text()
    section = page.split("\n## Starting runs\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)` \|", section, re.MULTILINE)
    fields = schema["components"]["schemas"]["RunRequest"]["properties"]
    for name, default in rows:
        shown = fields[name]["default"]
        assert default == (shown if isinstance(shown, str) else json.dumps(shown)), name
    without = set(re.findall(r"^\| `(\w+)` \| [^|]+ \| \w", section, re.MULTILINE))
    assert {name for name, _ in rows} | without == set(fields)


def test_every_key_of_a_record_is_documented(schema: Any) -> None:
    page = (REFERENCE / "runs.md").read_text()
    section = page.split("\n## Reasons\n")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert documented == set(schema["components"]["schemas"]["RunRecord"]["properties"])


def test_every_reason_and_trigger_is_documented() -> None:
    page = (REFERENCE / "runs.md").read_text()
    section = page.split("\n## Reasons\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert documented == set(Reason)
    (triggers,) = re.findall(r"^\| `trigger` \|(.+)\|$", page, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", triggers)) == set(Trigger)


def test_every_event_is_documented_with_its_data() -> None:
    page = (REFERENCE / "runs.md").read_text().split("\n## Events\n")[1]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, re.MULTILINE)
    documented = {name: tuple(re.findall(r"`(\w+)`", data)) for name, data in rows}
    assert documented == {str(name): tuple(keys) for name, keys in DATA_KEYS.items()}


def test_every_metric_is_documented() -> None:
    page = (REFERENCE / "metrics.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(documented) == sorted(METRICS)


def options_of(command: click.Command) -> set[str]:
    """Return the long names of a command's options, those of its subcommands included."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        names = command.list_commands(context)
        parts = [command.get_command(context, name) for name in names]
        return set().union(*(options_of(part) for part in parts if part))
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {name for each in options for name in (*each.opts, *each.secondary_opts)} - {
        "-V",
        "--version",
    }


def list_commands() -> list[tuple[str, click.Command]]:
    context = click.Context(scriptrunner_command)
    found = [
        (f"scriptrunner {name}", scriptrunner_command.get_command(context, name))
        for name in scriptrunner_command.list_commands(context)
    ]
    named = [(name, command) for name, command in found if command is not None]
    return [*named, ("runner.py", runner_command)]


@pytest.mark.parametrize(("name", "command"), list_commands())
def test_every_option_is_documented(name: str, command: click.Command) -> None:
    page = (REFERENCE / "cli.md").read_text()
    section = page.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    documented = set(re.findall(r"`(--?[a-z-]+)`", "\n".join(rows)))
    assert documented == options_of(command)
