"""What a service looks like after a while: history, tasks, a library, alerts, tokens.

Used by the tests of the pages and by ``tools/screenshots.py``.
"""

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from scriptrunner.storage.database import Database
from tests import executions
from tests.server import Server, wait_for

#: The script whose history has a shift, and the hashes of its bytes before and after.
ETL = "jobs/nightly_etl.py"
VERSIONS = ("4f1c0a9be27d" + "0" * 52, "b82e61d3c5f4" + "0" * 52)
#: Runs of that script in the history; the level shifts with this one.
RUNS = 90
SHIFT = 60


@contextlib.contextmanager
def opened(server: Server) -> Iterator[Database]:
    """Yield the database of a running service."""
    database = Database(f"sqlite:///{server.data_dir}/runs.db")
    try:
        yield database
    finally:
        database.close()


def add_history(server: Server) -> None:
    """Make history: a script that became slower with a new version, and two others.

    Two runs of the first are far from the others. The numbers are drawn from a seed.
    A benchmark was taken before the change and after it.
    """
    chance = random.Random(11)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    found = []
    for number in range(1, RUNS + 1):
        slower = number >= SHIFT
        seconds = chance.gauss(2.9 if slower else 2.0, 0.12)
        if number in (23, 71):
            seconds *= 1.9
        found.append(
            executions.make_finished(
                number,
                at=end - timedelta(hours=7 * (RUNS - number)),
                script_path=str(server.root / ETL),
                script_args=["--day", "yesterday"],
                script_sha256=VERSIONS[slower],
                execution_time_seconds=round(seconds, 4),
                cpu_avg=round(chance.gauss(61, 4), 2),
                memory_max_mb=round(chance.gauss(148, 5), 2),
            )
        )
    for number in range(RUNS + 1, RUNS + 61):
        failed = number > RUNS + 56 and number % 2 == 1
        found.append(
            executions.make_finished(
                number,
                at=end - timedelta(hours=9 * (RUNS + 61 - number)),
                script_path=str(
                    server.root / ("jobs/backup.py", "jobs/report.py")[number % 2]
                ),
                status="failed" if failed else "completed",
                exit_code=1 if failed else 0,
                execution_time_seconds=round(chance.gauss(0.8, 0.05), 4),
                memory_max_mb=round(chance.gauss(32, 1), 2),
            )
        )
    with opened(server) as database:
        executions.store(database, found[: SHIFT - 1], first_id=100_001)
        add_benchmark(server, "1.4")
        executions.store(database, found[SHIFT - 1 :], first_id=100_001 + SHIFT)
        add_benchmark(server, "1.5")


def add_benchmark(server: Server, version: str) -> None:
    """Take a snapshot of the script as it is now."""
    answer = server.client.post(
        "/api/analytics/benchmarks",
        json={
            "name": "nightly-etl",
            "script_path": str(server.root / ETL),
            "version_id": version,
        },
    )
    assert answer.status_code == 201, answer.text


#: Scripts that the samples speak of, by path below the allowed root.
FILES = {
    ETL: """\
\"\"\"Load the orders of yesterday.\"\"\"

import sys


def load(day: str) -> int:
    # One batch per hour.
    return sum(417 + 13 * hour for hour in range(24))


print(load(sys.argv[-1]), "rows")
""",
    "jobs/report.py": 'print("report.pdf written")\n',
    "jobs/backup.py": 'print("12,204 files, nothing skipped")\n',
    "jobs/sync_users.py": 'print("nobody new")\n',
    "ml/train_model.py": 'print("loss 0.0912")\n',
    "old/backup.py": 'print("12,204 files, nothing skipped")\n',
    "ops/cleanup.sh": "#!/bin/sh\nrm -rf /tmp/scratch\n",
    "sql/orders.sql": "SELECT count(*) FROM orders;\n",
}


def fill(server: Server) -> None:
    """Give a service all of it."""
    for name, text in FILES.items():
        server.write_script(name, text)
    add_history(server)
    add_tasks(server)
    add_library(server)


#: Tags by name, and their colours.
TAGS = {"etl": "#6366f1", "prod": "#ef4444", "ml": "#10b981"}
#: Which scripts have which tags.
TAGGED = {
    ETL: ("etl", "prod"),
    "jobs/report.py": ("etl",),
    "ml/train_model.py": ("ml",),
}


def add_library(server: Server) -> None:
    """List the scripts, and say something about some of them."""
    client = server.client
    json = {"path": str(server.root), "name": "Ops"}
    answer = client.post("/api/library/folder-roots", json=json)
    assert answer.status_code == 201, answer.text
    root_id = answer.json()["id"]
    scan(server, root_id)
    tags = {
        name: client.post(
            "/api/library/tags", json={"name": name, "color": color}
        ).json()["id"]
        for name, color in TAGS.items()
    }
    scripts = find_scripts(server)
    for path, names in TAGGED.items():
        for name in names:
            client.post(f"/api/library/scripts/{scripts[path]}/tags/{tags[name]}")
    client.put(
        f"/api/library/scripts/{scripts[ETL]}/status",
        json={
            "owner": "ann",
            "environment": "production",
            "notes": "Ask ann before you change the batch size.",
        },
    )
    client.put(
        f"/api/library/scripts/{scripts['old/backup.py']}/status",
        json={"status": "deprecated"},
    )
    server.write_script(ETL, FILES[ETL].replace("417 + 13", "420 + 12"))
    scan(server, root_id)


def scan(server: Server, root_id: int) -> None:
    """Scan a root and wait for its end."""
    path = f"/api/library/folder-roots/{root_id}/scan"
    scan_id = server.client.post(path).json()["scan_id"]

    def is_over() -> bool:
        found = server.client.get(f"{path}/{scan_id}").json()
        return bool(found["status"] != "running")

    wait_for(is_over, what="the end of a scan")


def find_scripts(server: Server) -> dict[str, int]:
    """Return the ids of the scripts of the library by path below their root."""
    found = server.client.get("/api/library/scripts", params={"page_size": 200})
    return {each["relative_path"]: each["id"] for each in found.json()["items"]}


#: Tasks by name: what a small team might have.
TASKS: dict[str, dict[str, Any]] = {
    "fetch-orders": {
        "script_path": "jobs/report.py",
        "cron_expr": "30 1 * * *",
        "timezone": "Europe/Berlin",
        "description": "Orders of yesterday",
    },
    "nightly-etl": {
        "script_path": ETL,
        "script_args": ["--day", "yesterday"],
        "cron_expr": "0 2 * * 1-5",
        "timezone": "Europe/Berlin",
        "dependencies": ["fetch-orders"],
    },
    "weekly-report": {
        "script_path": "jobs/report.py",
        "dependencies": ["nightly-etl"],
        "events": ["deploy"],
    },
    "backup": {
        "script_path": "jobs/backup.py",
        "schedule": "every 6 hours",
        "description": "To the NAS",
        "run_options": {"timeout": 600},
    },
    "sync-users": {
        "script_path": "jobs/sync_users.py",
        "schedule": "every 15 minutes",
        "enabled": False,
    },
    "train-model": {
        "script_path": "ml/train_model.py",
        "cron_expr": "0 4 * * SUN",
        "timezone": "America/New_York",
        "dependencies": ["nightly-etl", "backup"],
    },
}


def add_tasks(server: Server) -> None:
    """Make the tasks."""
    for name, fields in TASKS.items():
        answer = server.client.post(
            "/api/scheduler/tasks", json={"task_id": name, **fields}
        )
        assert answer.status_code == 201, answer.text
