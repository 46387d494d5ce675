"""``/api/scheduler``: tasks that start scripts by themselves, events, what is due and why."""

import asyncio
import itertools
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from scriptrunner.access.models import Caller, Role
from tests.web.asgi import open_stream
from tests.web.conftest import WAITING, Web, check_error, wait_for

PAYLOAD = "import os; print(os.environ['SCRIPT_RUNNER_EVENT_PAYLOAD'])\n"
numbers = itertools.count(1)


@pytest.fixture
def script(web: Web) -> str:
    return web.write("print('task')\n", "task.py")


@pytest.fixture
def name() -> str:
    return f"task-{next(numbers)}"


def add(web: Web, name: str, script: str, **fields: Any) -> dict[str, Any]:
    body = {"task_id": name, "script_path": script, **fields}
    answer = web.client.post("/api/scheduler/tasks", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def get(web: Web, name: str) -> dict[str, Any]:
    answer = web.client.get(f"/api/scheduler/tasks/{name}")
    assert answer.status_code == 200, answer.text
    task: dict[str, Any] = answer.json()
    return task


def faults(web: Web, body: dict[str, Any]) -> list[dict[str, Any]]:
    error = web.error("POST", "/api/scheduler/tasks", 422, json=body)
    found: list[dict[str, Any]] = error["detail"]
    return found


def test_a_new_task_tells_its_next_times(web, script, name):
    made = add(web, name, script, cron_expr="0 2 * * 1-5", timezone="Europe/Berlin")
    assert made["message"] == "Task registered"
    assert made["script_path"] == script
    assert len(made["next_runs"]) == 5
    assert made["next_run"] == made["next_runs"][0]
    task = get(web, name)
    assert task["next_run"] == made["next_run"]
    assert (task["state"], task["last_run"], task["run_count"]) == (
        "scheduled",
        None,
        0,
    )
    listed = web.client.get("/api/scheduler/tasks", params={"q": name}).json()
    assert [each["task_id"] for each in listed["tasks"]] == [name]
    assert listed["count"] == 1


def test_the_service_runs_a_due_task_by_itself(web, script, name):
    add(web, name, script, schedule="every 1 second", run_options={"timeout": 30})
    task = wait_for(lambda: get(web, name), lambda t: t["last_status"] == "success")
    web.client.post(f"/api/scheduler/tasks/{name}/pause")
    run = web.client.get("/api/runs", params={"task_id": name}).json()[-1]
    assert (run["trigger"], run["task_id"]) == ("schedule", name)
    assert run["fire_time"] >= task["created_at"]
    fires = web.client.get(f"/api/scheduler/tasks/{name}/fires").json()["fires"]
    assert fires[-1]["run_id"] == run["id"]
    assert fires[-1]["state"] == "started"


def test_a_downstream_task_fires_when_its_dependency_has_succeeded(web, script, name):
    down = f"{name}-down"
    add(web, name, script)
    add(web, down, script, dependencies=[name])
    web.client.post(f"/api/scheduler/tasks/{name}/run")
    task = wait_for(lambda: get(web, down), lambda t: t["last_status"] == "success")
    assert task["run_count"] == 1


def test_an_event_brings_its_payload_to_the_scripts(web, name):
    add(web, name, web.write(PAYLOAD), events=[name])
    answer = web.client.post(
        f"/api/scheduler/events/{name}", json={"payload": {"tag": "v1"}}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["triggered_tasks"] == [name]
    record = web.finish(body["runs"][0]["run_id"])
    assert record["result"]["stdout"] == '{"tag": "v1"}\n'
    assert (record["trigger"], record["event"]) == ("event", name)
    events = web.client.get("/api/scheduler/events").json()
    assert [e["tasks"] for e in events if e["event"] == name] == [[name]]
    # The same run once more gets the same payload.
    again = web.client.post(f"/api/runs/{record['id']}/restart").json()["run_id"]
    assert web.finish(again)["result"]["stdout"] == '{"tag": "v1"}\n'


def test_an_event_nobody_listens_to_starts_nothing(web):
    answer = web.client.post("/api/scheduler/events/nobody")
    assert answer.status_code == 200
    assert answer.json() == {
        "event": "nobody",
        "triggered_tasks": [],
        "runs": [],
        "waiting": [],
        "skipped": [],
    }


def test_a_repeated_event_is_answered_once(web, script, name):
    add(web, name, script, events=[name])
    headers = {"Idempotency-Key": name}
    path = f"/api/scheduler/events/{name}"
    first, second = (web.client.post(path, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    other = web.error("POST", path, 409, headers=headers, json={"payload": 1})
    assert other["code"] == "idempotency_conflict"


def test_a_run_by_hand(web, script, name):
    add(web, name, script, enabled=False)
    headers = {"Idempotency-Key": f"run-{name}"}
    path = f"/api/scheduler/tasks/{name}/run"
    first, second = (web.client.post(path, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["status"]) == (202, "queued")
    assert first.json() == {**second.json()}
    web.finish(first.json()["run_id"])
    task = get(web, name)
    assert (task["run_count"], task["last_status"]) == (1, "success")
    assert task["last_run_id"] == first.json()["run_id"]


def test_a_fire_replaces_the_active_run_if_the_task_says_so(web, name):
    fields = {"overlap_policy": "cancel_running", "events": [name]}
    add(web, name, web.write(WAITING), **fields)
    path = f"/api/scheduler/events/{name}"
    first = web.client.post(path).json()["runs"][0]["run_id"]
    web.wait_until(first, lambda run: bool((run["live"] or {}).get("stdout_bytes")))
    second = web.client.post(path).json()["runs"][0]["run_id"]
    assert web.finish(first)["status"] == "cancelled"
    web.wait_until(second, lambda run: run["status"] == "running")
    web.client.post(f"/api/runs/{second}/kill")


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"schedule": "every 0 minutes"}, "schedule", "the step must be at least 1"),
        ({"schedule": "x" * 10_240}, "schedule", "at most 100 characters"),
        ({"cron_expr": "0 25 * * *"}, "cron_expr", "The field hour ('25')"),
        ({"cron_expr": "0 0 31 2 *"}, "cron_expr", "never occurs"),
        ({"cron_expr": "* * * * * *"}, "cron_expr", "five fields"),
        ({"cron_expr": "@daily", "schedule": "daily"}, "cron_expr", "only one of"),
        ({"timezone": "Mars/Phobos"}, "timezone", "is not an IANA time zone"),
        ({"timezone": "../etc/passwd"}, "timezone", "is not an IANA time zone"),
        ({"dependencies": ["nope"]}, "dependencies", "there is no task nope"),
        ({"events": ["a b"]}, "events", "is no name of an event"),
        ({"overlap_policy": "maybe"}, "overlap_policy", "Input should be"),
        ({"misfire_grace_seconds": -1}, "misfire_grace_seconds", "greater than"),
        ({"max_runs": 0}, "max_runs", "greater than"),
        ({"run_at": "2001-01-01"}, "run_at", "leaves no time"),
        ({"start_at": "soon"}, "start_at", "a time such as"),
        ({"every": 5}, "every", "not permitted"),
        ({"run_options": {"timeout": "5"}}, "run_options", "valid integer"),
        ({"run_options": {"args": []}}, "run_options", "use script_args"),
        ({"run_options": {"tiemout": 5}}, "run_options", "not permitted"),
    ],
)
def test_bad_input_is_named(web, script, fields, place, words):
    (found,) = faults(web, {"task_id": "bad", "script_path": script, **fields})
    assert found["loc"][:2] == ["body", place]
    assert words in found["msg"]


def test_all_faults_come_at_once(web, script):
    body = {"task_id": "-", "script_path": script, "cron_expr": "x", "timezone": "y"}
    assert len(faults(web, body)) == 3


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("missing.py", "script_missing"),
        ("/etc/passwd", "script_outside_root"),
        ("notes.txt", "not_python"),
    ],
)
def test_a_script_that_could_not_run_is_refused(web, path, code):
    web.write("x", "notes.txt")
    body = {"task_id": "bad", "script_path": path}
    error = web.error("POST", "/api/scheduler/tasks", 400, json=body)
    assert error["code"] == code


