"""``GET /api/runs`` of 50 with 100,000 runs stored, a tenth of them with large output.

The rows are made by the service's own storage code and copied within the database, so
that they are what real runs leave behind. The floor is a bare process start.
"""

import time
from pathlib import Path

from sqlalchemy import text

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Client, running
from scriptrunner.storage.database import Database

STORED = 100_000
REQUESTS = 100
PATHS = {
    "first page": "/api/runs?limit=50",
    "by status": "/api/runs?limit=50&status=completed",
    "far page by cursor": "/api/runs?limit=50&before={far}",
}


def main() -> None:
    """Print the median milliseconds of each kind of list."""
    print_machine()
    with running() as service:
        service.add_script("loud.py", 'print("x" * 60_000)\n')
        client = service.connect()
        client.get(f"/api/runs/{client.submit('loud.py')}?wait=30")
        multiply(service.folder)
        far = client.get(f"/api/runs?limit=1&offset={STORED // 2}")[0]["id"]
        medians = [
            print_values(name, measure(client, path.format(far=far)), "ms")
            for name, path in PATHS.items()
        ]
    print_claim("first page of 50", medians[0], "ms", claim="under 15 ms")


def measure(client: Client, path: str) -> list[float]:
    """Return the milliseconds of each request."""
    values = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        status, headers, body = client.request("GET", path)
        values.append((time.perf_counter() - started) * 1000)
        if status != 200 or body.count(b'"queued_at"') != 50:
            raise RuntimeError(f"{path}: {status}, {headers}")
    return values


def multiply(folder: Path) -> None:
    """Copy the one stored run until there are ``STORED``, with ids and times of their own.

    Args:
        folder: That of the service, with ``data/runs.db`` in it.
    """
    database = Database(f"sqlite:///{folder}/data/runs.db")
    try:
        with database.write() as connection:
            for table, key in (("runs", "id"), ("run_details", "run_id")):
                columns = [
                    row[1]
                    for row in connection.execute(text(f"PRAGMA table_info({table})"))
                ]
                values = [_copied(column, key) for column in columns]
                connection.execute(
                    text(  # our own names only
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                        f"SELECT i + 1 FROM n WHERE i < {STORED - 1}) "
                        f"INSERT INTO {table} ({', '.join(columns)}) "
                        f"SELECT {', '.join(values)} FROM {table}, n"
                    )
                )
    finally:
        database.close()


def _copied(column: str, key: str) -> str:
    if column == key:
        return "printf('%08x-0000-4000-8000-000000000000', n.i)"
    if column in ("queued_at", "started_at", "finished_at"):
        return f"{column} - n.i * 1000000"
    return column
