"""Alerts from the request to the receiver: rules, deliveries, lists, the stream."""

import asyncio
import json

import pytest

from tests.receivers import http_receiver
from tests.web.asgi import open_stream
from tests.web.conftest import UNKNOWN_ID, running_web, wait_for


@pytest.fixture(scope="module")
def receiver():
    with http_receiver() as found:
        yield found


@pytest.fixture(scope="module")
def web(receiver, tmp_path_factory):
    """A service that has a webhook, but no address for Slack and no mail."""
    with running_web(
        tmp_path_factory.mktemp("alerts"),
        alert_webhook=f"http://{receiver.place}/hidden-general",
        webhook_internal_hosts=(receiver.place,),
    ) as own:
        yield own


def rule(condition, *channels, **changes):
    return {"condition": condition, "channels": list(channels), **changes}


def wait_delivered(web, run_id):
    """Return the run's record once no delivery of it is pending."""
    return web.wait_until(
        run_id,
        lambda record: (
            not any(
                each["status"] == "pending"
                for entry in (record["result"] or {}).get("alerts") or []
                for each in entry["deliveries"]
            )
        ),
    )


def bodies_of(receiver, run_id):
    """Return what the general webhook was told of a run."""
    bodies = [each.body for each in receiver.requests if "run" in each.body]
    return [body for body in bodies if body["run"]["id"] == run_id]


def events_of(web, run_id, event_type):
    found = web.client.get(f"/api/runs/{run_id}/events").json()
    return [each["data"] for each in found if each["event_type"] == event_type]


def test_an_alert_goes_from_the_rule_to_the_receiver(web, receiver):
    slow = rule(
        "exit_code == 3 and not success", "webhook", name="broken", severity="error"
    )
    record = web.run("import sys\nsys.exit(3)\n", alerts=[slow, rule("exit_code == 0")])
    run_id = record["id"]
    record = wait_delivered(web, run_id)
    met, other = record["result"]["alerts"]
    (delivery,) = met.pop("deliveries")
    assert met == {
        "name": "broken",
        "severity": "ERROR",
        "condition": "exit_code == 3 and not success",
        "triggered": True,
        "values": {"exit_code": 3, "success": False},
        "missing": [],
    }
    assert (delivery["channel"], delivery["status"], delivery["tries"]) == (
        "webhook",
        "sent",
        1,
    )
    assert (other["triggered"], other["deliveries"]) == (False, [])

    (body,) = bodies_of(receiver, run_id)
    assert body["delivery_id"] == delivery["delivery_id"]
    assert body["run"]["status"] == "failed"
    assert body["run"]["finished_at"] == record["finished_at"]
    assert body["metrics"]["exit_code"] == 3

    (triggered,) = events_of(web, run_id, "alert_triggered")
    assert triggered["name"] == "broken"
    assert triggered["values"] == {"exit_code": 3, "success": False}
    (told,) = events_of(web, run_id, "alert_delivery")
    assert (told["channel"], told["status"], told["tries"]) == ("webhook", "sent", 1)

    answer = web.client.get("/api/alerts", params={"script": record["script"]["name"]})
    (listed,) = answer.json()
    assert answer.headers["X-Total-Count"] == "1"
    assert listed["run_id"] == run_id
    assert listed["deliveries"][0]["delivery_id"] == delivery["delivery_id"]
    assert not listed["early"]


def test_the_log_of_the_service_has_a_line(web):
    record = web.run(alerts=[rule("true", "stdout", name="for the log")])
    record = wait_delivered(web, record["id"])
    (delivery,) = record["result"]["alerts"][0]["deliveries"]
    assert (delivery["channel"], delivery["status"]) == ("log", "sent")
    lines = (web.root.parent / "data" / "supervisor.log").read_text().splitlines()
    (line,) = [each for each in lines if delivery["delivery_id"] in each]
    assert "[WARNING] for the log: script_" in line


