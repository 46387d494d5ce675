"""``GET /api/runs/{id}``: one record, now or when it is over."""

import time

import pytest

from tests.web.conftest import UNKNOWN_ID

KEYS = {
    "id", "status", "run_status", "started_at", "finished_at", "correlation_id",
    "error_summary", "request", "result", "error", "queued_at", "phase", "reason",
    "exit_code", "duration_seconds", "trigger", "task_id", "fire_time", "event",
    "restarted_from", "restarted_as", "waiting_for", "queue_position",
    "next_attempt_at", "attempts", "script", "ignored_env", "warnings", "outputs",
    "principal", "live",
}  # fmt: skip


def test_a_record_has_every_key_at_any_time(web):
    run_id = web.start()
    record = web.get(run_id)
    assert set(record) == KEYS
    assert record["status"] == "running"
    assert record["result"] is None
    assert record["live"]["stdout_bytes"] == len("waiting\n")
    web.client.post(f"/api/runs/{run_id}/kill")
    assert set(web.finish(run_id)) == KEYS


def test_a_failed_run_says_why(web):
    record = web.run("import sys\nprint('oh no', file=sys.stderr)\nsys.exit(3)\n")
    assert record["error"] == "Exit code 3"
    assert record["error_summary"] == {
        "exit_code": 3,
        "stderr_snippet": "oh no\n",
        "status": "failed",
        "correlation_id": record["correlation_id"],
        "reason": "exit_code",
        "message": "Exit code 3",
        "signal": None,
        "timeout_seconds": None,
    }


def test_times_are_utc_with_six_digits(web):
    record = web.run()
    for name in ("queued_at", "started_at", "finished_at"):
        assert len(record[name]) == len("2026-11-23T10:00:27.929939Z")
        assert record[name].endswith("Z")
    assert record["queued_at"] <= record["started_at"] <= record["finished_at"]


def test_what_looks_secret_is_not_shown(web):
    record = web.run(env_vars={"API_TOKEN": "hunter22", "PLAIN": "x"})
    assert record["request"]["env_vars"] == {"API_TOKEN": "***", "PLAIN": "x"}
    assert "hunter22" not in str(record)


@pytest.mark.parametrize(
    "run_id",
    [UNKNOWN_ID, UNKNOWN_ID.upper(), "1", "x", "..", "%2e%2e%2fetc", "a" * 500, "%00"],
)
def test_an_unknown_id_is_404(web, run_id):
    body = web.error("GET", f"/api/runs/{run_id}", 404)
    assert body["code"] in {"run_not_found", "not_found"}


def test_wait_answers_as_soon_as_the_run_is_over(web):
    run_id = web.submit("import time\ntime.sleep(0.3)\n")
    begin = time.monotonic()
    record = web.client.get(f"/api/runs/{run_id}?wait=10").json()
    assert record["status"] == "completed"
    assert time.monotonic() - begin < 5


def test_wait_ends_with_its_time(web):
    run_id = web.start()
    begin = time.monotonic()
    record = web.client.get(f"/api/runs/{run_id}?wait=0.3").json()
    assert record["status"] == "running"
    assert time.monotonic() - begin >= 0.3
    web.client.post(f"/api/runs/{run_id}/kill")


def test_wait_for_a_finished_run_answers_at_once(web):
    record = web.run()
    assert web.client.get(f"/api/runs/{record['id']}?wait=60").json() == record


def test_wait_for_an_unknown_run_is_404(web):
    web.error("GET", f"/api/runs/{UNKNOWN_ID}?wait=5", 404)


@pytest.mark.parametrize("wait", ["-1", "61", "x", "nan", "inf"])
def test_a_wrong_wait_is_422(web, wait):
    web.error("GET", f"/api/runs/{UNKNOWN_ID}?wait={wait}", 422)
