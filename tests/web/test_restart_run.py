"""``POST /api/runs/{id}/restart``: the same request once more, never side by side."""

import pytest

from tests.web.conftest import UNKNOWN_ID, WAITING


def restart(web, run_id, query=""):
    answer = web.client.post(f"/api/runs/{run_id}/restart{query}")
    assert answer.status_code == 202, answer.text
    new_id = answer.json()["run_id"]
    assert answer.json() == {
        "run_id": new_id,
        "status": "queued",
        "restarted_from": run_id,
    }
    assert answer.headers["location"] == f"/api/runs/{new_id}"
    return new_id


def test_a_finished_run_runs_again_with_the_same_request(web):
    text = "import os, sys\nprint(sys.argv[1:], os.environ['MY_TOKEN'])\n"
    old = web.run(text, args=["a"], env_vars={"MY_TOKEN": "hunter22"}, timeout=30)
    new = web.finish(restart(web, old["id"]))
    assert new["request"] == old["request"]
    # The real value was used; what is shown of the output is masked.
    assert new["result"]["stdout"] == "['a'] ********\n"
    assert new["restarted_from"] == old["id"]
    assert new["trigger"] == "restart"
    assert web.get(old["id"])["restarted_as"] == new["id"]


def test_an_active_run_is_stopped_first(web):
    old = web.start()
    new = restart(web, old)
    old_record = web.finish(old)
    assert (old_record["status"], old_record["reason"]) == ("cancelled", "restart")
    assert old_record["error"] == "Cancelled by restart"
    new_record = web.wait_until(new, lambda run: run["phase"] == "running")
    assert new_record["waiting_for"] in (None, old)
    assert new_record["started_at"] >= old_record["finished_at"]
    web.client.post(f"/api/runs/{new}/kill")


def test_a_second_restart_of_a_stopping_run_is_409(web):
    stubborn = "import signal\nsignal.signal(15, signal.SIG_IGN)\n" + WAITING
    old = web.start(stubborn)
    new = restart(web, old)
    body = web.error("POST", f"/api/runs/{old}/restart", 409)
    assert body["code"] == "restart_pending"
    web.client.post(f"/api/runs/{new}/kill")
    web.client.post(f"/api/runs/{old}/kill")


def test_a_changed_file_runs_as_it_is_now(web):
    old = web.run("print('old')")
    (web.root / old["request"]["script_path"]).write_text("print('new')")
    assert web.finish(restart(web, old["id"]))["result"]["stdout"] == "new\n"
    again = web.finish(restart(web, old["id"], "?use_snapshot=true"))
    assert again["result"]["stdout"] == "old\n"


def test_a_missing_file_is_400(web):
    old = web.run()
    (web.root / old["request"]["script_path"]).unlink()
    body = web.error("POST", f"/api/runs/{old['id']}/restart", 400)
    assert body["code"] == "script_missing"
    answer = web.client.post(f"/api/runs/{old['id']}/restart?use_snapshot=true")
    assert answer.status_code == 202


def test_an_upload_runs_again(web):
    files = {"file": ("up.py", b"print('up')")}
    old = web.client.post("/api/run/upload", files=files).json()["run_id"]
    web.finish(old)
    record = web.finish(restart(web, old))
    assert record["result"]["stdout"] == "up\n"
    assert record["request"]["script_path"] == "upload:up.py"


@pytest.mark.parametrize("run_id", [UNKNOWN_ID, "x"])
def test_an_unknown_run_is_404(web, run_id):
    assert (
        web.error("POST", f"/api/runs/{run_id}/restart", 404)["code"] == "run_not_found"
    )


@pytest.mark.parametrize("query", ["use_snapshot=maybe", "snapshot=true"])
def test_a_wrong_query_is_422(web, query):
    web.error("POST", f"/api/runs/{UNKNOWN_ID}/restart?{query}", 422)


def test_a_repeated_restart_with_the_same_key_is_one_restart(web):
    old = web.run("pass")
    headers = {"Idempotency-Key": "again"}
    path = f"/api/runs/{old['id']}/restart"
    first, second = (web.client.post(path, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert web.get(old["id"])["restarted_as"] == first.json()["run_id"]
    other = web.client.post(f"{path}?use_snapshot=true", headers=headers)
    assert other.json()["code"] == "idempotency_conflict"


def test_the_same_key_makes_one_restart(web):
    old = web.run()["id"]
    headers = {"Idempotency-Key": f"restart-{old}"}
    first, second = (
        web.client.post(f"/api/runs/{old}/restart", headers=headers) for _ in range(2)
    )
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    other = web.run()["id"]
    body = web.error("POST", f"/api/runs/{other}/restart", 409, headers=headers)
    assert body["code"] == "idempotency_conflict"