def test_undecided_rules_say_what_is_missing(web):
    record = web.run(alerts=[rule("no_such_metric > 5 and cpu > 1", name="odd")])
    (entry,) = record["result"]["alerts"]
    assert not entry["triggered"]
    assert entry["missing"] == ["no_such_metric"]
    (skipped,) = events_of(web, record["id"], "alert_skipped")
    assert (skipped["name"], skipped["missing"]) == ("odd", ["no_such_metric"])


def test_a_channel_that_is_not_configured_is_warned_of_and_skipped(web):
    path = web.write("print('hello')\n")
    body = {"script_path": path, "alerts": [rule("true", "email", "slack")]}
    answer = web.client.post("/api/run", json=body)
    assert answer.status_code == 202
    assert len(answer.json()["warnings"]) == 2
    record = web.finish(answer.json()["run_id"])
    (entry,) = record["result"]["alerts"]
    assert [each["status"] for each in entry["deliveries"]] == ["skipped", "skipped"]
    events = web.client.get(f"/api/runs/{record['id']}/events").json()
    assert [each["event_type"] for each in events[-4:]] == [
        "alert_triggered",
        "alert_delivery",
        "alert_delivery",
        "finished",
    ]


def test_a_name_that_is_no_metric_is_warned_of(web):
    path = web.write("print('hello')\n")
    body = {"script_path": path, "alerts": [rule("memroy_max_mb > 5")]}
    (warning,) = web.client.post("/api/run", json=body).json()["warnings"]
    assert "did you mean memory_max_mb?" in warning


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"condition": "cpu > 5 >"}, ["condition"], "column 9"),
        ({"condition": "__import__('os')"}, ["condition"], "column 1"),
        ({"condition": "cpu_max > 1e999"}, ["condition"], "column 11"),
        ({"condition": "x" * 501}, ["condition"], "500 characters"),
        ({"severity": "LOUD"}, ["severity"], ""),
        ({"channels": ["log", "carrier-pigeon"]}, ["channels", 1], "carrier-pigeon"),
        ({"channels": "log"}, ["channels"], ""),
        ({"colour": "red"}, ["colour"], ""),
    ],
)
def test_bad_rules_are_422_with_their_place(web, changes, place, words):
    bad = {**rule("true"), **changes}
    path = web.write("print('hello')\n")
    answer = web.client.post("/api/run", json={"script_path": path, "alerts": [bad]})
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["detail"]
    assert fault["loc"] == ["body", "alerts", 0, *place]
    assert words in fault["msg"]


def test_a_rule_without_a_condition_and_too_many_rules_are_422(web):
    path = web.write("print('hello')\n")
    missing: list[dict] = [{"channels": []}]
    for rules in (missing, [rule("true")] * 51):
        answer = web.client.post(
            "/api/run", json={"script_path": path, "alerts": rules}
        )
        assert answer.status_code == 422


