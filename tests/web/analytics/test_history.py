"""The history over HTTP: pages, figures, databases, what is removed."""

from datetime import timedelta

import pytest

from tests.executions import make_finished
from tests.web.analytics.conftest import HOUR, METRIC_QUESTIONS, NOW, History


def test_a_finished_run_is_in_every_answer_at_once(service):
    record = service.run("print('hello')\n", args=["x"])
    script = str(service.root.resolve() / record["request"]["script_path"])
    history = History(service, script)
    page = history.ask("history")
    assert (page["count"], page["total"], page["days"]) == (1, 1, 30)
    (item,) = page["items"]
    assert item["id"] == record["result"]["execution_id"]
    assert item["run_id"] == record["id"]
    assert item["script_path"] == script
    assert item["metrics"]["success"] == 1
    seconds = record["result"]["metrics"]["execution_time_seconds"]
    assert history.ask("baseline")["baseline"] == seconds
    relative = History(service, record["request"]["script_path"])
    assert relative.ask("history")["total"] == 1
    assert relative.ask("history")["items"] == [item]


def test_a_history_file_of_a_run(service):
    record = service.run(history_db="own.db")
    assert record["result"]["execution_id"] == 1
    answer = service.client.get("/api/analytics/history?history_db=own.db").json()
    assert [each["run_id"] for each in answer["items"]] == [record["id"]]
    stats = service.client.get("/api/analytics/history/stats?history_db=own.db").json()
    assert (stats["total_executions"], stats["database_file"]) == (1, "own.db")
    assert (
        service.client.get("/api/analytics/overview?history_db=own.db").json()["count"]
        == 1
    )


@pytest.mark.parametrize("name", ["../runs.db", ":memory:", "file:x.db", "nothing"])
@pytest.mark.parametrize(
    "path", ["history", "history/stats", "overview", "baseline", "retention/preview"]
)
def test_other_databases_are_refused(service, path, name):
    body = service.error("GET", f"/api/analytics/{path}?history_db={name}", 400)
    assert body["code"] == "invalid_history_db"


def test_a_missing_history_is_not_made(service):
    for method, path in (
        ("GET", "history?history_db=new.db"),
        ("GET", "trends?metric=cpu&history_db=new.db"),
        ("DELETE", "cleanup?history_db=new.db"),
    ):
        body = service.error(method, f"/api/analytics/{path}", 404)
        assert body["code"] == "history_db_not_found"
    body = service.error(
        "POST", "/api/analytics/export", 404, json={"history_db": "new.db"}
    )
    assert body["code"] == "history_db_not_found"
    assert not (service.root.parent / "data" / "history" / "new.db").exists()


def test_bad_history_databases_are_refused_at_submit(service):
    path = service.write("print(1)")
    for name in ("../x.db", "nothing", "file:x.db"):
        body = {"script_path": path, "history_db": name}
        answer = service.error("POST", "/api/run", 400, json=body)
        assert answer["code"] == "invalid_history_db"


def test_pages_of_the_history(history):
    history.fill([1.0, 2.0, 3.0, 4.0, 5.0])
    first = history.ask("history", limit=2)
    assert [each["execution_time_seconds"] for each in first["items"]] == [5.0, 4.0]
    assert first["total"] == 5
    second = history.ask("history", limit=2, before=first["next_before"])
    assert [each["execution_time_seconds"] for each in second["items"]] == [3.0, 2.0]
    last = history.ask("history", limit=2, before=second["next_before"])
    assert [each["execution_time_seconds"] for each in last["items"]] == [1.0]
    assert last["next_before"] is None


@pytest.mark.parametrize("before", ["x", "1", "-", "99999999999999999999-1", "1-x"])
def test_a_place_that_is_none_is_malformed(service, before):
    service.error("GET", f"/api/analytics/history?before={before}", 422)


def test_days_since_until_and_outcome(history):
    status = ["completed", "failed", "completed", "cancelled", "completed"]
    history.fill([1.0, 2.0, 3.0, 4.0, 5.0], status=status)
    assert history.ask("history", days=1)["total"] == 5
    assert history.ask("history", outcome="success")["total"] == 3
    assert history.ask("history", outcome="failed")["total"] == 1
    since = (NOW - 3 * HOUR).isoformat()
    assert history.ask("history", since=since)["total"] == 3
    assert history.ask("history", until=since)["total"] == 2
    # Statistics never count cancelled runs.
    assert history.ask("trends", metric="duration")["values"] == [1.0, 2.0, 3.0, 5.0]
    only = history.ask("trends", metric="duration", outcome="success")
    assert only["values"] == [1.0, 3.0, 5.0]


