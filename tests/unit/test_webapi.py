"""The API at a glance: one row per line of its endpoint tables, in process.

    python -m pytest tests/unit/test_webapi.py -v

Each endpoint has a file of its own in ``tests/web`` that asks more of it.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from scriptrunner.web.app import create_app
from scriptrunner.web.openapi import describe_api
from tests.web.conftest import UNKNOWN_ID, WAITING, Web, make_settings


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service without a lifespan: the first run starts what is needed."""
    settings = make_settings(tmp_path_factory.mktemp("webapi"))
    app = create_app(settings)
    yield Web(TestClient(app), settings.allowed_roots[0])
    app.state.runtime.close()


@pytest.fixture
def run_id(web: Web, kind: str) -> str:
    """A run of the kind that the row asks for."""
    if kind == "finished":
        return str(web.run(enable_visualizer=True)["id"])
    if kind == "active":
        return web.start(WAITING)
    return UNKNOWN_ID


def has(*keys: str) -> Callable[[Any], bool]:
    return lambda body: set(keys) <= set(body)


def is_list(body: Any) -> bool:
    return isinstance(body, list)


#: Method, path, kind of run, status, what the body must be.
ROWS = [
    # Core
    ("GET", "/api/health", "none", 200, lambda body: body == {"status": "ok"}),
    ("GET", "/api/system/status", "none", 200, has("cpu_load", "memory")),
    ("GET", "/api/settings", "none", 200, has("settings", "count")),
    ("GET", "/api/stats", "none", 200, has("total_runs", "by_status", "success_rate")),
    ("GET", "/api/stats/daily", "none", 200, has("days")),
    ("GET", "/api/stats/attention", "none", 200, has("scripts")),
    ("GET", "/api/me", "none", 200, has("principal", "role", "permissions", "local")),
    ("GET", "/openapi.json", "none", 200, has("openapi", "paths")),
    # Analytics
    ("GET", "/api/analytics/history", "finished", 200, has("items", "count", "days")),
    (
        "GET",
        "/api/analytics/history/stats",
        "finished",
        200,
        has("total_executions", "unique_scripts", "database_file"),
    ),
    ("GET", "/api/analytics/overview", "finished", 200, has("scripts")),
    ("GET", "/api/analytics/metrics", "none", 200, has("metrics")),
    ("GET", "/api/analytics/trends?metric=cpu_max", "finished", 200, has("points")),
    ("GET", "/api/analytics/anomalies?metric=cpu", "none", 200, has("anomalies")),
    ("GET", "/api/analytics/baseline", "finished", 200, has("baseline")),
    ("GET", "/api/analytics/series?metric=memory", "none", 200, has("points", "fit")),
    ("POST", "/api/analytics/export", "finished", 200, is_list),
    ("GET", "/api/analytics/benchmarks", "none", 200, has("benchmarks")),
    ("POST", "/api/analytics/benchmarks", "none", 422, has("detail")),
    ("GET", "/api/analytics/benchmarks/x/regressions", "none", 404, has("detail")),
    ("DELETE", "/api/analytics/cleanup", "none", 200, has("deleted")),
    ("GET", "/api/analytics/retention/preview", "none", 200, has("would_delete")),
    # Runs
    ("GET", "/api/runs", "none", 200, is_list),
    (
        "GET",
        "/api/runs/{id}",
        "finished",
        200,
        has("id", "status", "result", "request"),
    ),
    ("GET", "/api/runs/{id}", "none", 404, has("detail", "code", "request_id")),
    ("POST", "/api/runs/{id}/cancel", "active", 200, has("run_id", "status")),
    ("POST", "/api/runs/{id}/cancel", "finished", 409, has("detail")),
    ("POST", "/api/runs/{id}/cancel", "none", 404, has("detail")),
    (
        "POST",
        "/api/runs/{id}/stop",
        "active",
        200,
        lambda body: body["stopped"] is True,
    ),
    ("POST", "/api/runs/{id}/stop", "finished", 409, has("detail")),
    ("POST", "/api/runs/{id}/stop", "none", 404, has("detail")),
    ("POST", "/api/runs/{id}/kill", "active", 200, lambda body: body["killed"] is True),
    ("POST", "/api/runs/{id}/kill", "finished", 409, has("detail")),
    ("POST", "/api/runs/{id}/kill", "none", 404, has("detail")),
    (
        "POST",
        "/api/runs/{id}/restart",
        "finished",
        202,
        has("run_id", "restarted_from"),
    ),
    ("POST", "/api/runs/{id}/restart", "none", 404, has("detail")),
    ("GET", "/api/runs/{id}/events", "finished", 200, is_list),
    ("GET", "/api/runs/{id}/events", "none", 404, has("detail")),
    ("GET", "/api/runs/{id}/visualization", "finished", 200, has("header", "steps")),
    ("GET", "/api/runs/{id}/visualization", "none", 404, has("detail")),
    (
        "DELETE",
        "/api/runs/{id}",
        "finished",
        200,
        lambda body: body == {"success": True},
    ),
    ("DELETE", "/api/runs/{id}", "active", 400, has("detail")),
    ("DELETE", "/api/runs/{id}", "none", 404, has("detail")),
    ("GET", "/api/runs/{id}/outputs", "finished", 200, is_list),
    ("GET", "/api/runs/{id}/outputs/x", "finished", 404, has("detail")),
    ("GET", "/api/runs/{id}/samples", "finished", 200, has("t", "cpu", "rss_mb")),
    ("GET", "/api/runs/{id}/samples", "none", 404, has("detail")),
    ("GET", "/api/runs/{id}/request", "finished", 200, has("request", "masked")),
    (
        "GET",
        "/api/runs/{id}/compare/{other_id}",
        "finished",
        200,
        has("options", "metrics"),
    ),
    ("GET", "/api/runs/{id}/script/tokens", "finished", 200, has("lines", "language")),
    ("GET", "/api/runs/{id}/logs/lines", "finished", 200, has("lines", "total")),
    ("GET", "/api/runs/{id}/logs/search?q=x", "finished", 200, has("matches", "next")),
    ("GET", "/api/runs/{id}/logs", "none", 404, has("detail")),
    ("GET", "/api/runs/{id}/script", "none", 404, has("detail")),
    ("GET", "/api/runs/{id}/logs/stream", "none", 404, has("detail")),
    ("GET", "/api/stream", "none", 422, has("detail")),
    # Scheduler
    ("GET", "/api/scheduler/tasks", "none", 200, has("tasks", "count")),
    ("GET", "/api/scheduler/tasks/{task_id}", "none", 404, has("detail")),
    ("PATCH", "/api/scheduler/tasks/{task_id}", "none", 422, has("detail")),
    ("DELETE", "/api/scheduler/tasks/{task_id}", "none", 404, has("detail")),
    ("POST", "/api/scheduler/tasks/{task_id}/run", "none", 404, has("detail")),
    ("POST", "/api/scheduler/tasks/{task_id}/pause", "none", 404, has("detail")),
    ("POST", "/api/scheduler/tasks/{task_id}/resume", "none", 404, has("detail")),
    ("GET", "/api/scheduler/tasks/{task_id}/why", "none", 404, has("detail")),
    ("GET", "/api/scheduler/tasks/{task_id}/fires", "none", 404, has("detail")),
    ("GET", "/api/scheduler/due", "none", 200, has("due_tasks", "count")),
    ("GET", "/api/scheduler/events", "none", 200, is_list),
    ("POST", "/api/scheduler/events/deploy", "none", 200, has("event", "runs")),
    ("POST", "/api/scheduler/events/{event_name}", "none", 422, has("detail")),
    ("POST", "/api/scheduler/preview", "none", 422, has("detail")),
    ("GET", "/api/scheduler/graph", "none", 200, has("nodes", "edges")),
    ("GET", "/api/scheduler/calendar", "none", 200, has("fires", "truncated")),
    ("POST", "/api/scheduler/import", "none", 422, has("detail")),
    ("POST", "/api/scheduler/import/crontab", "none", 422, has("detail")),
    # Library
    ("GET", "/api/alerts", "none", 200, is_list),
    ("GET", "/api/alerts/channels", "none", 200, is_list),
    ("GET", "/api/alerts/check", "none", 422, has("detail")),
    ("POST", "/api/alerts/channels/x/test", "none", 404, has("detail")),
    ("POST", "/api/alerts/{alert_id}/acknowledge", "none", 422, has("detail")),
    ("GET", "/api/alerts/mutes", "none", 200, is_list),
    ("POST", "/api/alerts/mutes", "none", 422, has("detail")),
    ("DELETE", "/api/alerts/mutes/{mute_id}", "none", 422, has("detail")),
    ("GET", "/api/library/folder-roots", "none", 200, is_list),
    ("GET", "/api/library/scripts", "none", 200, has("items", "total", "page")),
    ("GET", "/api/library/tags", "none", 200, is_list),
    ("GET", "/api/library/duplicates", "none", 200, is_list),
    ("GET", "/api/library/stats", "none", 200, has("total_scripts", "by_language")),
    ("GET", "/api/library/tree", "none", 422, has("detail")),
    ("GET", "/api/fs", "none", 200, has("roots", "folders", "files")),
    ("POST", "/api/library/folder-roots", "none", 422, has("detail")),
    ("POST", "/api/library/tags", "none", 422, has("detail")),
    ("POST", "/api/library/scripts/tags", "none", 422, has("detail")),
    # What is named by a number: another word is none.
    *(
        (method, f"/api/library/{path}", "none", 422, has("detail"))
        for method, path in (
            ("PATCH", "folder-roots/{root_id}"),
            ("DELETE", "folder-roots/{root_id}"),
            ("POST", "folder-roots/{root_id}/scan"),
            ("GET", "folder-roots/{root_id}/scans"),
            ("GET", "folder-roots/{root_id}/scan/{scan_id}"),
            ("POST", "folder-roots/{root_id}/scan/{scan_id}/cancel"),
            ("GET", "scripts/{script_id}"),
            ("GET", "scripts/{script_id}/content"),
            ("GET", "scripts/{script_id}/tokens"),
            ("PUT", "scripts/{script_id}/status"),
            ("GET", "scripts/{script_id}/notes"),
            ("GET", "scripts/{script_id}/versions"),
            ("GET", "scripts/{script_id}/versions/{sha256}"),
            ("GET", "scripts/{script_id}/diff"),
            ("GET", "scripts/{script_id}/compare/{other_id}"),
            ("GET", "scripts/{script_id}/runs"),
            ("POST", "scripts/{script_id}/run"),
            ("POST", "scripts/{script_id}/tags/{tag_id}"),
            ("DELETE", "scripts/{script_id}/tags/{tag_id}"),
            ("PATCH", "tags/{tag_id}"),
            ("DELETE", "tags/{tag_id}"),
        )
    ),
    # Access
    ("GET", "/api/tokens", "none", 200, has("tokens", "count")),
    ("DELETE", "/api/tokens/{token_id}", "none", 404, has("detail")),
    ("GET", "/api/audit", "none", 200, has("items", "count", "next_before")),
]


