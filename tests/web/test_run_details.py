"""Events, steps, script, samples and outputs of a run."""

import hashlib

import pytest

from tests.web.conftest import UNKNOWN_ID

DETAILS = ("events", "visualization", "script", "samples", "outputs", "outputs/x.txt")


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("run_id", [UNKNOWN_ID, "x"])
def test_an_unknown_run_is_404(web, detail, run_id):
    assert (
        web.error("GET", f"/api/runs/{run_id}/{detail}", 404)["code"] == "run_not_found"
    )


def test_events_tell_the_life_of_a_run_in_order(web):
    run_id = web.run()["id"]
    events = web.client.get(f"/api/runs/{run_id}/events").json()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    kinds = [event["event_type"] for event in events]
    assert kinds[:3] == ["queued", "dequeued", "start"]
    assert kinds[-2:] == ["success", "finished"]
    assert web.client.get(f"/api/runs/{run_id}/events").json() == events


def test_events_after_a_number(web):
    run_id = web.run()["id"]
    events = web.client.get(f"/api/runs/{run_id}/events").json()
    assert web.client.get(f"/api/runs/{run_id}/events?after=2").json() == events[2:]
    assert web.client.get(f"/api/runs/{run_id}/events?after=999").json() == []
    web.error("GET", f"/api/runs/{run_id}/events?after=-1", 422)


def test_events_name_who_stopped_a_run(web):
    run_id = web.start()
    web.client.post(f"/api/runs/{run_id}/stop?grace=3")
    web.finish(run_id)
    events = web.client.get(f"/api/runs/{run_id}/events").json()
    (asked,) = [event for event in events if event["event_type"] == "stop_requested"]
    assert asked["data"]["kind"] == "stop"
    assert asked["data"]["principal"] == "local"
    assert asked["data"]["grace"] == 3


def test_steps_are_kept_for_those_who_asked(web):
    run_id = web.run(enable_visualizer=True)["id"]
    report = web.client.get(f"/api/runs/{run_id}/visualization").json()
    assert report["footer"]["success"] is True
    assert "Execution" in [step["stage"] for step in report["steps"]]
    text = web.client.get(
        f"/api/runs/{run_id}/visualization", headers={"accept": "text/plain"}
    )
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Execution" in text.text


def test_steps_nobody_asked_for_are_422(web):
    run_id = web.run()["id"]
    body = web.error("GET", f"/api/runs/{run_id}/visualization", 422)
    assert body["code"] == "visualizer_not_enabled"
    assert "enable_visualizer" in body["detail"][0]["msg"]


def test_steps_of_a_missing_attempt_are_404(web):
    run_id = web.run(enable_visualizer=True)["id"]
    web.error("GET", f"/api/runs/{run_id}/visualization?attempt=2", 404)
    web.error("GET", f"/api/runs/{run_id}/visualization?attempt=0", 422)


def test_the_script_is_kept_as_it_ran(web):
    text = "print('as it was')\n"
    record = web.run(text)
    (web.root / record["request"]["script_path"]).write_text("print('changed')\n")
    answer = web.client.get(f"/api/runs/{record['id']}/script")
    assert answer.text == text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert (
        answer.headers["x-content-sha256"] == hashlib.sha256(text.encode()).hexdigest()
    )
    assert record["script"]["sha256"] == answer.headers["x-content-sha256"]


def test_a_script_that_has_not_run_is_404(web):
    run_id = web.run(dry_run=True)["id"]
    answer = web.client.get(f"/api/runs/{run_id}/script")
    assert answer.status_code in (200, 404)


def test_samples_are_columns_of_equal_length(web):
    run_id = web.run("import time; time.sleep(0.5)", monitor_interval=0.05)["id"]
    samples = web.client.get(f"/api/runs/{run_id}/samples").json()
    assert samples["interval"] == 0.05
    lengths = {len(samples[name]) for name in ("t", "cpu", "rss_mb", "processes")}
    assert len(lengths) == 1
    assert lengths.pop() >= 1
    web.error("GET", f"/api/runs/{run_id}/samples?attempt=7", 404)


def test_a_run_without_outputs_has_an_empty_list(web):
    run_id = web.run()["id"]
    assert web.client.get(f"/api/runs/{run_id}/outputs").json() == []


@pytest.mark.parametrize("name", ["x.txt", "../upload.py", "..%2fa1.ctl", "a%00b"])
def test_an_output_that_was_not_declared_is_404(web, name):
    run_id = web.run()["id"]
    body = web.error("GET", f"/api/runs/{run_id}/outputs/{name}", 404)
    assert body["code"] in {"output_not_found", "not_found"}