def test_an_id_is_taken(web, script, name):
    add(web, name, script)
    body = {"task_id": name, "script_path": script}
    error = web.error("POST", "/api/scheduler/tasks", 409, json=body)
    assert (error["code"], error["detail"]) == ("task_exists", "Task ID already exists")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/run"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("GET", "/why"),
        ("GET", "/fires"),
    ],
)
def test_an_unknown_task(web, method, path):
    options: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
    error = web.error(method, f"/api/scheduler/tasks/no%20such{path}", 404, **options)
    assert (error["code"], error["detail"]) == ("task_not_found", "Task not found")


def test_changing_pausing_and_resuming(web, script, name):
    add(web, name, script, schedule="hourly")
    path = f"/api/scheduler/tasks/{name}"
    task = web.client.patch(path, json={"cron_expr": "@daily", "schedule": None}).json()
    assert (task["schedule"], task["cron_expr"]) == (None, "@daily")
    assert task["next_run"].endswith("T00:00:00.000000Z")
    error = web.error("PATCH", path, 422, json={"task_id": "other"})
    assert error["detail"][0]["loc"] == ["body", "task_id"]
    web.error("POST", f"{path}/pause", 422, json={"reason": "\0"})
    paused = web.client.post(f"{path}/pause", json={"reason": "holiday"}).json()
    assert (paused["state"], paused["paused_reason"]) == ("paused", "holiday")
    # What it would be; a schedule always has a next time.
    assert paused["next_run"] == task["next_run"]
    resumed = web.client.post(f"{path}/resume").json()
    assert (resumed["state"], resumed["paused_reason"]) == ("scheduled", None)


