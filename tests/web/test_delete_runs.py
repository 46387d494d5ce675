"""``DELETE /api/runs/{id}`` and ``DELETE /api/runs``: what is deleted stays deleted."""

import json

import pytest

from tests.web.conftest import UNKNOWN_ID

JSON = {"content-type": "application/json"}


def delete_many(web, ids):
    return web.client.request(
        "DELETE", "/api/runs", content=json.dumps(ids), headers=JSON
    )


def test_a_finished_run_goes_with_everything(web):
    run_id = web.run()["id"]
    answer = web.client.delete(f"/api/runs/{run_id}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    for path in ("", "/logs", "/events", "/script", "/samples", "/outputs"):
        assert web.client.get(f"/api/runs/{run_id}{path}").status_code == 404
    assert not (web.root.parent / "data" / "runs" / run_id).exists()


def test_a_second_delete_is_404(web):
    run_id = web.run()["id"]
    web.client.delete(f"/api/runs/{run_id}")
    assert web.error("DELETE", f"/api/runs/{run_id}", 404)["code"] == "run_not_found"


def test_an_active_run_stays(web):
    run_id = web.start()
    body = web.error("DELETE", f"/api/runs/{run_id}", 400)
    assert (body["code"], body["detail"]) == ("run_active", "Cannot delete active run")
    assert web.get(run_id)["status"] == "running"
    web.client.post(f"/api/runs/{run_id}/kill")


def test_a_run_deleted_right_after_a_cancel_stays_deleted(web):
    run_id = web.start()
    web.client.post(f"/api/runs/{run_id}/cancel")
    assert web.client.delete(f"/api/runs/{run_id}").status_code == 200
    web.run()
    web.error("GET", f"/api/runs/{run_id}", 404)


@pytest.mark.parametrize("run_id", [UNKNOWN_ID, "x", "..%2f.."])
def test_an_unknown_run_is_404(web, run_id):
    web.error("DELETE", f"/api/runs/{run_id}", 404)


def test_many_are_deleted_and_each_exception_is_named(web):
    done, active = web.run()["id"], web.start()
    answer = delete_many(web, [done, active, UNKNOWN_ID, done, "x"])
    assert answer.json() == {
        "deleted": 1,
        "skipped": [
            {"id": active, "reason": "active"},
            {"id": UNKNOWN_ID, "reason": "not_found"},
            {"id": done, "reason": "duplicate"},
            {"id": "x", "reason": "not_found"},
        ],
    }
    web.client.post(f"/api/runs/{active}/kill")


def test_an_empty_list_is_fine(web):
    assert delete_many(web, []).json() == {"deleted": 0, "skipped": []}


def test_a_thousand_ids_are_the_limit(web):
    assert delete_many(web, [UNKNOWN_ID] * 1_000).status_code == 200
    assert delete_many(web, [UNKNOWN_ID] * 1_001).status_code == 422


@pytest.mark.parametrize(
    "ids", [{}, {"ids": []}, "x", None, [1], [None], [["x"]], ["x", 5]]
)
def test_anything_but_texts_in_an_array_is_422(web, ids):
    assert delete_many(web, ids).status_code == 422


def test_no_body_is_422(web):
    body = web.error("DELETE", "/api/runs", 422)
    assert body["detail"][0]["type"] == "missing"


def test_a_body_without_its_media_type_is_415(web):
    web.error("DELETE", "/api/runs", 415, content=b"[]")


def test_unknown_query_parameters_are_422(web):
    web.error("DELETE", f"/api/runs/{UNKNOWN_ID}?force=1", 422)
