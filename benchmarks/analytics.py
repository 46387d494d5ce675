"""Analytics with 1,000,000 stored executions of 500 scripts: answers, export, memory.

The rows are made inside SQLite, a year of them, with values that look like real ones. The
questions are asked of a running service over HTTP, as the dashboard asks them.
"""

import http.client
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Client, Service, running
from scriptrunner.history.rows import path_key
from scriptrunner.storage.database import Database
from scriptrunner.storage.tables import executions
from scriptrunner.storage.tables.execution import REAL_METRICS, WHOLE_METRICS

STORED = int(os.environ.get("BENCHMARK_EXECUTIONS", "1000000"))
SCRIPTS = 500
REQUESTS = 40
YEAR_SECONDS = 365 * 86_400
QUESTIONS = {
    "trends": "/api/analytics/trends?metric=execution_time_seconds&days=365",
    "anomalies": "/api/analytics/anomalies?metric=memory_max_mb&method=mad&days=365",
    "baseline": "/api/analytics/baseline?metric=cpu_avg&days=365",
    "series for the page": "/api/analytics/series?metric=duration&days=365",
}


def main() -> None:
    """Print the median milliseconds of each question, and the speed of the export."""
    print_machine()
    with running() as service:
        client = service.connect()
        started = time.perf_counter()
        fill(service)
        print(f"{STORED} executions stored in {time.perf_counter() - started:.0f} s")
        for name, path in QUESTIONS.items():
            paths = [f"{path}&script_path={of(11 * n)}" for n in range(REQUESTS)]
            values = measure(client, paths)
            print_claim(name, print_values(name, values, "ms"), "ms", claim="under 100")
        for days in (30, 365):
            values = measure(client, [f"/api/analytics/overview?days={days}"] * 10)
            name = f"overview of {days} days"
            print_claim(name, print_values(name, values, "ms"), "ms", claim="under 300")
        for kind in ("json", "csv"):
            export(service, kind)


def of(number: int) -> str:
    """Return the path of one of the scripts."""
    return f"/srv/scripts/script_{number % SCRIPTS:03}.py"


def measure(client: Client, paths: Sequence[str]) -> list[float]:
    """Return the milliseconds of each request, after one that warms up."""
    values = []
    for path in [paths[-1], *paths]:
        started = time.perf_counter()
        status, _, body = client.request("GET", path)
        values.append((time.perf_counter() - started) * 1000)
        if status != 200 or b'"needed"' in body:
            raise RuntimeError(f"{path}: {status}, {body[-400:]!r}")
    return values[1:]


def export(service: Service, kind: str) -> None:
    """Export the last 30 days of everything, and watch the memory of the service."""
    body = json.dumps({"format": kind, "start_date": days_ago(30)})
    mark = b'"metric_name":' if kind == "json" else b"\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=120)
    before = peak = memory_mb(service)
    rows, size, seen = 0, 0, 0
    started = time.perf_counter()
    connection.request(
        "POST",
        "/api/analytics/export",
        body,
        {"Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    while piece := answer.read(1 << 20):
        rows += piece.count(mark)
        size += len(piece)
        if size - seen > 64 << 20:
            seen, peak = size, max(peak, memory_mb(service))
    seconds = time.perf_counter() - started
    connection.close()
    print(f"export {kind}: {rows} rows, {size >> 20} MiB in {seconds:.1f} s")
    print_claim(f"export {kind}", rows / seconds, "rows/s", claim="over 50,000")
    print_claim(f"memory beyond idle, {kind}", peak - before, "MiB", claim="flat")


def days_ago(days: int) -> str:
    """Return the date of so many days ago."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86_400))


def memory_mb(service: Service) -> float:
    """Return the resident memory of all processes of the service."""
    return sum(each.memory_info().rss for each in service.processes()) / (1 << 20)


def fill(service: Service) -> None:
    """Make the rows inside the database of the service."""
    fill_database(Path(service.folder) / "data" / "runs.db", STORED)


def fill_database(file: Path, count: int) -> None:
    """Store ``count`` executions of ``SCRIPTS`` scripts, spread over the last year."""
    database = Database(f"sqlite:///{file}")
    keys = [(number, of(number), path_key(of(number))) for number in range(SCRIPTS)]
    now = int(time.time() * 1_000_000)
    step = YEAR_SECONDS * 1_000_000 // count
    try:
        with database.write() as connection:
            connection.execute(
                text("CREATE TEMP TABLE script (n INTEGER PRIMARY KEY, path, key)")
            )
            connection.exec_driver_sql("INSERT INTO script VALUES (?, ?, ?)", keys)
            names = [column.name for column in executions.columns]
            values = {name: _made(name) for name in names}
            connection.execute(
                text(  # our own names only
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                    f" SELECT i + 1 FROM n WHERE i < {count})"
                    f" INSERT INTO executions ({', '.join(names)})"
                    f" SELECT {', '.join(values.values())} FROM n"
                    f" JOIN script s ON s.n = n.i % {SCRIPTS}"
                ),
                {"now": now, "step": step, "count": count},
            )
        with database.write() as connection:
            connection.execute(text("DROP TABLE script"))
        with database.read() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).close()
    finally:
        database.close()


#: What is not a metric: column → SQL of its value in row ``n.i`` of script ``s``.
_IDENTITY = {
    "id": "n.i",
    "run_id": "printf('%08x-0000-4000-8000-000000000000', n.i)",
    "script_key": "s.key",
    "script_path": "s.path",
    "script_sha256": f"printf('%064x', n.i / {100 * SCRIPTS})",
    "script_args": "'[]'",
    "args_key": "1",
    "python_version": "'3.11.7'",
    "platform": "'Linux'",
    "correlation_id": "printf('%08x-0000-4000-8000-00000000000c', n.i)",
    "trigger": "'schedule'",
    "status": "CASE WHEN n.i % 50 THEN 'completed' ELSE 'failed' END",
    "run_status": "CASE WHEN n.i % 50 THEN 'success' ELSE 'failed' END",
    "reason": "NULL",
    "started_at": ":now - (:count - n.i) * :step",
    "finished_at": ":now - (:count - n.i) * :step + 1000000",
    "created_at": ":now - (:count - n.i) * :step + 1000000",
    "metric_count": "30",
    "alert_count": "0",
    "success": "n.i % 50 > 0",
    "exit_code": "n.i % 50 = 0",
    "timed_out": "0",
    "attempt_number": "1",
}
#: Metrics that this history does not know.
_UNKNOWN = (
    "timeout_seconds",
    "cost_total",
    "io_read_bytes",
    "io_write_bytes",
    "page_faults_major",
    "block_input_ops",
)
#: About normal, mean 0, deviation 1.
_NOISE = "((random() % 1000 + random() % 1000 + random() % 1000) / 1000.0)"


def _made(name: str) -> str:
    if name in _IDENTITY:
        return _IDENTITY[name]
    if name in _UNKNOWN:
        return "NULL"
    if name in WHOLE_METRICS:
        return "abs(random() % 1000)"
    if name not in REAL_METRICS:
        raise RuntimeError(f"what is {name}?")
    return f"10.0 + s.n % 7 + {_NOISE}"
