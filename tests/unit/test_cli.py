"""The command line: quick help, true help, and what a followed run ends with."""

import subprocess
import sys

import click
import pytest

from scriptrunner.cli import COMMANDS, cli, main
from scriptrunner.cli.following import Message, exit_code_of, iter_messages
from tests.server import PROJECT


def command_of(name):
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_help_says(name):
    text = command_of(name).get_short_help_str(200)
    assert text
    assert COMMANDS[name].words.endswith(".")


def test_help_loads_nothing_large():
    code = (
        "import sys\nfrom scriptrunner.cli import main\nmain(['--help'])\n"
        "print([m for m in ('fastapi', 'sqlalchemy', 'httpx', 'uvicorn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_unknown_command_is_two(capsys):
    assert main(["nonsense"]) == 2
    assert "No such command" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert "Script Runner" in capsys.readouterr().out


def test_messages_are_read_line_by_line():
    lines = [
        "retry: 2000",
        "",
        ":",
        "",
        "event: output",
        "id: 1:o2:e0",
        'data: {"a":1}',
        "",
    ]
    assert list(iter_messages(iter([*lines, "data: x"]))) == [
        Message("output", '{"a":1}', "1:o2:e0")
    ]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ({"status": "completed", "run_status": "success", "exit_code": 0}, 0),
        ({"status": "failed", "run_status": "failed", "exit_code": 3}, 3),
        ({"status": "failed", "run_status": "failed", "exit_code": -11}, 139),
        ({"status": "failed", "run_status": "timeout", "exit_code": -15}, 124),
        ({"status": "failed", "run_status": "killed", "exit_code": None}, 1),
        ({"status": "completed", "run_status": None, "exit_code": None}, 0),
        ({"status": "cancelled", "run_status": "killed", "exit_code": 0}, 0),
    ],
)
def test_ends_become_exit_codes(end, code):
    assert exit_code_of(end) == code