@pytest.mark.parametrize(
    "query",
    [
        "history?limit=0",
        "history?limit=1001",
        "history?days=0",
        "history?days=366",
        "history?since=yesterday",
        "history?outcome=maybe",
        "trends",
        "trends?metric=Bad-Name",
        "trends?metric=",
        "trends?metric=cpu&limit=1",
        "trends?metric=cpu&limit=5001",
        "trends?metric=cpu&threshold=nan",
        "anomalies?metric=cpu&method=guess",
        "anomalies?metric=cpu&threshold=0.1",
        "anomalies?metric=cpu&threshold=inf",
        "baseline?method=guess",
        "baseline?percentile=100",
        "benchmarks/x/regressions?threshold=0",
        "retention/preview?days=0",
    ],
)
def test_malformed_questions(service, query):
    service.error("GET", f"/api/analytics/{query}", 422)


def test_stats_of_an_empty_history(quiet):
    body = quiet.client.get("/api/analytics/history/stats").json()
    assert body["total_executions"] == body["total_metrics"] == 0
    assert body["oldest"] is None
    assert body["database_file"] == "runs.db"
    assert quiet.client.get("/api/analytics/overview").json()["scripts"] == []
    preview = quiet.client.get("/api/analytics/retention/preview").json()
    assert preview["would_delete"] == {"executions": 0, "metrics": 0, "alerts": 0}


def test_asking_changes_no_file(history):
    history.fill([1.0] * 12)
    folder = history.web.root.parent / "data"
    before = sorted(str(path) for path in folder.rglob("*"))
    for what in METRIC_QUESTIONS:
        history.ask(what, metric="duration")
    for what in ("history", "history/stats", "overview", "metrics", "benchmarks"):
        history.ask(what)
    assert sorted(str(path) for path in folder.rglob("*")) == before


def test_cleanup_counts_first_and_removes_then(quiet):
    history = History(quiet, str(quiet.root / "x.py"))
    quiet.client.get("/api/stats")
    old = [
        make_finished(number, at=NOW - timedelta(days=100), script_path=history.script)
        for number in (1, 2)
    ]
    history.add(old)
    history.fill([1.0])
    planned = quiet.client.delete("/api/analytics/cleanup?dry_run=true").json()
    assert planned["deleted"] == {"executions": 2, "metrics": 14, "alerts": 0}
    body = quiet.client.delete("/api/analytics/cleanup").json()
    assert body["status"] == "ok"
    assert body["days_kept"] == 90
    assert body["message"] == "Deleted 2 records older than 90 days"
    assert body["deleted"] == planned["deleted"]
    assert (
        quiet.client.get("/api/analytics/history/stats").json()["total_executions"] == 1
    )
    again = quiet.client.delete("/api/analytics/cleanup?days=90").json()
    assert again["deleted"] == {"executions": 0, "metrics": 0, "alerts": 0}


@pytest.mark.parametrize("query", ["days=0", "days=36501", "days=x", "nonsense=1"])
def test_malformed_cleanups(service, query):
    service.error("DELETE", f"/api/analytics/cleanup?{query}", 422)


def test_a_preview_of_a_policy(quiet):
    history = History(quiet, str(quiet.root / "x.py"))
    quiet.client.get("/api/stats")
    history.add([make_finished(n, at=NOW - n * 10 * 24 * HOUR) for n in range(1, 11)])

    def preview(query):
        return quiet.client.get(f"/api/analytics/retention/preview?{query}").json()

    assert preview("")["policy"] == {"days": None, "max_runs": None, "max_mb": None}
    assert preview("")["would_delete"]["executions"] == 0
    by_age = preview("days=45")
    assert (by_age["would_delete"]["executions"], by_age["would_keep"]) == (6, 4)
    both = preview("days=45&max_runs=2")
    assert both["by_rule"] == {"age": 6, "count": 8, "size": 0}
    assert both["would_delete"]["executions"] == 8
    assert preview("max_runs=10")["would_delete"]["executions"] == 0
    assert (
        quiet.client.get("/api/analytics/history/stats").json()["total_executions"]
        == 10
    )
