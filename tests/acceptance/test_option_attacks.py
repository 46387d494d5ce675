"""Attacks by what a run may be asked for besides its script, and by who asks for it."""

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.acceptance.conftest import make_token
from tests.server import Server, wait_for

WEBHOOK = "https://hooks.slack.com/services/T1/B1/swordfish-hook"
SECRET = "swordfish-value"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
#: Bytes of an output that is larger than what a worker may grow by.
LARGE = 256 << 20
MAX_WORKER_BYTES = 150 << 20


@pytest.fixture(scope="module")
def hello(server: Server) -> str:
    return str(server.write_script("hello.py", "print('hello')\n"))


@pytest.fixture(scope="module")
def narrow(server: Server) -> Iterator[httpx.Client]:
    """Somebody whose token fires one event and does nothing else."""
    token = make_token(server, "--event", "deploy")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/runs"),
        ("GET", "/api/library/tags"),
        ("GET", "/api/scheduler/tasks"),
        ("POST", "/api/run"),
        ("POST", "/api/run/upload"),
        *(
            ("POST", f"/api/runs/{UNKNOWN_ID}/{action}")
            for action in ("cancel", "stop", "kill", "restart")
        ),
        ("DELETE", f"/api/runs/{UNKNOWN_ID}"),
        ("DELETE", "/api/runs"),
        ("POST", "/api/library/folder-roots"),
        ("DELETE", "/api/library/folder-roots/1"),
        ("POST", "/api/library/folder-roots/1/scan"),
        ("PUT", "/api/library/scripts/1/status"),
        ("POST", "/api/library/scripts/1/run"),
        ("POST", "/api/library/tags"),
        ("DELETE", "/api/library/tags/1"),
        ("POST", "/api/library/scripts/1/tags/1"),
        ("POST", "/api/scheduler/tasks"),
        ("DELETE", "/api/scheduler/tasks/x"),
        ("POST", "/api/scheduler/tasks/x/run"),
        ("POST", "/api/scheduler/events/deploy2"),
        ("POST", "/api/analytics/benchmarks"),
        ("DELETE", "/api/analytics/cleanup"),
    ],
)
def test_16_narrow_tokens_open_nothing_else(
    narrow: httpx.Client, method: str, path: str
) -> None:
    answer = narrow.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_16_narrow_tokens_do_what_they_are_for(narrow: httpx.Client) -> None:
    assert narrow.post("/api/scheduler/events/deploy").status_code == 200


@pytest.mark.parametrize("place", ["shared", "shared/x.py"])
def test_26_scripts_that_others_can_change_come_with_a_warning(
    server: Server, place: str
) -> None:
    script = server.write_script("shared/x.py", "print(1)\n")
    changed = server.root / place
    mode = changed.stat().st_mode
    changed.chmod(mode | 0o020)
    record = server.wait_finished(server.submit(script))
    changed.chmod(mode)
    assert record["status"] == "completed"
    assert record["warnings"] == [f"Other users can change '{place}'"]


@pytest.mark.parametrize(
    ("pattern", "status"),
    [
        ("(a+)+$", 201),
        ("*a" * 100 + "b", 201),
        ("**/" * 60 + "x", 201),
        (",".join(f"p{number}" for number in range(10_000)), 422),
    ],
)
def test_31_patterns_are_no_regular_expressions(
    server: Server, tmp_path: Path, pattern: str, status: int
) -> None:
    folder = tmp_path / ("a" * 200)
    folder.mkdir()
    (folder / ("a" * 200 + ".py")).write_text("print(1)\n")
    roots = "/api/library/folder-roots"
    body = {"path": str(tmp_path), "name": "r", "include_patterns": pattern}
    answer = server.client.post(roots, json=body)
    assert answer.status_code == status, answer.text
    if status != 201:
        return
    root = f"{roots}/{answer.json()['id']}"
    scan = f"{root}/scan/{server.client.post(f'{root}/scan').json()['scan_id']}"

    def is_over() -> bool:
        found: str = server.client.get(scan).json()["status"]
        return found != "running"

    wait_for(is_over, seconds=5.0, what="the end of the scan")
    server.client.delete(root)


