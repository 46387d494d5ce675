"""The history as a file."""

import csv
import io
import json

import pytest

from tests.web.analytics.conftest import HOUR, NOW, History


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