def test_slack_of_a_run_is_sent_there_and_shown_nowhere(web, receiver):
    secret = f"http://{receiver.place}/services/T1/B1/hidden-own"
    record = web.run(alerts=[rule("true", "slack")], slack_webhook=secret)
    record = wait_delivered(web, record["id"])
    assert record["result"]["alerts"][0]["deliveries"][0]["status"] == "sent"
    assert receiver.requests[-1].path == "/services/T1/B1/hidden-own"
    assert "attachments" in receiver.requests[-1].body
    run_id = record["id"]
    pages = [
        f"/api/runs/{run_id}",
        f"/api/runs/{run_id}/events",
        f"/api/runs/{run_id}/request",
        f"/api/runs?q={run_id}",
        "/api/alerts",
        "/api/alerts/channels",
    ]
    for page in pages:
        answer = web.client.get(page)
        assert answer.status_code == 200
        assert "hidden-own" not in answer.text
    log = web.root.parent / "data" / "supervisor.log"
    assert "hidden-" not in log.read_text()
    restarted = web.client.post(f"/api/runs/{run_id}/restart").json()["run_id"]
    web.finish(restarted)
    wait_delivered(web, restarted)
    assert receiver.requests[-1].path == "/services/T1/B1/hidden-own"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://127.0.0.1:9000/api/runs/x/kill",
        "https://127.0.0.1/x",
        "https://hooks.slack.com.evil.example/x",
        "https://user:pw@hooks.slack.com/x",
        "http://hooks.slack.com/x",
        "https://hooks.slack.com:8443/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_webhooks_to_anywhere_else_are_400_and_not_repeated(web, url):
    path = web.write("print('hello')\n")
    body = {"script_path": path, "slack_webhook": url}
    answer = web.client.post("/api/run", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_not_allowed")
    assert not url or url not in answer.text


def test_a_rule_that_cannot_be_undone_is_told_while_the_script_runs(web, receiver):
    text = "import time\nprint('x' * 5000, flush=True)\ntime.sleep(60)\n"
    run_id = web.submit(
        text,
        alerts=[
            rule(
                "stdout_bytes > 4000 and queue_time_seconds >= 0",
                "webhook",
                name="loud",
            ),
            rule("stdout_bytes < 9000", "webhook"),
        ],
    )
    (body,) = wait_for(lambda: bodies_of(receiver, run_id), bool)
    assert (body["alert"]["name"], body["run"]["status"]) == ("loud", "running")
    (listed,) = [
        each
        for each in web.client.get("/api/alerts").json()
        if each["run_id"] == run_id
    ]
    assert listed["early"]
    web.client.post(f"/api/runs/{run_id}/kill")
    web.finish(run_id)
    record = wait_delivered(web, run_id)
    loud, _ = record["result"]["alerts"]
    assert loud["triggered"]
    assert loud["values"]["stdout_bytes"] >= 4000
    assert loud["deliveries"][0]["status"] == "sent"
    names = [data["name"] for data in events_of(web, run_id, "alert_triggered")]
    assert names == ["loud", "api_alert"]
    assert len(bodies_of(receiver, run_id)) == 2


def test_dry_runs_and_runs_that_never_started_meet_no_rule(web):
    rules = [rule("true", "webhook"), rule("exit_code == 0")]
    dry = web.run(alerts=rules, dry_run=True)
    assert not any(
        each["run_id"] == dry["id"] for each in web.client.get("/api/alerts").json()
    )
    assert events_of(web, dry["id"], "alert_triggered") == []


def test_alerts_are_acknowledged_once(web):
    run_id = web.run(alerts=[rule("true")])["id"]
    (alert,) = [
        each
        for each in web.client.get("/api/alerts").json()
        if each["run_id"] == run_id
    ]
    assert alert["acknowledged_at"] is None
    first = web.client.post(f"/api/alerts/{alert['id']}/acknowledge")
    assert first.status_code == 200
    assert first.json()["acknowledged_by"] == "local"
    again = web.client.post(f"/api/alerts/{alert['id']}/acknowledge")
    assert again.json() == first.json() | {"deliveries": []}
    assert web.client.post("/api/alerts/999999/acknowledge").status_code == 404
    huge = web.client.post(f"/api/alerts/{10**30}/acknowledge")
    assert huge.status_code in (404, 422)


def test_alerts_stay_when_their_run_is_deleted(web):
    run_id = web.run(alerts=[rule("true")])["id"]
    assert web.client.delete(f"/api/runs/{run_id}").status_code == 200
    listed = [each["run_id"] for each in web.client.get("/api/alerts").json()]
    assert run_id in listed


def test_lists_are_paged_and_bounded(web):
    web.run(alerts=[rule("true"), rule("true")])
    answer = web.client.get("/api/alerts?limit=1&offset=1")
    assert len(answer.json()) == 1
    assert int(answer.headers["X-Total-Count"]) >= 2
    for query in (
        "limit=0",
        "limit=201",
        "offset=-1",
        "since=yesterday",
        "script=%00",
        "seen=perhaps",
        "delivery=lost",
    ):
        assert web.client.get(f"/api/alerts?{query}").status_code == 422
    assert web.client.get("/api/alerts?since=2999-01-01").json() == []
    assert web.client.get("/api/alerts?script=").status_code == 200
    query = "seen=false&delivery=sent&channel=nobody"
    assert web.client.get(f"/api/alerts?{query}").json() == []


def test_channels_say_what_is_missing(web):
    found = {
        each["name"]: each for each in web.client.get("/api/alerts/channels").json()
    }
    assert list(found) == ["slack", "webhook", "email", "log"]
    assert found["webhook"] == {
        "name": "webhook",
        "kind": "webhook",
        "configured": True,
        "problem": None,
    }
    assert "WEBAPI_SMTP_HOST" in found["email"]["problem"]


def test_conditions_can_be_tried_on_a_run(web):
    run_id = web.run("import sys\nsys.exit(3)\n")["id"]

    def check(condition, **query):
        query["condition"] = condition
        answer = web.client.get("/api/alerts/check", params=query)
        assert answer.status_code == 200
        return answer.json()

    assert check("exit_code > 2 and nothing > 5", run_id=run_id) == {
        "valid": True,
        "problem": None,
        "column": None,
        "metrics": ["exit_code", "nothing"],
        "warnings": ["no number is measured that is called nothing"],
        "met": None,
        "values": {"exit_code": 3},
        "missing": ["nothing"],
    }
    assert check("returncode == 3", run_id=run_id)["met"] is True
    assert check("returncode == 3")["met"] is None
    wrong = check("returncode = 3")
    assert (wrong["valid"], wrong["column"]) == (False, 12)
    assert not check("x" * 501)["valid"]
    for query in ({}, {"condition": "true", "run_id": UNKNOWN_ID}):
        answer = web.client.get("/api/alerts/check", params=query)
        assert answer.status_code in (404, 422)


def test_a_test_message_goes_out_at_once(web, receiver):
    answer = web.client.post("/api/alerts/channels/webhook/test")
    assert answer.json() == {"channel": "webhook", "status": "sent", "error": None}
    assert receiver.requests[-1].body["alert"]["name"] == "test"
    answer = web.client.post("/api/alerts/channels/console/test").json()
    assert (answer["channel"], answer["status"]) == ("log", "sent")
    answer = web.client.post("/api/alerts/channels/email/test").json()
    assert answer["status"] == "skipped"
    answer = web.client.post("/api/alerts/channels/nobody/test")
    assert (answer.status_code, answer.json()["code"]) == (404, "channel_not_found")


def test_the_stream_tells_of_alerts_and_their_deliveries(web):
    async def scenario():
        async with open_stream(web.app, "/api/stream?topic=alerts") as stream:
            run_id = await asyncio.to_thread(
                web.submit, alerts=[rule("true", "webhook")]
            )
            statuses: list[str] = []
            while statuses[-1:] != ["sent"]:
                message = await stream.next("alert")
                assert message.data["topic"] == "alerts"
                if message.data["run_id"] == run_id:
                    statuses.append(message.data["deliveries"][0]["status"])
                    offset = message.data["offset"]
            return offset

    offset = asyncio.run(scenario())

    async def resumed():
        query = f"topic=alerts@{offset - 1}"
        async with open_stream(web.app, f"/api/stream?{query}") as stream:
            return await stream.next("alert")

    assert asyncio.run(resumed()).data["offset"] == offset


def test_uploads_take_rules_as_json_text(web):
    answer = web.client.post(
        "/api/run/upload",
        files={"file": ("x.py", b"print('hello')\n")},
        data={"alerts": json.dumps([rule("true", name="of a form")])},
    )
    record = web.finish(answer.json()["run_id"])
    assert record["result"]["alerts"][0]["name"] == "of a form"
