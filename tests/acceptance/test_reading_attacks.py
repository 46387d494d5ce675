"""Attacks by what is asked of the record: queries, names, ids, output, a damaged row."""

import contextlib
import sqlite3

import pytest

from tests.acceptance.attacks import UNKNOWN_ID, assert_refused, get_run
from tests.server import Server


@pytest.mark.parametrize(
    "query",
    [
        "trends?metric=1;drop table runs",
        "trends?metric=cpu&script_path=' OR 1=1--",
        "trends?metric=cpu&script_path=%25",
        "anomalies?metric=cpu&script_path=_&method=' OR 1=1--",
        "history?script_path=' OR 1=1--&limit=5",
    ],
)
def test_29_questions_to_the_history_are_no_sql(server: Server, query: str) -> None:
    before = server.run("print(1)\n", name="kept.py")
    answer = server.client.get(f"/api/analytics/{query}")
    if answer.status_code == 200:
        found = answer.json()
        assert found.get("count", found.get("value_count")) == 0, found
    else:
        assert_refused(answer, 400, 422)
    assert get_run(server, before["id"])["status"] == "completed"


@pytest.mark.parametrize("days", ["-1", "0", "1e9", "x", "99999", ""])
def test_59_cleanups_of_no_time_remove_nothing(server: Server, days: str) -> None:
    server.run("print(1)\n", name="kept.py")
    before = server.client.get("/api/analytics/history").json()["total"]
    answer = server.client.delete("/api/analytics/cleanup", params={"days": days})
    assert_refused(answer, 422)
    assert server.client.get("/api/analytics/history").json()["total"] == before


@pytest.mark.parametrize("name", ["../x", "", "x" * 10_000, "a\nb", "a\0", "%2e%2e/x"])
def test_59_benchmarks_have_plain_names(server: Server, name: str) -> None:
    body = {"name": name, "script_path": "kept.py"}
    answer = server.client.post("/api/analytics/benchmarks", json=body)
    assert_refused(answer, 422)
    answer = server.client.get(f"/api/analytics/benchmarks/{quote(name)}/regressions")
    assert_refused(answer, 404, 414, 422)


HOSTILE = (
    "</pre><script>alert(1)</script>\x1b]8;;https://evil.example\x07x\x1b]0;title\x07"
)


def test_47_48_logs_are_plain_text(server: Server) -> None:
    record = server.run(f"print({HOSTILE!r})\n")

    answer = server.client.get(f"/api/runs/{record['id']}/logs")

    assert answer.text == HOSTILE + "\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "run_id",
    [
        "..",
        "../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "x\n[ERROR] forged",
        "x" * 7_000,
        UNKNOWN_ID,
        UNKNOWN_ID.upper(),
        "{" + UNKNOWN_ID + "}",
        "' OR 1=1 --",
        "\x00",
    ],
)
def test_51_ids_that_are_none(server: Server, run_id: str) -> None:
    for method, tail in (
        ("GET", ""),
        ("GET", "/logs"),
        ("GET", "/logs/stream"),
        ("GET", "/events"),
        ("GET", "/visualization"),
        ("GET", "/script"),
        ("GET", "/outputs/x"),
        ("POST", "/stop"),
        ("POST", "/kill"),
        ("POST", "/cancel"),
        ("POST", "/restart"),
        ("DELETE", ""),
    ):
        url = f"/api/runs/{quote(run_id)}{tail}"
        answer = server.client.request(method, url)
        assert_refused(answer, 404, 405, 414, 422)
    assert "\n[ERROR] forged" not in server.read_log()


def quote(text: str) -> str:
    """Return ``text`` as a client without manners puts it into a path."""
    return "".join(
        c if c.isprintable() and c != " " else f"%{ord(c):02x}" for c in text
    )


def test_62_a_damaged_row_harms_only_itself(server: Server) -> None:
    good, bad = server.run("print(1)\n")["id"], server.run("print(2)\n")["id"]
    database = sqlite3.connect(server.data_dir / "runs.db", timeout=10)
    with contextlib.closing(database), database:
        database.execute("UPDATE run_details SET request = '{' WHERE run_id = ?", [bad])

    damaged = server.client.get(f"/api/runs/{bad}")

    assert_refused(damaged, 500, code="internal_error")
    assert server.client.get("/api/runs").status_code == 200
    assert get_run(server, good)["status"] == "completed"
