"""Benchmarks: made, listed, compared from version to version."""

from datetime import timedelta

import pytest

from tests.executions import make_finished
from tests.web.analytics.conftest import NOW, History


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
