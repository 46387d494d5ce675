"""The core: system status, statistics, who one is, the description, unknown addresses."""

import pytest

from scriptrunner import __version__
from tests.web.conftest import check_error


def test_status_tells_machine_queue_and_supervisor(web):
    web.run()
    body = web.client.get("/api/system/status").json()
    assert len(body["cpu_load"]) == 3
    assert body["memory"]["total"] > body["memory"]["available"] > 0
    assert 0 <= body["memory"]["percent"] <= 100
    assert body["disk"]["accepting_runs"] is True
    assert body["queue"]["slots"] == 4
    assert body["queue"]["limit"] == 10_000
    assert body["supervisor"]["alive"] is True
    assert body["supervisor"]["since"].endswith("Z")
    assert body["streams"]["limit"] == 1_000
    nothing = {"days": None, "max_runs": None, "max_mb": None, "last_round_at": None}
    assert body["retention"] == {"runs": nothing, "history": nothing}
    assert body["version"] == __version__
    assert body["uptime_seconds"] >= 0
    assert body["containment"] == {"level": 0, "name": "same user", "requested": 0}


def test_status_of_a_service_without_supervisor_has_every_key(quiet):
    body = quiet.client.get("/api/system/status").json()
    assert body["supervisor"]["alive"] is False
    assert body["queue"]["oldest_queued_seconds"] is None
    assert body["interpreter"] == {"version": None, "start_ms": None}


def test_stats_of_an_empty_store(quiet):
    assert quiet.client.get("/api/stats").json() == {
        "total_runs": 0,
        "by_status": {},
        "by_run_status": {},
        "runs_24h": 0,
        "success_rate": None,
        "success_rate_24h": None,
        "active": 0,
        "p95_duration_seconds": None,
    }


def test_stats_count_what_was_run(web):
    before = web.client.get("/api/stats").json()
    web.run()
    web.run("raise SystemExit(3)")
    after = web.client.get("/api/stats").json()
    assert after["total_runs"] == before["total_runs"] + 2
    assert sum(after["by_status"].values()) == after["total_runs"]
    for status in ("completed", "failed"):
        assert after["by_status"][status] == before["by_status"].get(status, 0) + 1
    completed, failed = after["by_status"]["completed"], after["by_status"]["failed"]
    assert after["success_rate"] == round(100 * completed / (completed + failed), 2)


def test_stats_have_bounds(web):
    web.run()
    assert web.client.get("/api/stats?until=2001-01-01").json()["total_runs"] == 0
    assert web.client.get("/api/stats?since=2001-01-01").json()["total_runs"] > 0
    body = web.error("GET", "/api/stats?since=yesterday", 422)
    assert body["detail"][0]["loc"] == ["query", "since"]


def test_unknown_query_parameters_of_a_get_are_ignored(client):
    assert client.get("/api/stats?nonsense=1").status_code == 200


def test_me_is_the_local_administrator(client):
    body = client.get("/api/me").json()
    assert body["principal"] == "local"
    assert body["role"] == "admin"
    assert body["local"] is True
    assert {"run.read", "run.start", "run.stop"} <= set(body["permissions"])


def test_the_document_names_every_operation(client):
    document = client.get("/openapi.json").json()
    assert "/api/run" in document["paths"]
    fields = document["components"]["schemas"]["RunRequest"]["properties"]
    assert next(iter(fields)) == "script_path"


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/api", "/api/nothing", "/API/RUNS"]
)
def test_unknown_addresses_are_404_in_the_usual_form(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert check_error(answer)["code"] == "not_found"


def test_a_wrong_method_is_405_in_the_usual_form(client):
    answer = client.put("/api/runs")
    assert answer.status_code == 405
    assert check_error(answer)["code"] == "method_not_allowed"
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "DELETE"}


def test_head_is_405_everywhere(client):
    document = client.get("/openapi.json").json()
    for path in document["paths"]:
        assert client.head(path.replace("{run_id}", "x")).status_code == 405, path


def test_a_trailing_slash_is_another_address(client):
    assert client.get("/api/runs/", follow_redirects=False).status_code == 404


def test_answers_carry_the_security_headers(client):
    for path in ("/api/runs", "/api/nothing", "/"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert not any(name.startswith("access-control") for name in headers)


def test_a_defect_is_told_without_details(quiet):
    client = quiet.client
    client.get("/api/health")
    quiet.app.state.runtime.services.database.engine.dispose()
    (quiet.root.parent / "data" / "runs.db").write_bytes(
        b"this is no database at all" * 99
    )
    body = quiet.error("GET", "/api/runs", 500)
    assert body["code"] == "internal_error"
    assert "database" not in body["detail"]


def test_description_comes_compressed_and_once(client):
    answer = client.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 100_000
    plain = client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    assert plain.json() == answer.json()
    known = {"If-None-Match": answer.headers["etag"]}
    again = client.get("/openapi.json", headers=known)
    assert (again.status_code, again.content) == (304, b"")
