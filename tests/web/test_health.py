"""``GET /api/health``: the service answers, and that is all it says."""


def test_health_is_exactly_ok(client):
    answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.content == b'{"status":"ok"}'
    assert answer.headers["content-type"] == "application/json"


def test_health_does_not_touch_the_database(quiet):
    quiet.client.get("/api/health")
    quiet.app.state.runtime.services.database.close()
    (quiet.root.parent / "data" / "runs.db").unlink()
    assert quiet.client.get("/api/health").json() == {"status": "ok"}


def test_health_is_for_get_only(web):
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = web.client.request(method, "/api/health")
        assert answer.status_code == 405, method
        assert answer.headers["allow"] == "GET"


def test_two_answers_have_two_request_ids(client):
    first, second = client.get("/api/health"), client.get("/api/health")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