def test_a_cycle_is_named(web, script, name):
    add(web, name, script)
    add(web, f"{name}b", script, dependencies=[name])
    path = f"/api/scheduler/tasks/{name}"
    error = web.error("PATCH", path, 422, json={"dependencies": [f"{name}b"]})
    assert f"cycle: {name} -> {name}b -> {name}" in error["detail"][0]["msg"]


def test_deleting_names_those_that_wait(web, name):
    script = web.write(WAITING)
    add(web, name, script)
    add(web, f"{name}b", script, dependencies=[name])
    run_id = web.client.post(f"/api/scheduler/tasks/{name}/run").json()["run_id"]
    answer = web.client.delete(f"/api/scheduler/tasks/{name}")
    assert answer.json() == {"success": True, "disabled_dependents": [f"{name}b"]}
    assert get(web, f"{name}b")["state"] == "paused"
    # Active runs go on, and their records stay.
    assert web.get(run_id)["status"] in ("queued", "running")
    web.client.post(f"/api/runs/{run_id}/kill")


def test_why_graph_due_and_calendar(web, script, name):
    add(web, name, script)
    add(web, f"{name}b", script, dependencies=[name], events=[f"{name}-go"])
    fired = web.client.post(f"/api/scheduler/events/{name}-go").json()
    assert fired["waiting"] == [f"{name}b"]
    why = web.client.get(f"/api/scheduler/tasks/{name}b/why").json()
    assert why["waiting_for"] == [{"task_id": name, "reason": "has not run yet"}]
    assert why["last_decision"]["state"] == "waiting"
    assert "waits" in why["summary"]
    due = web.client.get("/api/scheduler/due").json()
    (task,) = [each for each in due["due_tasks"] if each["task_id"] == f"{name}b"]
    assert task["waiting_for"] == [name]
    graph = web.client.get("/api/scheduler/graph").json()
    edge = {"from": name, "to": f"{name}b", "is_met": False, "is_missing": False}
    assert edge in graph["edges"]
    calendar = web.client.get("/api/scheduler/calendar").json()
    assert set(calendar) == {"since", "until", "fires", "truncated"}
    web.error("GET", "/api/scheduler/calendar?since=2026-01-01&until=2027-01-01", 422)


def test_a_preview_stores_nothing(web):
    body = {"cron_expr": "30 2 * * *", "timezone": "Europe/Berlin"}
    before = web.client.get("/api/scheduler/tasks").json()["count"]
    answer = web.client.post("/api/scheduler/preview", json=body).json()
    assert len(answer["next_runs"]) == len(answer["local"]) == 10
    assert len(answer["warnings"]) == 2
    assert web.client.get("/api/scheduler/tasks").json()["count"] == before
    error = web.error("POST", "/api/scheduler/preview", 422, json={"schedule": "x"})
    assert error["detail"][0]["loc"] == ["body", "schedule"]


