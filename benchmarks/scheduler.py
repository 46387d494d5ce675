"""The scheduler: 10,000 tasks, 100 due in the same second, lateness, idle cost.

``--tasks`` and ``--watch`` make it smaller. Tasks are made by import, which is one
transaction; all of them are enabled.
"""

import argparse
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import psutil

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Client, Service, running
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.triggers import find_trigger

AT_ONCE = 100
#: Single tasks whose lateness is measured.
SINGLES = 30
RULES: tuple[dict[str, str], ...] = (
    {"cron_expr": "5 4 * * 1-5", "timezone": "Europe/Berlin"},
    {"cron_expr": "*/15 * * * *", "timezone": "Australia/Lord_Howe"},
    {"cron_expr": "0 0 1 1 *"},
    {"schedule": "every 7 hours"},
    {"schedule": "daily at 03:30", "timezone": "America/New_York"},
)


def main() -> None:
    """Print all figures with what is claimed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scheduler")
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--watch", type=float, default=20.0)
    options = parser.parse_args(sys.argv[2:])
    print_machine()
    _measure_next_fires(options.tasks)
    with running() as service:
        service.add_script("quick.py", "pass\n")
        client = service.connect()
        _import(client, [_far(n) for n in range(options.tasks)])
        _measure_idle(service, options.watch)
        _measure_at_once(client)
        _measure_lateness(client)


def _measure_next_fires(count: int) -> None:
    now = datetime.now(UTC)
    made = [
        TaskDefinition(task_id=f"t{n}", script_path="", **rule)  # type: ignore[arg-type]
        for n, rule in enumerate(islice(cycle(RULES), count))
    ]
    begun = time.perf_counter()
    for each in made:
        trigger = find_trigger(each, created_at=now)
        if trigger is not None:
            trigger.next_after(now)
    seconds = time.perf_counter() - begun
    print_claim(f"next fires of {count} tasks", seconds, "s", claim="under 1 s")


def _far(number: int) -> dict[str, Any]:
    """Return a task that is not due while we measure."""
    start = datetime.now(UTC) + timedelta(days=1, seconds=number)
    return {
        "task_id": f"far-{number}",
        "script_path": "quick.py",
        "schedule": "every 3 hours",
        "start_at": start.isoformat(),
    }


def _import(client: Client, tasks: list[dict[str, Any]]) -> None:
    for begin in range(0, len(tasks), 2_000):
        lines = ["tasks:"]
        for task in tasks[begin : begin + 2_000]:
            pairs = ", ".join(f"{name}: '{value}'" for name, value in task.items())
            lines.append(f"- {{{pairs}}}")
        body = {"text": "\n".join(lines)}
        status, _, answer = client.request("POST", "/api/scheduler/import", body)
        if status != 200:
            raise RuntimeError(f"import: {status} {answer[:300]!r}")


def _measure_idle(service: Service, seconds: float) -> None:
    time.sleep(3)
    before = _cpu_seconds(service)
    time.sleep(seconds)
    percent = 100 * (_cpu_seconds(service) - before) / seconds
    print_claim("CPU of all processes, idle", percent, "%", claim="under 1 %")


def _cpu_seconds(service: Service) -> float:
    found = 0.0
    for process in service.processes():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        found += times.user + times.system
    return found


def _measure_at_once(client: Client) -> None:
    """Have 100 tasks come due in one instant; look when the last was queued."""
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    tasks = [
        {"task_id": f"now-{n}", "script_path": "quick.py", "run_at": at.isoformat()}
        for n in range(AT_ONCE)
    ]
    _import(client, tasks)
    queued = _wait_queued(client, [task["task_id"] for task in tasks])
    late = max((each - at).total_seconds() for each in queued)
    print_claim(
        f"{AT_ONCE} due at once: the last is queued", late, "s", claim="within 2 s"
    )


def _measure_lateness(client: Client) -> None:
    """Have single tasks come due at odd instants."""
    begin = datetime.now(UTC) + timedelta(seconds=5)
    due = {f"single-{n}": begin + timedelta(seconds=0.737 * n) for n in range(SINGLES)}
    _import(
        client,
        [
            {"task_id": name, "script_path": "quick.py", "run_at": at.isoformat()}
            for name, at in due.items()
        ],
    )
    queued = _wait_queued(client, list(due))
    late = [
        1_000 * (found - at).total_seconds()
        for found, at in zip(queued, due.values(), strict=True)
    ]
    print_values("lateness of a single task", late, "ms")
    median = statistics.median(late) / 1_000
    print_claim("median lateness", median, "s", claim="under 1.1 s")


def _wait_queued(client: Client, names: list[str]) -> list[datetime]:
    """Return when the run of each task was queued."""
    found: dict[str, datetime] = {}
    deadline = time.monotonic() + 90
    while len(found) < len(names):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(names) - len(found)} tasks never fired")
        time.sleep(0.5)
        for run in client.get("/api/runs?limit=200&trigger=schedule"):
            if run["task_id"] in names:
                found[run["task_id"]] = datetime.fromisoformat(run["queued_at"])
    return [found[name] for name in names]
