"""``POST /api/runs/{id}/stop``, ``/kill``, ``/cancel``: true answers about ends."""

import threading

import pytest

from tests.web.conftest import GRACE_SECONDS, UNKNOWN_ID

#: Ignores SIGTERM, and says so when it is ready.
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""
#: Tidies up on SIGTERM.
TIDY = """
import signal, sys, time
def tidy(*_):
    print("tidied", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, tidy)
print("ready", flush=True)
time.sleep(60)
"""
ORDERS = ("stop", "kill", "cancel")
ANSWERS: dict[str, dict[str, object]] = {
    "stop": {"stopped": True},
    "kill": {"killed": True},
    "cancel": {"status": "cancelled"},
}
REASONS = {"stop": "stopped", "kill": "killed", "cancel": "cancelled"}


@pytest.mark.parametrize("order", ORDERS)
def test_an_active_run_is_ended(web, order):
    run_id = web.start()
    answer = web.client.post(f"/api/runs/{run_id}/{order}")
    assert answer.status_code == 200
    assert answer.json() == {"run_id": run_id, **ANSWERS[order]}
    record = web.finish(run_id)
    assert record["status"] == "cancelled"
    assert record["run_status"] == "killed"
    assert record["reason"] == REASONS[order]
    assert record["result"]["stdout"] == "waiting\n"


@pytest.mark.parametrize("order", ORDERS)
def test_a_queued_run_is_ended_at_once(web, order):
    # A restarted run waits in the queue until the old one is gone.
    old = web.start(STUBBORN)
    run_id = web.client.post(f"/api/runs/{old}/restart").json()["run_id"]
    answer = web.client.post(f"/api/runs/{run_id}/{order}")
    assert answer.status_code == 200, answer.text
    record = web.get(run_id)
    web.client.post(f"/api/runs/{old}/kill")
    assert (record["status"], record["run_status"]) == ("cancelled", None)
    assert record["attempts"] == []


@pytest.mark.parametrize("order", ORDERS)
def test_a_finished_run_is_409(web, order):
    run_id = web.run()["id"]
    body = web.error("POST", f"/api/runs/{run_id}/{order}", 409)
    assert body["code"] == "run_finished"
    expected = "Run already finished" if order == "cancel" else "Run is not active"
    assert body["detail"] == expected


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("run_id", [UNKNOWN_ID, "x", UNKNOWN_ID.upper()])
def test_an_unknown_run_is_404(web, order, run_id):
    assert (
        web.error("POST", f"/api/runs/{run_id}/{order}", 404)["code"] == "run_not_found"
    )


@pytest.mark.parametrize("order", ["stop", "cancel"])
def test_a_second_stop_is_409_and_a_kill_escalates(web, order):
    run_id = web.start(STUBBORN)
    first = web.client.post(f"/api/runs/{run_id}/stop?grace=60")
    assert first.status_code == 200
    assert web.get(run_id)["phase"] == "stopping"
    body = web.error("POST", f"/api/runs/{run_id}/{order}", 409)
    assert body["code"] == "already_stopping"
    assert web.client.post(f"/api/runs/{run_id}/kill").status_code == 200
    assert web.finish(run_id)["reason"] == "killed"


def test_a_second_kill_is_409(web):
    run_id = web.start()
    web.client.post(f"/api/runs/{run_id}/kill")
    body = web.error("POST", f"/api/runs/{run_id}/kill", 409)
    assert body["code"] in {"already_stopping", "run_finished"}


def test_stop_lets_the_script_tidy_up(web):
    run_id = web.start(TIDY)
    web.client.post(f"/api/runs/{run_id}/stop")
    record = web.finish(run_id)
    assert record["result"]["stdout"] == "ready\ntidied\n"
    assert (record["status"], record["exit_code"]) == ("cancelled", 0)


def test_after_the_grace_a_stubborn_script_is_killed(web):
    run_id = web.start(STUBBORN)
    web.client.post(f"/api/runs/{run_id}/stop?grace=0.2")
    assert web.finish(run_id)["exit_code"] == -9


def test_cancel_answers_when_the_tree_is_gone(web):
    run_id = web.start(STUBBORN)
    answer = web.client.post(f"/api/runs/{run_id}/cancel?grace=0.2")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert web.get(run_id)["status"] == "cancelled"


def test_cancel_tells_when_its_wait_was_too_short(web):
    run_id = web.start(STUBBORN)
    answer = web.client.post(f"/api/runs/{run_id}/cancel?grace={GRACE_SECONDS}&wait=0")
    assert answer.status_code == 202
    assert answer.json() == {"run_id": run_id, "status": "running", "phase": "stopping"}
    assert web.finish(run_id)["status"] == "cancelled"


@pytest.mark.parametrize("order", ORDERS)
def test_of_two_orders_at_once_one_wins(web, order):
    run_id = web.start()
    barrier, statuses = threading.Barrier(2), []

    def send():
        barrier.wait()
        statuses.append(web.client.post(f"/api/runs/{run_id}/{order}").status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]


@pytest.mark.parametrize(
    "query", ["stop?grace=-1", "stop?grace=301", "stop?grace=nan", "cancel?wait=61",
              "kill?grace=1", "stop?wait=1", "cancel?grce=1"],
)  # fmt: skip
def test_a_wrong_query_is_422(web, query):
    body = web.error("POST", f"/api/runs/{UNKNOWN_ID}/{query}", 422)
    assert body["detail"][0]["loc"][0] == "query"


def test_a_run_between_two_attempts_is_ended_at_once(web):
    run_id = web.submit(
        "raise SystemExit(1)", retry_on_failure=True, retry_initial_delay=60
    )
    web.wait_until(run_id, lambda run: run["phase"] == "backoff")
    assert web.client.post(f"/api/runs/{run_id}/stop").json()["stopped"] is True
    record = web.get(run_id)
    assert (record["status"], record["run_status"]) == ("cancelled", "killed")
    assert len(record["attempts"]) == 1