def test_tasks_go_out_and_come_in_as_yaml(web, script, name):
    options = {"env_vars": {"API_KEY": "hunter22"}}
    add(web, name, script, schedule="daily", run_options=options)
    answer = web.client.get("/api/scheduler/export")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert "hunter22" not in answer.text
    tasks = yaml.safe_load(answer.text)["tasks"]
    (mine,) = [each for each in tasks if each["task_id"] == name]
    assert mine == {
        "task_id": name,
        "script_path": script,
        "schedule": "daily",
        "run_options": {"env_vars": {"API_KEY": "***"}},
    }
    text = yaml.safe_dump({"tasks": [{**mine, "description": "back"}]})
    brought = web.client.post("/api/scheduler/import", json={"text": text}).json()
    assert [each["task_id"] for each in brought["skipped"]] == [name]
    body = {"text": text, "replace": True}
    brought = web.client.post("/api/scheduler/import", json=body).json()
    assert brought["updated"] == [name]
    assert get(web, name)["description"] == "back"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: [", "Not YAML"),
        ("tasks: !!python/object/apply:os.system [id]", "Not YAML"),
        ("a: &a [x]\ntasks: *a", "aliases"),
        ("tasks:\n- task_id: x", "Field required"),
        ("[]", "valid dictionary"),
        ("{" * 200_000, "deeper than"),
        ("tasks: [" + "[" * 40 + "]" * 41, "deeper than"),
        ("tasks: []\ntasks: []", "'tasks' twice in line 2"),
        ("tasks:\n- {task_id: x, task_id: y}", "'task_id' twice in line 2"),
        ("tasks: 2027-13-45", "month must be in 1..12"),
        ("tasks: " + "9" * 5_000, "Not YAML"),
        ("tasks: !!bool maybe", "Not YAML"),
        ("tasks: !!int ''", "Not YAML"),
        ("tasks: !!timestamp soon", "Not YAML"),
    ],
)
def test_a_bad_file_is_refused(web, text, words):
    error = web.error("POST", "/api/scheduler/import", 422, json={"text": text})
    assert words in str(error["detail"])


def test_a_crontab_becomes_tasks(web, name):
    web.write("print(1)", f"{name}.py")
    text = f"*/5 * * * * python3 {name}.py -v\n@reboot python3 x.py\n"
    body = {"text": text, "timezone": "Europe/Berlin", "dry_run": True}
    looked = web.client.post("/api/scheduler/import/crontab", json=body).json()
    assert (looked["created"], looked["dry_run"]) == ([name], True)
    assert looked["skipped"][0]["line"] == 2
    web.client.post("/api/scheduler/import/crontab", json={**body, "dry_run": False})
    task = get(web, name)
    assert (task["cron_expr"], task["timezone"]) == ("*/5 * * * *", "Europe/Berlin")


def test_a_token_of_an_event_fires_that_event_alone(web, script, name):
    add(web, name, script, events=[name])
    request = {"name": "ci", "role": "event", "event": name}
    token = web.client.post("/api/tokens", json=request).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    fired = web.client.post(f"/api/scheduler/events/{name}", headers=headers)
    assert fired.json()["triggered_tasks"] == [name]
    for method, path in (
        ("POST", "/api/scheduler/events/other"),
        ("POST", f"/api/scheduler/tasks/{name}/run"),
        ("GET", "/api/scheduler/tasks"),
        ("GET", "/api/runs"),
    ):
        refused = web.client.request(method, path, headers=headers)
        assert refused.status_code == 403, path
        check_error(refused)
    wrong = {"name": "ci", "role": "event"}
    web.error("POST", "/api/tokens", 422, json=wrong)


def test_a_caller_without_the_right_is_refused(web, script, monkeypatch):
    nobody = Caller(principal="n", role=Role.NONE, is_local=True, peer="in-process")
    monkeypatch.setattr(
        "scriptrunner.access.protection._make_local", lambda *_, **__: nobody
    )
    body = {"task_id": "x", "script_path": script}
    assert web.client.post("/api/scheduler/tasks", json=body).status_code == 403
    assert web.client.get("/api/scheduler/tasks").status_code == 403
    assert web.client.post("/api/scheduler/events/x").status_code == 403


def test_the_stream_tells_every_change_of_tasks(web, script, name):
    async def scenario() -> None:
        async with open_stream(web.app, "/api/stream?topic=tasks") as stream:
            await asyncio.to_thread(add, web, name, script)
            path = f"/api/scheduler/tasks/{name}"
            told = await next_of(stream, name)
            assert (told["topic"], told["run_count"]) == ("tasks", 0)
            await asyncio.to_thread(web.client.post, f"{path}/run")
            while told["last_status"] != "success":
                told = await next_of(stream, name)
            await asyncio.to_thread(web.client.delete, path)
            while name not in (await stream.next("deleted")).data["ids"]:
                pass

    async def next_of(stream: Any, task_id: str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = (await stream.next("task")).data
            if message["task_id"] == task_id:
                return message

    asyncio.run(scenario())


def test_tasks_survive_a_restart_of_the_service(tmp_path):
    from scriptrunner.web.app import create_app  # noqa: PLC0415
    from tests.web.conftest import make_settings  # noqa: PLC0415

    settings = make_settings(tmp_path)
    (settings.allowed_roots[0] / "s.py").write_text("print(1)")
    body = {"task_id": "t", "script_path": "s.py", "schedule": "hourly"}
    for expected in (201, 409):
        app = create_app(settings)
        client = TestClient(app)
        assert client.post("/api/scheduler/tasks", json=body).status_code == expected
        app.state.runtime.close()
