"""Options of a run over HTTP: what is shown of them, and of what they have left."""

import json

from junitparser import JUnitXml

GATE = {"metric": "cpu", "max_value": 1e9}
BAD = {"metric": "exit_code", "min_value": 1}
HOOK = "https://hooks.slack.com/services/T000/B000/very-secret"


def test_a_run_with_everything_tells_of_everything(web):
    record = web.run(
        "print('hello')\n",
        performance_gates=[GATE, BAD],
        junit_output="ci/r.xml",
        save_baseline="base.json",
        load_baseline="none.json",
        enable_cost_tracking=True,
        enable_visualizer=True,
    )
    assert (record["status"], record["run_status"]) == ("failed", "success")
    assert (record["reason"], record["error"]) == ("gates", "1 of 2 gates failed")
    assert record["request"]["performance_gates"][0] == {
        "metric": "cpu",
        "max_value": 1e9,
        "min_value": None,
    }
    result = record["result"]
    assert [each["metric"] for each in result["performance_gates_results"]] == [
        "cpu_max",
        "exit_code",
    ]
    assert result["cost"]["cost"]["total"] == result["metrics"]["cost_total"] > 0
    assert result["baseline_saved"] is None
    assert result["baseline_load_error"]
    assert record["error_summary"] == result["error_summary"]
    events = web.client.get(f"/api/runs/{record['id']}/events").json()
    assert [event["event_type"] for event in events][-6:] == [
        "cost",
        "gates",
        "baseline",
        "baseline",
        "junit",
        "finished",
    ]
    (output,) = web.client.get(f"/api/runs/{record['id']}/outputs").json()
    assert output == record["outputs"][0]
    answer = web.client.get(f"/api/runs/{record['id']}/outputs/{output['name']}")
    assert answer.headers["content-disposition"] == 'attachment; filename="r.xml"'
    assert len(answer.content) == output["size"]
    (suite,) = JUnitXml.fromstring(answer.content)
    assert (suite.tests, suite.failures) == (3, 1)
    item = web.client.get("/api/runs?limit=1").json()[0]
    assert item["error_summary"]["message"] == "1 of 2 gates failed"
    assert "performance_gates" not in item["request"]


def test_the_step_report_is_a_file_without_control_codes(web):
    run_id = web.run(enable_visualizer=True, performance_gates=[GATE])["id"]
    answer = web.client.get(f"/api/runs/{run_id}/visualization?download=1")
    assert answer.headers["content-type"].startswith("text/plain")
    name = f'attachment; filename="{run_id}-steps.txt"'
    assert answer.headers["content-disposition"] == name
    assert all(char.isprintable() or char == "\n" for char in answer.text)
    assert "Gates" in answer.text


def test_a_dry_run_shows_what_would_count(web):
    record = web.run(
        dry_run=True,
        performance_gates=[GATE],
        alerts=[{"condition": "timed_out"}],
        junit_output="r.xml",
        history_db="team.db",
        enable_cost_tracking=True,
    )
    assert (record["status"], record["run_status"]) == ("completed", None)
    assert (record["correlation_id"], record["error_summary"]) == (None, None)
    result = record["result"]
    assert result["performance_gates"][0]["max_value"] == 1e9
    assert result["alerts"][0]["name"] == "api_alert"
    assert result["history"] == "team.db"
    assert len(result["sha256"]) == 64
    assert record["outputs"] == []
    assert web.client.get(f"/api/runs/{record['id']}/logs").text == ""


def test_a_webhook_is_never_shown_again(web):
    record = web.run("print(1)\n", slack_webhook=HOOK)
    run_id = record["id"]
    assert record["request"]["slack_webhook"] == "https://hooks.slack.com/***"
    again = web.client.post(f"/api/runs/{run_id}/restart").json()["run_id"]
    addresses = ("", f"/{run_id}", f"/{run_id}/events", f"/{run_id}/logs")
    shown = [web.client.get(f"/api/runs{address}").text for address in addresses]
    assert "very-secret" not in json.dumps([web.finish(again), shown])
    data = web.root.parent / "data"
    kept = [
        path
        for path in data.rglob("*")
        if path.is_file() and b"very-secret" in path.read_bytes()
    ]
    assert sorted(kept) == sorted(
        data / "runs" / each / "secret.json" for each in (run_id, again)
    )


def test_a_wrong_webhook_is_not_repeated(web):
    script = web.write("")
    for value in (f"{HOOK}\n", 5, {"x": HOOK}, "http://hooks.slack.com/very-secret"):
        fields = {"script_path": script, "slack_webhook": value}
        answer = web.client.post("/api/run", json=fields)
        assert answer.status_code in (400, 422)
        assert "very-secret" not in answer.text


def test_an_upload_takes_every_option_as_text(web):
    fields = {
        "performance_gates": json.dumps([BAD]),
        "enable_cost_tracking": "on",
        "enable_history": "0",
        "junit_output": "r.xml",
        "save_baseline": "",
        "alerts": "",
    }
    files = {"file": ("a.py", b"print(1)")}
    answer = web.client.post("/api/run/upload", data=fields, files=files)
    record = web.finish(answer.json()["run_id"])
    assert record["reason"] == "gates"
    assert record["request"]["enable_history"] is False
    assert record["request"]["save_baseline"] is None
    assert record["result"]["cost"]
    assert [each["name"] for each in record["outputs"]] == ["r.xml"]
