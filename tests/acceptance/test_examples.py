"""The examples: each is run by the very command it names, and does what it says."""

import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from scriptrunner.cli.client import _to_request, run
from scriptrunner.web.schemas.run_request import RunRequest
from tests.server import PROJECT, Server, running_server

EXAMPLES = PROJECT / "examples"
COMMAND = re.compile(r"^ {4}scriptrunner run (.+)$", re.MULTILINE)

Record = dict[str, Any]
#: Invented, about a package that an example names.
ADVISORY = {
    "id": "TEST-2019",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "Sends passwords to strangers",
    "database_specific": {"severity": "HIGH"},
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "requests"},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "0"}, {"fixed": "2.20"}],
                }
            ],
        }
    ],
}
# ruff: noqa: ARG001 - every check gets the server, whether it has more to ask or not


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("examples")
    shared = folder / "shared"
    shared.mkdir()
    (folder / "advisories.json").write_text(json.dumps([ADVISORY]))
    environment = {
        "WEBAPI_ADVISORY_DB": str(folder / "advisories.json"),
        "WEBAPI_ALLOWED_ROOT": str(PROJECT),
        "WEBAPI_OUTPUT_ROOT": str(shared),
    }
    with running_server(folder, environment=environment) as started:
        yield started


def list_commands(name: str) -> list[str]:
    """Return the commands in the docstring of an example."""
    tree = ast.parse((EXAMPLES / name).read_text(encoding="utf-8"))
    return COMMAND.findall(ast.get_docstring(tree, clean=False) or "")


def request_of(command: str) -> dict[str, Any]:
    """Return the request that a command sends."""
    given = dict(run.make_context("run", shlex.split(command)).params)
    script, args = given.pop("script"), given.pop("args")
    return {"script_path": script, **_to_request(args, given)}


def finish(server: Server, request: dict[str, Any]) -> Record:
    answer = server.client.post("/api/run", json=request)
    assert answer.status_code == 202, answer.text
    run_id = answer.json()["run_id"]
    record: Record = server.client.get(f"/api/runs/{run_id}?wait=15").json()
    assert record["status"] in ("completed", "failed"), record
    return record


def output_of(server: Server, record: Record, name: str) -> bytes:
    answer = server.client.get(f"/api/runs/{record['id']}/outputs/{name}")
    assert answer.status_code == 200
    content: bytes = answer.content
    return content


def types_of(server: Server, record: Record) -> list[str]:
    events = server.client.get(f"/api/runs/{record['id']}/events").json()
    return [event["event_type"] for event in events]


# What each example must have come to


def check_count(server: Server, record: Record) -> None:
    assert record["result"]["stdout"] == "number 1\nnumber 2\nnumber 3\n"


def check_flaky(server: Server, record: Record) -> None:
    assert [each["run_status"] for each in record["attempts"]] == [
        "failed",
        "failed",
        "success",
    ]
    assert types_of(server, record).count("retry_scheduled") == 2


def check_bounds(server: Server, record: Record) -> None:
    assert record["status"] == "completed"
    assert record["result"]["performance_gates_passed"] is True
    tight = {**record["request"], "performance_gates": [STRICT]}
    del tight["env_vars"]
    failed = finish(server, tight)
    assert (failed["status"], failed["run_status"]) == ("failed", "success")
    assert failed["error"] == "1 of 1 gates failed"


STRICT = {"metric": "cpu_time", "max_value": 0}


def check_report(server: Server, record: Record) -> None:
    assert record["reason"] == "exit_code"
    content = output_of(server, record, "ci/junit.xml")
    (suite,) = JUnitXml.fromstring(content)
    assert [case.result[0].type for case in suite] == ["exit_code", "gate"]
    published = Path(str(server.environment["WEBAPI_OUTPUT_ROOT"]), "ci", "junit.xml")
    assert published.read_bytes() == content
    assert record["result"]["junit_output"] == "ci/junit.xml"


def check_saved(server: Server, record: Record) -> None:
    assert record["result"]["baseline_saved"] == "nightly.json"
    metrics = json.loads(output_of(server, record, "nightly.json"))
    assert metrics == record["result"]["metrics"]


def check_compared(server: Server, record: Record) -> None:
    comparison = record["result"]["baseline_comparison"]
    assert comparison["cpu_time_seconds"]["delta"] > 0
    assert comparison["cpu_time_seconds"]["verdict"] == "worse"
    assert comparison["exit_code"]["verdict"] == "same"


def check_alarm(server: Server, record: Record) -> None:
    (alert,) = record["result"]["alerts"]
    assert (alert["name"], alert["severity"]) == ("hungry", "ERROR")
    assert alert["triggered"] is True
    assert alert["values"]["memory_max_mb"] > 20
    assert "alert_triggered" in types_of(server, record)
    assert record["request"]["slack_webhook"] == "https://hooks.slack.com/***"


