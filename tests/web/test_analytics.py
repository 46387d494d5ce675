"""The analytics over HTTP: questions, answers, what is refused, what is not enough."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.history.rows import path_key
from scriptrunner.storage.database import Database
from tests.executions import make_finished, store
from tests.web.conftest import running_web

NOW = datetime.now(UTC).replace(microsecond=0)
#: An hour between two runs, the last one an hour ago.
HOUR = timedelta(hours=1)
METRIC_QUESTIONS = ("trends", "anomalies", "baseline", "series")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service whose history its tests fill, each with a script of its own."""
    with running_web(tmp_path_factory.mktemp("analytics")) as web:
        web.client.get("/api/stats")
        yield web


class History:
    """Executions of one script in the history of a service."""

    def __init__(self, web, script):
        self.web = web
        self.client = web.client
        self.script = script

    def fill(self, values, metric="execution_time_seconds", **changes):
        """Add an execution per value, the last one an hour ago."""
        count = len(values)
        self.add(
            [
                make_finished(
                    at=NOW - (count - place) * HOUR,
                    script_path=self.script,
                    run_id=f"{abs(path_key(self.script)) % 10**8:08}-{place:027}",
                    **{metric: value},
                    **{name: each[place] for name, each in changes.items()},
                )
                for place, value in enumerate(values)
            ]
        )

    def add(self, finished):
        database = Database(self.web.app.state.runtime.services.database.url)
        with database.read() as connection:
            last = connection.exec_driver_sql("SELECT max(id) FROM executions").scalar()
        store(database, finished, first_id=(last or 0) + 1)
        database.close()

    def ask(self, what, **query):
        query = {"script_path": self.script, **query}
        answer = self.client.get(f"/api/analytics/{what}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def history(service, request):
    return History(service, str(service.root / f"{request.node.name}.py"))


# Real runs


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


# History


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


def test_the_catalogue_of_metrics(service):
    body = service.client.get("/api/analytics/metrics").json()
    by_name = {each["name"]: each for each in body["metrics"]}
    assert body["count"] == len(by_name)
    assert by_name["execution_time_seconds"]["unit"] == "s"
    assert by_name["execution_time_seconds"]["less_is_better"] is True
    assert "duration" in by_name["execution_time_seconds"]["aliases"]


# One metric


def test_a_trend_by_hand(history):
    # y = 1, 2 .. 20: slope 1 per run, 24 per day; mean 10.5, 100 / 10.5 = 9.52 %.
    history.fill([float(value) for value in range(1, 21)])
    body = history.ask("trends", metric="execution_time")
    assert body["metric"] == "execution_time_seconds"
    assert body["value_count"] == 20
    assert body["values"] == [float(value) for value in range(1, 21)]
    assert body["points"][0]["value"] == 1.0
    assert body["points"][0]["time"] < body["points"][1]["time"]
    trend = body["trend"]
    assert trend["direction"] == trend["trend"] == "increasing"
    assert trend["slope"] == pytest.approx(1.0)
    assert trend["intercept"] == pytest.approx(1.0)
    assert trend["slope_per_day"] == pytest.approx(24.0)
    assert trend["r_squared"] == pytest.approx(1.0)
    assert trend["p_value"] == 0.0
    assert trend["slope_pct_per_run"] == 9.52
    assert trend["robust_slope"] == pytest.approx(1.0)
    # The last five: mean 18; the fifteen before: mean 8; 100 * 10 / 8 = 125 %.
    assert body["regression"] == {
        "regression_detected": True,
        "baseline_mean": 8.0,
        "recent_mean": 18.0,
        "percent_change": 125.0,
        "threshold_pct": 10.0,
        "baseline_size": 15,
        "recent_size": 5,
        "severity": "high",
    }
    assert body["drifts"] is True


def test_a_shift_names_the_version(history):
    values = [1.0 + place % 5 / 100 for place in range(20)]
    values += [1.5 + place % 5 / 100 for place in range(10)]
    versions = ["a" * 64] * 20 + ["b" * 64] * 10
    history.fill(values, script_sha256=versions)
    body = history.ask("trends", metric="duration")
    (shift,) = body["change_points"]
    first = body["points"][20]
    assert (shift["index"], shift["run_id"]) == (20, first["run_id"])
    assert shift["percent_change"] == pytest.approx(49.02)  # 1.52 against 1.02
    assert (shift["direction"], shift["is_worse"]) == ("increase", True)
    assert shift["blamed"] == {
        "kind": "version",
        "index": 20,
        "run_id": first["run_id"],
        "time": first["time"],
        "from": "a" * 64,
        "to": "b" * 64,
        "last_run_before": body["points"][19]["run_id"],
        "first_seen": first["time"],
        "first_run_id": first["run_id"],
    }
    assert "the script changed (aaaaaaaaaaaa → bbbbbbbbbbbb)" in shift["summary"]
    series = history.ask("series", metric="duration")
    assert series["change_points"] == body["change_points"]
    assert [level["median"] for level in series["levels"]] == [1.02, 1.52]


def test_anomalies_on_both_sides(history):
    history.fill([10.0, 11.0, 12.0, 11.0, 10.0, 12.0, 11.0, 100.0, 0.5], "cpu_max")
    for method in ("iqr", "mad"):
        body = history.ask("anomalies", metric="cpu", method=method)
        found = [(each["index"], each["direction"]) for each in body["anomalies"]]
        assert found == [(7, "high"), (8, "low")]
        assert (body["count"], body["percentage"]) == (2, 22.22)
        for each in body["anomalies"]:
            assert each["score"] > body["threshold"]
            assert not each["lower"] <= each["value"] <= each["upper"]
            assert each["type"] == "outlier"
    few = history.ask("anomalies", metric="cpu", method="zscore")
    assert (few["anomalies"], few["needed"]) == ([], 11)
    assert few["message"] == "Not enough data points"


def test_baselines(history):
    history.fill([1.0, 2.0, 3.0, 4.0, 100.0])
    # (5 - 1) * 0.75 = 3: the fourth value.
    assert history.ask("baseline", method="percentile")["baseline"] == 4.0
    body = history.ask("baseline", method="percentile", percentile=50)
    assert (body["baseline"], body["percentile"]) == (3.0, 50.0)
    # Q1 2, Q3 4, fences -1 and 7: 100 goes; the median of the rest is 2.5.
    body = history.ask("baseline", method="iqr")
    assert (body["baseline"], body["outliers_removed"]) == (2.5, 1)
    body = history.ask("baseline")
    assert (body["method"], body["chosen"]) == ("intelligent", "iqr_filtered")
    assert (body["min"], body["max"], body["data_points"]) == (1.0, 100.0, 5)


def test_all_zero_is_a_baseline(history):
    history.fill([0.0] * 6, "cpu_max")
    assert history.ask("baseline", metric="cpu_max")["baseline"] == 0.0


@pytest.mark.parametrize("what", METRIC_QUESTIONS)
def test_no_data_is_an_answer(history, what):
    body = history.ask(what, metric="duration")
    assert body["value_count" if what != "baseline" else "data_points"] == 0
    messages = {"baseline": "No data found for this metric"}
    assert body["message"] == messages.get(what, "Not enough data points")
    assert body["needed"] >= 1


@pytest.mark.parametrize("what", METRIC_QUESTIONS)
def test_an_unknown_metric_is_answered_with_the_known_ones(history, what):
    history.fill([1.0] * 12)
    body = history.ask(what, metric="memory_delta")
    assert body["metric"] == "memory_delta"
    assert "memory_delta" in body["message"]
    assert "memory_max_mb" in body["message"]


def test_one_value_is_not_enough_for_a_trend(history):
    history.fill([1.0])
    body = history.ask("trends", metric="duration")
    assert (body["trend"], body["regression"]) == (None, None)
    assert (body["message"], body["needed"]) == ("Not enough data points", 2)
    assert history.ask("baseline")["baseline"] == 1.0


def test_a_series_for_a_chart(history):
    history.fill([1.0 + place / 100 for place in range(60)])
    body = history.ask("series", metric="duration", method="mad")
    assert body["unit"] == "s"
    assert len(body["points"]) == len(body["fit"]) == 60
    assert len(body["fit_band"]["low"]) == 60
    assert body["band"] == body["bounds"]
    assert body["trend"]["direction"] == "increasing"
    assert body["aggregated"] is False


def test_a_long_series_is_thinned_out(history):
    history.fill([float(place) for place in range(2_400)])
    body = history.ask("series", metric="duration", limit=5_000, days=365)
    assert (body["value_count"], len(body["points"])) == (2_400, 800)
    assert body["aggregated"] is True
    assert len(body["fit"]) == 800
    first = body["points"][0]
    assert (first["value"], first["min"], first["max"]) == (1.0, 0.0, 2.0)
    assert (first["count"], first["run_id"][-4:]) == (3, "0001")


def test_the_newest_are_meant(history):
    history.fill([float(place) for place in range(30)])
    body = history.ask("trends", metric="duration", limit=10)
    assert body["values"] == [float(place) for place in range(20, 30)]


def test_the_overview_has_a_line_per_script(history):
    history.fill(
        [1.0 + place % 3 / 10 for place in range(15)] + [2.0] * 5,
        status=["completed"] * 17 + ["failed"] * 3,
    )
    body = history.ask("overview")
    (line,) = body["scripts"]
    assert line["script_path"] == history.script
    assert (line["executions"], line["success_rate"]) == (20, 85.0)
    assert line["last_run"]["success"] is False
    assert line["flags"] == ["failing"]
    everything = history.client.get("/api/analytics/overview").json()
    assert line in everything["scripts"]
    assert everything["count"] == len(everything["scripts"])


# Export and removal


def export(history, **body):
    answer = history.client.post(
        "/api/analytics/export", json={"script_path": history.script, **body}
    )
    assert answer.status_code == 200, answer.text
    return answer


COLUMNS = [
    "timestamp",
    "metric_name",
    "value",
    "script_path",
    "exit_code",
    "run_id",
    "status",
]


def test_export_as_json(history):
    history.fill([1.0, 2.5])
    answer = export(history)
    assert answer.headers["content-type"] == "application/json"
    disposition = answer.headers["content-disposition"]
    assert disposition == 'attachment; filename="metrics_export.json"'
    rows = answer.json()
    assert all(list(row) == COLUMNS for row in rows)
    page = history.ask("history")
    assert len(rows) == sum(len(item["metrics"]) for item in page["items"])
    seconds = [r for r in rows if r["metric_name"] == "execution_time_seconds"]
    assert [row["value"] for row in seconds] == [1.0, 2.5]
    assert [row["exit_code"] for row in seconds] == [0, 0]


def test_export_as_csv(history):
    history.fill([1.0, -2.5])
    answer = export(history, format="csv", metric_name="duration")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.count("\r\n") == 3
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == COLUMNS
    assert [row[2] for row in rows] == ["1.0", "-2.5"]


def test_cells_are_no_formulas_and_other_scripts_survive(service):
    for script in ("=cmd|' /C calc'!A0", '/srv/ü, "x".py', "@SUM(1)", "-1"):
        history = History(service, script)
        history.fill([1.0])
        text = export(history, format="csv", metric_name="duration").text
        ((cell,),) = [
            [row[3]] for row in list(csv.reader(io.StringIO(text, newline="")))[1:]
        ]
        expected = f"'{script}" if script[0] in "=@-" else script
        assert cell == expected
        assert export(history).json()[0]["script_path"] == script


def test_export_filters(history):
    history.fill([1.0, 2.0, 3.0])
    start = (NOW - 2 * HOUR).isoformat()
    body = export(history, metric_name="duration", start_date=start).json()
    assert [row["value"] for row in body] == [2.0, 3.0]
    body = export(history, metric_name="duration", end_date=start).json()
    assert [row["value"] for row in body] == [1.0]
    assert export(history, metric_name="nonsense").json() == []
    empty = export(history, metric_name="nonsense", format="csv").text
    assert empty == ",".join(COLUMNS) + "\r\n"
    assert export(history, end_date="2001-01-01").json() == []


def test_export_without_a_body(service):
    answer = service.client.post("/api/analytics/export")
    assert answer.status_code == 200
    assert isinstance(answer.json(), list)


@pytest.mark.parametrize(
    "body",
    [
        {"format": "xlsx"},
        {"metric_name": "Bad Name"},
        {"start_date": "yesterday"},
        {"nonsense": 1},
        {"format": 3},
        [],
    ],
)
def test_malformed_exports(service, body):
    service.error("POST", "/api/analytics/export", 422, json=body)


def test_export_as_parquet(history):
    parquet = pytest.importorskip("pyarrow.parquet")
    history.fill([1.0, 2.5])
    answer = export(history, format="parquet")
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.column_names == COLUMNS
    rows = table.to_pylist()
    assert len(rows) == len(export(history).json())
    assert {type(row["value"]) for row in rows} == {float}
    assert rows[0]["timestamp"].tzinfo is not None
    assert rows[0]["script_path"] == history.script


def test_a_broken_export_never_looks_complete(history, monkeypatch):
    history.fill([1.0] * 5)
    monkeypatch.setattr("scriptrunner.history.store.CHUNK", 2)
    from scriptrunner.history.repository import reading  # noqa: PLC0415

    read, calls = reading.read_chunk, []

    def fail_at_second(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the disk is gone")
        return read(*args, **options)

    monkeypatch.setattr(reading, "read_chunk", fail_at_second)
    pieces = []
    with (
        pytest.raises(RuntimeError, match="the disk is gone"),
        history.client.stream("POST", "/api/analytics/export", json={}) as answer,
    ):
        pieces += answer.iter_text()
    with pytest.raises(ValueError, match=r"Expecting|delimiter"):
        json.loads("".join(pieces))


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


# Benchmarks


def benchmark(history, name, **fields):
    body = {"name": name, "script_path": history.script, **fields}
    return history.client.post("/api/analytics/benchmarks", json=body)


def test_benchmarks_by_hand(history):
    values = [0.9, 1.0, 1.1]  # mean 1.0, deviations 0.1, 0, 0.1: s = 0.1
    history.fill(values, cpu_avg=[10.0, 15.0, 20.0], memory_max_mb=[60.0, 65.0, 70.0])
    made = benchmark(history, "etl 1", version_id="v1", notes="before")
    assert made.status_code == 201, made.text
    body = made.json()
    assert (body["status"], body["name"], body["version"]) == ("success", "etl 1", "v1")
    assert body["samples"] == 3
    assert body["cpu"]["mean"] == 15.0
    assert body["cpu"]["stdev"] == 5.0
    assert body["memory"]["mean"] == 65.0
    assert body["execution_time"]["mean"] == pytest.approx(1.0)
    assert body["execution_time"]["stdev"] == pytest.approx(0.1)
    taken = benchmark(history, "etl 1", version_id="v1")
    assert (taken.status_code, taken.json()["code"]) == (409, "version_exists")
    other = History(history.web, "/srv/other-of-benchmark.py")
    other.fill([1.0])
    refused = benchmark(other, "etl 1", version_id="v2")
    assert refused.json()["code"] == "benchmark_script_mismatch"
    one = history.client.get("/api/analytics/benchmarks/etl 1/regressions").json()
    assert one["status"] == "insufficient_data"
    assert one["message"] == (
        "Need at least 2 benchmark versions for regression detection"
    )
    assert (one["regressions"], one["regression_count"]) == ([], 0)


def test_regressions_from_version_to_version(history):
    history.fill([1.0 + place / 100 for place in range(10)])
    benchmark(history, "grow", version_id="v1", sample_size=10)
    history.add(
        [
            make_finished(
                at=NOW - timedelta(minutes=50 - place),
                script_path=history.script,
                run_id=f"slow-{place}",
                execution_time_seconds=1.5 + place / 100,
                cpu_avg=20.0,
            )
            for place in range(10)
        ]
    )
    benchmark(history, "grow", sample_size=10)
    versions = history.client.get("/api/analytics/benchmarks?name=grow").json()
    assert versions["version_count"] == 2
    assert versions["versions"][1]["version"] == "v1"
    assert versions["versions"][1]["exec_time_mean"] == pytest.approx(1.045)
    assert versions["versions"][0]["version"].endswith("Z")
    names = history.client.get("/api/analytics/benchmarks").json()
    assert "grow" in names["benchmarks"]
    assert names["benchmark_count"] == len(names["benchmarks"])
    body = history.client.get("/api/analytics/benchmarks/grow/regressions").json()
    assert body["regression_count"] == 1
    (slower,) = body["regressions"]
    assert (slower["from_version"], slower["metric"]) == (
        "v1",
        "execution_time_seconds",
    )
    assert slower["percent_change"] == 47.85  # 1.545 / 1.045
    assert slower["severity"] == "critical"
    assert slower["effect_size"] == 1.0
    assert (slower["significant"], slower["verdict"]) == (True, "regression")
    (faster,) = body["improvements"]
    assert (faster["metric"], faster["percent_change"]) == ("cpu_percent", -60.0)
    less = history.client.get(
        "/api/analytics/benchmarks/grow/regressions?threshold=50"
    ).json()
    assert less["regressions"] == []


@pytest.mark.parametrize(
    ("percent", "severity"),
    [(9.996, None), (10.0, "warning"), (30.0, "warning"), (30.004, "critical")],
)
def test_percents_are_judged_before_they_are_rounded(history, percent, severity):
    history.fill([1.0], cpu_avg=[0.94])
    benchmark(history, f"round {percent}", version_id="v1", sample_size=1)
    newer = make_finished(
        at=NOW - timedelta(minutes=1),
        script_path=history.script,
        run_id=f"round-{percent}",
        execution_time_seconds=1.0,
        cpu_avg=0.94 * (1 + percent / 100),
    )
    history.add([newer])
    benchmark(history, f"round {percent}", version_id="v2", sample_size=1)
    path = f"/api/analytics/benchmarks/round {percent}/regressions"
    found = history.client.get(path).json()["regressions"]
    assert [each["severity"] for each in found] == ([severity] if severity else [])


def test_a_benchmark_needs_successful_runs(history):
    history.fill([1.0, 2.0], status=["failed", "cancelled"])
    answer = benchmark(history, "none")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_enough_data")
    assert history.client.get("/api/analytics/benchmarks?name=none").json() == {
        "status": "success",
        "benchmark": "none",
        "versions": [],
        "version_count": 0,
    }
    body = history.web.error("GET", "/api/analytics/benchmarks/none/regressions", 404)
    assert body["code"] == "benchmark_not_found"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "../x", "script_path": "a.py"},
        {"name": "x" * 101, "script_path": "a.py"},
        {"name": "x", "script_path": "a.py", "sample_size": 0},
        {"name": "x", "script_path": "a.py", "days": 366},
        {"name": "x", "script_path": "a.py", "version_id": ""},
        {"name": "x", "script_path": 5},
        {"name": "x", "script_path": "a.py", "notes": "\0"},
        {"name": "x", "script_path": "a.py", "more": 1},
    ],
)
def test_malformed_benchmarks(service, body):
    service.error("POST", "/api/analytics/benchmarks", 422, json=body)


def test_a_body_needs_its_media_type(service):
    for path in ("benchmarks", "export"):
        service.error(
            "POST",
            f"/api/analytics/{path}",
            415,
            content=b"{}",
            headers={"content-type": "text/plain"},
        )


def test_asking_changes_no_file(history):
    history.fill([1.0] * 12)
    folder = history.web.root.parent / "data"
    before = sorted(str(path) for path in folder.rglob("*"))
    for what in METRIC_QUESTIONS:
        history.ask(what, metric="duration")
    for what in ("history", "history/stats", "overview", "metrics", "benchmarks"):
        history.ask(what)
    assert sorted(str(path) for path in folder.rglob("*")) == before