def test_41_webhook_and_secrets_are_shown_nowhere(server: Server) -> None:
    rule = {"name": "any", "condition": "true", "channels": ["slack", "log"]}
    record = server.run(
        "import os; print(os.environ['MY_TOKEN'])\n",
        name="secret.py",
        env_vars={"MY_TOKEN": SECRET},
        slack_webhook=WEBHOOK,
        alerts=[rule],
        stream_output=True,
        enable_visualizer=True,
        junit_output="r.xml",
    )
    assert record["request"]["slack_webhook"] == "https://hooks.slack.com/***"
    run = f"/api/runs/{record['id']}"
    again = server.client.post(f"{run}/restart").json()["run_id"]
    assert server.wait_finished(again)["result"]["stdout"] == "*" * len(SECRET) + "\n"

    def is_tried() -> bool:
        events = server.client.get(f"{run}/events").json()
        return any(each["event_type"] == "alert_delivery" for each in events)

    wait_for(is_tried, what="a try to deliver the alert")
    parts = ("", "/events", "/logs", "/visualization", "/outputs/r.xml", "/script")
    paths = [*(run + part for part in parts), "/api/runs", "/api/alerts", "/api/audit"]
    shown = [server.client.get(path).text for path in paths]
    shown += [server.read_log(), (server.data_dir / "supervisor.log").read_text()]
    for text in shown:
        assert "swordfish" not in text
    bad = {"script_path": "x.py", "slack_webhook": WEBHOOK + "\n", "timeout": "x"}
    assert "swordfish" not in server.client.post("/api/run", json=bad).text


def test_49_cells_of_an_export_are_no_formulas(server: Server) -> None:
    server.run("print(1)\n", name="=cmd|'.py")
    answer = server.client.post("/api/analytics/export", json={"format": "csv"})
    disposition = answer.headers["content-disposition"]
    assert disposition == 'attachment; filename="metrics_export.csv"'
    rows = list(csv.reader(answer.text.splitlines()))
    assert len(rows) > 1
    for cell in (cell for row in rows for cell in row):
        assert cell[:1] not in {"=", "@", "+", "\t", "\r"}


def test_50_readers_of_a_large_log_do_not_make_workers_large(server: Server) -> None:
    record = server.run(f"import os; os.truncate(1, {LARGE})\n", name="large.py")
    run = f"/api/runs/{record['id']}"
    assert record["attempts"][0]["stdout_bytes"] == LARGE
    assert len(record["result"]["stdout"]) <= 64 << 10
    answers = []
    for _ in range(20):
        request = server.client.build_request("GET", f"{run}/logs")
        answer = server.client.send(request, stream=True)
        answers.append((answer, answer.iter_bytes()))
    try:
        assert all(next(chunks) for _, chunks in answers)
        worker = psutil.Process(server.pid).memory_info().rss
        assert worker < MAX_WORKER_BYTES
    finally:
        for answer, _ in answers:
            answer.close()
    assert server.client.delete(run).status_code == 200


@pytest.mark.parametrize(
    "name", ["..", "a/b", "a%2Fb", "a%0Aforged", "a%00b", "x" * 10_000, "%F0%9F%92%A9"]
)
def test_51_names_of_events_and_tasks_are_plain(
    server: Server, hello: str, name: str
) -> None:
    for path in ("events/{}", "tasks/{}/run"):
        answer = server.client.post(f"/api/scheduler/{path.format(name)}")
        assert answer.status_code in {404, 405, 414, 422}, answer.text
    body = {"task_id": name.replace("%0A", "\n"), "script_path": hello}
    answer = server.client.post("/api/scheduler/tasks", json=body)
    assert answer.status_code == 422
    assert not [each for each in server.read_log().splitlines() if each == "forged"]


def remove_all(folder: str) -> str:
    return f"import shutil; shutil.rmtree({folder})\n"


def empty_all(folder: str) -> str:
    return (
        "import glob, os\n"
        f"for name in glob.glob({folder} + '/*.*'):\n    open(name, 'w').close()\n"
    )


@pytest.mark.parametrize("harm", [remove_all, empty_all])
def test_55_script_that_harms_its_own_run_harms_no_other(
    server: Server, hello: str, harm: Callable[[str], str]
) -> None:
    options: dict[str, Any] = {
        "junit_output": "r.xml",
        "save_baseline": "b.json",
        "retry_on_failure": True,
        "retry_initial_delay": 0,
    }
    count = server.folder / harm.__name__
    text = f"open({str(count)!r}, 'a').write('x')\n"
    text += harm("__import__('os').environ['WEBAPI_RUN_DIR']")
    record = server.run(text, name="harm.py", **options)
    assert record["status"] in {"completed", "failed"}
    assert count.read_text() == "x"
    assert [each["n"] for each in record["attempts"]] == [1]
    run = f"/api/runs/{record['id']}"
    for part in ("", "/events", "/logs", "/outputs", "/samples"):
        assert server.client.get(run + part).status_code == 200, part
    assert server.wait_finished(server.submit(hello))["status"] == "completed"
    assert server.client.delete(run).status_code == 200
    assert not os.path.lexists(server.data_dir / "runs" / record["id"])
