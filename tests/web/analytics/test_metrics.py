"""Questions about one metric: trends, anomalies, baselines, series."""

import pytest

from tests.web.analytics.conftest import METRIC_QUESTIONS


def test_the_catalogue_of_metrics(service):
    body = service.client.get("/api/analytics/metrics").json()
    by_name = {each["name"]: each for each in body["metrics"]}
    assert body["count"] == len(by_name)
    assert by_name["execution_time_seconds"]["unit"] == "s"
    assert by_name["execution_time_seconds"]["less_is_better"] is True
    assert "duration" in by_name["execution_time_seconds"]["aliases"]


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
