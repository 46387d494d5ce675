"""A script that prints 1 GB: what our processes grow by, and its newest 64 KiB meanwhile."""

import time

import psutil

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Service, running

SCRIPT = """
import os
block = b"x" * 1023 + b"\\n"
for _ in range(1024):
    os.write(1, block * 1024)
"""


def main() -> None:
    """Print the growth of the largest process, and the median of the newest 64 KiB."""
    print_machine()
    tails: list[float] = []
    with running() as service:
        service.add_script("loud.py", SCRIPT)
        service.add_script("hello.py", "pass\n")
        client = service.connect()
        client.get(f"/api/runs/{client.submit('hello.py')}?wait=30")
        before = _sizes(service)
        growth: dict[int, int] = {}
        run_id = client.submit("loud.py")
        while client.get(f"/api/runs/{run_id}")["status"] in ("queued", "running"):
            _time_tail(service, run_id, tails)
            _note_growth(service, before, growth)
        record = client.get(f"/api/runs/{run_id}")
    written = record["result"]["metrics"]["stdout_bytes"]
    print(f"written: {written} bytes, {record['result']['stdout_lines']} lines")
    median = print_values("newest 64 KiB while it runs", tails, "ms")
    print_claim("newest 64 KiB", median, "ms", claim="under 200 ms")
    largest = max(growth.values(), default=0) / 1048576
    print_claim("growth of a process of ours", largest, "MiB", claim="at most 50 MB")


def _time_tail(service: Service, run_id: str, tails: list[float]) -> None:
    client = service.connect()
    started = time.perf_counter()
    path = f"/api/runs/{run_id}/logs?stream=stdout"
    status, _, body = client.request("GET", path, range_header="bytes=-65536")
    if status == 206 and len(body) == 65536:
        tails.append((time.perf_counter() - started) * 1000)
    client.close()


def _sizes(service: Service) -> dict[int, int]:
    return {each.pid: each.memory_info().rss for each in service.processes()}


def _note_growth(
    service: Service, before: dict[int, int], growth: dict[int, int]
) -> None:
    for process in service.processes():
        try:
            size = process.memory_info().rss
        except psutil.Error:
            continue
        grown = size - before.get(process.pid, 10 << 20)
        growth[process.pid] = max(growth.get(process.pid, 0), grown)
