"""The command that the form copies means the same run to the command line itself."""

import shlex
from typing import Any

import pytest
from playwright.sync_api import Page

from scriptrunner.cli import client
from scriptrunner.web.schemas.run_request import RunRequest

TO_COMMAND = """async (request) => {
    const { static: folder } = JSON.parse(document.documentElement.dataset.boot);
    const { toCommand } = await import(`${folder}/js/lib/request-text.js`);
    return toCommand({ address: '', request });
}"""

#: Every field of a run request with a value that is not its default.
REQUEST: dict[str, Any] = {
    "script_path": "jobs/it's.py",
    "args": ["a b", "--flag", ""],
    "working_dir": "jobs",
    "env_vars": {"STAGE": "x=y z", "EMPTY": ""},
    "timeout": 30,
    "log_level": "DEBUG",
    "stream_output": True,
    "monitor_interval": 0.5,
    "retry_on_failure": True,
    "retry_max_attempts": 5,
    "retry_strategy": "linear",
    "retry_initial_delay": 0.5,
    "retry_max_delay": 20,
    "retry_multiplier": 3,
    "retry_max_time": 60,
    "dry_run": True,
    "enable_code_analysis": True,
    "enable_secret_scanning": True,
    "enable_dependency_scanning": True,
    "performance_gates": [
        {"metric": "cpu_max", "max_value": 80},
        {"metric": "memory_max_mb", "min_value": 0.5},
    ],
    "load_baseline": "usual",
    "save_baseline": "new one",
    "junit_output": "out/junit.xml",
    "enable_history": False,
    "history_db": "other.db",
    "enable_visualizer": True,
    "visualizer_format": "json",
    "enable_cost_tracking": True,
    "alerts": [
        {"name": "slow", "condition": "duration > 10 and cpu_max < 5"},
        {"condition": "exit_code != 0", "channels": ["log"], "severity": "ERROR"},
    ],
    "slack_webhook": "https://hooks.slack.com/services/T/B/x",
}


def test_copied_command_has_every_option(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(REQUEST) == set(RunRequest.model_fields)
    page.goto("/")
    made = page.evaluate(TO_COMMAND, REQUEST)
    assert made["left"] == []
    words = shlex.split(made["text"])
    variable, _, webhook = words[0].partition("=")
    assert words[1:3] == ["scriptrunner", "run"]
    monkeypatch.setenv(variable, webhook)
    given = dict(client.run.make_context("run", words[3:]).params)
    script = given.pop("script")
    understood = client._to_request(given.pop("args"), given)
    assert {"script_path": script, **understood} == REQUEST
