"""Options of a run on the command line: what they mean, and that none is missing."""

from dataclasses import fields
from typing import Any

import click
import pytest
from click.testing import CliRunner

from scriptrunner.cli.client import run
from scriptrunner.cli.following import exit_code_of
from scriptrunner.cli.run_options import (
    parse_alert,
    parse_gate,
    run_options,
    to_request,
)
from scriptrunner.cli.script import command
from scriptrunner.engine.plan import RunOptions


@click.command()
@run_options
def show(**given: Any) -> None:
    click.echo(repr(to_request(given)))


def request_of(*args: str, **env: str) -> Any:
    done = CliRunner().invoke(show, args, env=env)
    assert done.exit_code == 0, done.output
    return eval(done.output)  # noqa: S307 - what the command above has printed


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("cpu<=80", {"metric": "cpu", "max_value": 80.0}),
        (" cpu_max  <= 8e1 ", {"metric": "cpu_max", "max_value": 80.0}),
        ("stdout_lines>=1", {"metric": "stdout_lines", "min_value": 1.0}),
        ("-1<=x<=.5", {"metric": "x", "min_value": -1.0, "max_value": 0.5}),
        ("3 <= x", {"metric": "x", "min_value": 3.0}),
        ('{"metric": "x", "max_value": 1}', {"metric": "x", "max_value": 1}),
    ],
)
def test_gates_are_written_as_they_are_said(text: str, gate: dict[str, Any]) -> None:
    assert parse_gate(text) == gate


@pytest.mark.parametrize(
    "text", ["", "cpu", "cpu<80", "cpu=80", "cpu<=", "cpu<=x", "cpu<=nan", "1<=x>=2",
             "cpu<=1<=2", "{", "a b<=1"]
)  # fmt: skip
def test_what_is_no_gate_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_gate(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("cpu > 1", {"condition": "cpu > 1"}),
        ("slow: cpu > 1", {"name": "slow", "condition": "cpu > 1"}),
        ('{"condition": "cpu"}', {"condition": "cpu"}),
    ],
)
def test_alerts_may_have_a_name(text: str, rule: dict[str, Any]) -> None:
    assert parse_alert(text) == rule


def test_what_is_not_asked_for_is_not_sent() -> None:
    assert request_of() == {}


def test_channels_and_severity_are_for_all_alerts_without_their_own() -> None:
    request = request_of(
        "--alert", "cpu > 1",
        "--alert", '{"condition": "memory > 1", "channels": ["log"]}',
        "--alert-channel", "slack", "--alert-channel", "email",
        "--alert-severity", "error",
    )  # fmt: skip
    first, second = request["alerts"]
    assert first["channels"] == ["slack", "email"]
    assert (second["channels"], second["severity"]) == (["log"], "ERROR")


def test_the_webhook_may_come_from_the_environment() -> None:
    url = "https://hooks.slack.com/x"
    assert request_of(SLACK_WEBHOOK_URL=url) == {"slack_webhook": url}


def test_no_history_is_a_wish_of_its_own() -> None:
    assert request_of("--no-history") == {"enable_history": False}


def parameters_of(given: click.Command) -> set[str]:
    return {each.name for each in given.params if each.name}


#: Fields by the parameter that sets them, where the names differ.
OTHER_NAMES = {
    "env": "env_vars",
    "no_history": "enable_history",
    "visualize": "enable_visualizer",
    "visualize_format": "visualizer_format",
    "retries": "retry_max_attempts",
    "retry": "retry_max_attempts",
}


@pytest.mark.parametrize(
    ("given", "without"),
    [
        # Its output is on the terminal anyway.
        (command, {"stream_output"}),
        (run, set()),
    ],
)
def test_every_option_of_a_run_can_be_given(
    given: click.Command, without: set[str]
) -> None:
    names = {OTHER_NAMES.get(name, name) for name in parameters_of(given)}
    wanted = {each.name for each in fields(RunOptions)} - {"retry_on_failure"}
    assert wanted - names == without


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ({"status": "completed", "run_status": "success", "exit_code": 0}, 0),
        ({"status": "failed", "run_status": "success", "exit_code": 0}, 1),
        ({"status": "failed", "run_status": "failed", "exit_code": 3}, 3),
        ({"status": "failed", "run_status": "failed", "exit_code": None}, 1),
        ({"status": "failed", "run_status": "timeout", "exit_code": -15}, 124),
    ],
)
def test_broken_gates_have_an_exit_code(end: dict[str, Any], code: int) -> None:
    assert exit_code_of(end) == code
