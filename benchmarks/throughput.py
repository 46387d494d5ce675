"""200 runs of ``print("hello")`` through the API against bare ``subprocess.run``.

Both use as many at once as there are cores. Interleaved rounds; the ratio is taken round
by round, so that a machine whose speed drifts moves both sides.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Client, Service, running

RUNS = 200
ROUNDS = 5


def main() -> None:
    """Print runs a second of both ways and the median ratio."""
    print_machine()
    ours, bare = [], []
    with running() as service:
        service.add_script("hello.py", 'print("hello")\n')
        client = service.connect()
        time_service(client, 10)
        for _ in range(ROUNDS):
            ours.append(RUNS / time_service(client, RUNS))
            bare.append(RUNS / time_bare(service, RUNS))
    print_values("through the API", ours, "runs/s")
    print_values("bare subprocess.run", bare, "runs/s")
    ratio = print_values("ratio", [a / b for a, b in zip(ours, bare, strict=True)], "")
    print_claim("throughput against bare", ratio, "", claim="at least 0.85")


def time_service(client: Client, count: int) -> float:
    """Return the seconds from the first POST until all results are known."""
    started = time.perf_counter()
    ids = [client.submit("hello.py") for _ in range(count)]
    client.get(f"/api/runs/{ids[-1]}?wait=60")
    while not _are_all_known(client, ids):
        pass
    return time.perf_counter() - started


def _are_all_known(client: Client, ids: list[str]) -> bool:
    items = client.get(f"/api/runs?limit={len(ids)}")
    if any(each["status"] in ("queued", "running") for each in items):
        return False
    if {each["id"] for each in items} != set(ids):
        raise RuntimeError("a run is missing")
    if any(each["result"]["returncode"] != 0 for each in items):
        raise RuntimeError("a run failed")
    return True


def time_bare(service: Service, count: int) -> float:
    """Return the seconds for the same by ``subprocess.run`` in threads."""
    script = Path(service.scripts) / "hello.py"

    def run(_: int) -> None:
        subprocess.run([sys.executable, script], capture_output=True, check=True)

    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, range(count)))
    return time.perf_counter() - started