def check_price(server: Server, record: Record) -> None:
    cost = record["result"]["cost"]
    assert 0 < cost["cost"]["total"] == record["result"]["metrics"]["cost_total"]
    assert (cost["rates"]["source"], cost["estimate"]) == ("default", True)
    assert cost["rates"]["date"]
    assert record["result"]["performance_gates_passed"] is True


def check_memory(server: Server, record: Record) -> None:
    assert record["request"]["history_db"] == "team/examples.db"
    assert record["result"]["execution_id"] == 1


def check_no_memory(server: Server, record: Record) -> None:
    assert record["result"]["execution_id"] is None


def check_steps(server: Server, record: Record) -> None:
    report = record["result"]["visualization_report"]
    assert len(report["steps"]) == 12
    text = server.client.get(f"/api/runs/{record['id']}/visualization?download=1").text
    assert text == report["text"]


def check_json_steps(server: Server, record: Record) -> None:
    report = record["result"]["visualization_report"]
    assert len(report["steps"]) == 12
    assert "text" not in report


def check_surroundings(server: Server, record: Record) -> None:
    assert record["result"]["stdout"].splitlines() == [
        "folder docs",
        "COLOUR green",
        "API_TOKEN ******",
        "SCRIPT_RUNNER_LOG_LEVEL DEBUG",
    ]
    assert record["request"]["env_vars"] == {"COLOUR": "green", "API_TOKEN": "***"}
    assert "environment" in types_of(server, record)


def check_endless(server: Server, record: Record) -> None:
    assert (record["run_status"], record["error"]) == ("timeout", "Timed out after 1 s")
    assert record["result"]["stdout"] == "still here\n"


def check_dry_run(server: Server, record: Record) -> None:
    assert (record["status"], record["run_status"]) == ("completed", None)
    assert record["result"]["dry_run"] is True
    assert record["result"]["retry_config"]["delays"] == [1.0, 2.0]


def check_sampled(server: Server, record: Record) -> None:
    samples = server.client.get(f"/api/runs/{record['id']}/samples").json()
    assert samples["interval"] == 0.05
    assert len(samples["t"]) >= 3
    assert (
        record["result"]["metrics"]["cpu_max"] > record["result"]["metrics"]["cpu_min"]
    )


def check_blocked(
    kind: str, rule: str, message: str
) -> Callable[[Server, Record], None]:
    def check(server: Server, record: Record) -> None:
        assert record["reason"] == "scan_blocked"
        assert record["result"]["stdout"] == ""
        scan = record["result"]["scans"][kind]
        worst = scan["findings"][0]
        assert (scan["blocked"], worst["id"], worst["severity"]) == (True, rule, "HIGH")
        source = (EXAMPLES / worst["file"]).read_text(encoding="utf-8")
        line = source.splitlines()[worst["line"] - 1]
        assert line.lstrip().startswith(LINES[kind])
        assert record["error_summary"]["scans"] == [kind]
        assert record["error"].endswith(f"(line {worst['line']}: {message})")
        types = types_of(server, record)
        assert types[-4:] == ["scan", "start", "failure", "finished"]

    return check


#: How the line begins in which each scan finds something.
LINES = {
    "code_analysis": "os.system(",
    "secrets": "password =",
    "dependencies": '#     "requests==2.19.0"',
}


#: What to check, by example, in the order of its commands.
CHECKS: dict[str, list[Callable[[Server, Record], None]]] = {
    "count.py": [check_count],
    "flaky.py": [check_flaky],
    "bounds.py": [check_bounds],
    "report.py": [check_report],
    "baseline.py": [check_saved, check_compared],
    "alarm.py": [check_alarm],
    "price.py": [check_price],
    "memory.py": [check_memory, check_no_memory],
    "steps.py": [check_steps, check_json_steps],
    "surroundings.py": [check_surroundings],
    "endless.py": [check_endless, check_dry_run],
    "sampled.py": [check_sampled],
    "scanned_code.py": [
        check_blocked(
            "code_analysis",
            "B605",
            "Starting a process with a shell, possible injection detected, security issue.",
        )
    ],
    "scanned_secret.py": [
        check_blocked("secrets", "password", "Password in plain text")
    ],
    "scanned_dependencies.py": [
        check_blocked(
            "dependencies",
            "TEST-2019",
            "requests 2.19.0: Sends passwords to strangers",
        )
    ],
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_example_does_what_it_says(server: Server, name: str) -> None:
    commands = list_commands(name)
    assert len(commands) == len(CHECKS[name])
    for command, check in zip(commands, CHECKS[name], strict=True):
        check(server, finish(server, request_of(command)))


def test_every_option_has_an_example() -> None:
    used: set[str] = set()
    for name in CHECKS:
        for command in list_commands(name):
            used |= request_of(command).keys()
    assert set(RunRequest.model_fields) - used == set()


def test_no_example_is_forgotten() -> None:
    names = {path.name for path in EXAMPLES.glob("*.py")}
    # Only a person, or the README, can see that one through.
    assert names - {"stubborn.py"} == set(CHECKS)