@pytest.mark.parametrize(("method", "path", "kind", "status", "is_right"), ROWS)
def test_endpoint(web, run_id, method, path, status, is_right):
    path = path.replace("{id}", run_id).replace("{other_id}", run_id)
    answer = web.client.request(method, path)
    assert answer.status_code == status, answer.text
    assert is_right(answer.json())
    web.client.post(f"/api/runs/{run_id}/kill")


#: Path below a finished run, media type, a piece of the text.
TEXTS = [
    ("/logs", "text/plain; charset=utf-8", "hello\n"),
    ("/script", "text/plain; charset=utf-8", "print('hello')\n"),
    ("/logs/stream", "text/event-stream; charset=utf-8", "event: end\n"),
]


@pytest.mark.parametrize(("path", "media_type", "text"), TEXTS)
def test_text_endpoint(web, path, media_type, text):
    answer = web.client.get(f"/api/runs/{web.run()['id']}{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert text in answer.text


def test_token(web):
    answer = web.client.post("/api/tokens", json={"name": "build server"})
    assert (answer.status_code, answer.json()["name"]) == (201, "build server")


def test_run(web):
    answer = web.client.post("/api/run", json={"script_path": web.write("print(1)")})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert web.finish(answer.json()["run_id"])["status"] == "completed"


def test_upload(web):
    files = {"file": ("up.py", b"print('up')\n")}
    answer = web.client.post("/api/run/upload", files=files, data={"args": "a,b"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    record = web.finish(answer.json()["run_id"])
    assert record["result"]["stdout"] == "up\n"
    assert record["request"]["args"] == ["a", "b"]


def test_bulk_delete(web):
    run_id = web.run()["id"]
    answer = web.client.request("DELETE", "/api/runs", json=[run_id, UNKNOWN_ID])
    assert answer.json() == {
        "deleted": 1,
        "skipped": [{"id": UNKNOWN_ID, "reason": "not_found"}],
    }


def test_task(web):
    body = {"task_id": "t", "script_path": web.write("print(1)"), "schedule": "daily"}
    answer = web.client.post("/api/scheduler/tasks", json=body)
    assert answer.status_code == 201
    assert answer.json()["message"] == "Task registered"
    started = web.client.post("/api/scheduler/tasks/t/run").json()
    assert web.finish(started["run_id"])["task_id"] == "t"
    assert "task_id: t" in web.client.get("/api/scheduler/export").text


def test_dashboard(web):
    answer = web.client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "Script Runner" in answer.text


def test_every_operation_has_a_row():
    document = describe_api(create_app())
    operations = {
        (method.upper(), path.replace("{run_id}", "{id}").replace("{name}", "x"))
        for path, methods in document["paths"].items()
        for method in methods
    }
    rows = {(row[0], row[1].partition("?")[0]) for row in ROWS}
    rows |= {("GET", f"/api/runs/{{id}}{path}") for path, _, _ in TEXTS}
    rows |= {("POST", "/api/run"), ("POST", "/api/run/upload"), ("DELETE", "/api/runs")}
    rows |= {("GET", "/"), ("POST", "/api/csp-report"), ("POST", "/api/tokens")}
    rows |= {("POST", "/api/scheduler/tasks"), ("GET", "/api/scheduler/export")}
    assert operations <= rows, operations - rows
