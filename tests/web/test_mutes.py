"""``/api/alerts/mutes``: asked for, listed, ended, and held to by a whole service."""

from datetime import datetime, timedelta

import pytest

from tests.receivers import http_receiver
from tests.server import wait_for
from tests.web.conftest import Web, running_web


def mute(web: Web, **fields: object) -> dict[str, object]:
    body = {"script_path": "ok.py", "duration_seconds": 3_600, **fields}
    answer = web.client.post("/api/alerts/mutes", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def listed(web: Web) -> list[object]:
    answer = web.client.get("/api/alerts/mutes", params={"limit": 200})
    found: list[object] = answer.json()
    assert answer.headers["X-Total-Count"] == str(len(found))
    return found


def test_a_script_is_muted_and_unmuted(web: Web) -> None:
    path = web.write("print()\n")
    made = mute(web, script_path=path, note="moving house")
    assert made["script_path"] == str(web.root / path)
    assert (made["muted_by"], made["note"]) == ("local", "moving house")
    assert (made["rule"], made["condition"]) == (None, None)
    times = [datetime.fromisoformat(str(made[key])) for key in ("muted_at", "until")]
    assert times[1] - times[0] == timedelta(hours=1)
    assert made in listed(web)

    answer = web.client.delete(f"/api/alerts/mutes/{made['id']}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert made not in listed(web)
    body = web.error("DELETE", f"/api/alerts/mutes/{made['id']}", 404)
    assert body["code"] == "mute_not_found"


def test_a_rule_is_muted_until_somebody_unmutes_it(web: Web) -> None:
    fields = {"rule": "slow", "condition": "execution_time > 5"}
    made = mute(web, duration_seconds=None, **fields)
    assert made["until"] is None
    assert {name: made[name] for name in fields} == fields


def test_the_audit_trail_tells_who_muted_what(web: Web) -> None:
    made = mute(web, script_path="/elsewhere/audited.py", rule="slow")
    web.client.delete(f"/api/alerts/mutes/{made['id']}")

    def find() -> list[str]:
        query = {"q": "audited.py", "action": "alert.write"}
        items = web.client.get("/api/audit", params=query).json()["items"]
        return [each["object"] for each in items]

    wait_for(lambda: len(find()) == 2, what="the lines of the audit trail")
    what = "/elsewhere/audited.py, rule slow"
    assert find() == [
        f"unmute {made['id']}: {what}",
        f"mute {made['id']} until {made['until']}: {what}",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"script_path": "a.py"},
        {"script_path": "", "duration_seconds": 60},
        {"script_path": "a\nb.py", "duration_seconds": 60},
        {"script_path": "x" * 4_097, "duration_seconds": 60},
        {"script_path": "a.py", "duration_seconds": 59},
        {"script_path": "a.py", "duration_seconds": 367 * 86_400},
        {"script_path": "a.py", "duration_seconds": "60"},
        {"script_path": "a.py", "duration_seconds": 60, "rule": ""},
        {"script_path": "a.py", "duration_seconds": 60, "rule": "x" * 101},
        {"script_path": "a.py", "duration_seconds": 60, "condition": "x" * 501},
        {"script_path": "a.py", "duration_seconds": 60, "note": "x" * 501},
        {"script_path": "a.py", "duration_seconds": 60, "note": "a\0b"},
        {"script_path": "a.py", "duration_seconds": 60, "until": "tomorrow"},
    ],
)
def test_a_malformed_mute_is_refused(web: Web, body: object) -> None:
    web.error("POST", "/api/alerts/mutes", 422, json=body)


def test_what_was_unmuted_is_never_taken_for_a_later_mute(web: Web) -> None:
    old = mute(web, script_path="/elsewhere/old.py")
    web.client.delete(f"/api/alerts/mutes/{old['id']}")
    new = mute(web, script_path="/elsewhere/new.py")
    web.error("DELETE", f"/api/alerts/mutes/{old['id']}", 404)
    assert web.client.delete(f"/api/alerts/mutes/{new['id']}").status_code == 200


@pytest.mark.slow
def test_the_service_holds_back_what_is_muted(tmp_path) -> None:
    with http_receiver() as receiver:
        settings = {
            "alert_webhook": f"http://{receiver.place}/hidden",
            "webhook_internal_hosts": (receiver.place,),
        }
        with running_web(tmp_path, **settings) as web:
            path = web.write("print()\n")
            mute(web, script_path=path, rule="quiet")
            rules = [
                {"name": name, "condition": "true", "channels": ["webhook"]}
                for name in ("quiet", "loud")
            ]
            answer = web.client.post(
                "/api/run", json={"script_path": path, "alerts": rules}
            )
            record = web.wait_until(
                answer.json()["run_id"],
                lambda run: (
                    "pending" not in str(run["result"] or "pending")
                    and run["status"] == "completed"
                ),
            )
    entries = record["result"]["alerts"]
    assert [each["deliveries"][0]["status"] for each in entries] == ["muted", "sent"]
    assert [each.body["alert"]["name"] for each in receiver.requests] == ["loud"]
