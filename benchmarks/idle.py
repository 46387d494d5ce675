"""What an idle service costs: resident memory and CPU of all its processes.

Resident memory is given twice: the plain sum, in which libraries that several processes
share count several times, and the proportional sum, in which they count once.
"""

import os
import time

import psutil

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Service, running

SETTLE_SECONDS = 8.0
WATCH_SECONDS = 20.0


def main() -> None:
    """Print memory and CPU after a run has come and gone."""
    print_machine()
    with running() as service:
        service.add_script("hello.py", 'print("hello")\n')
        client = service.connect()
        client.get(f"/api/runs/{client.submit('hello.py')}?wait=30")
        time.sleep(SETTLE_SECONDS)
        rss, pss = _memory(service)
        percent = _cpu_percent(service)
    floor = psutil.Process(os.getpid()).memory_info().rss / 1048576
    print_values("this interpreter, for comparison", [floor], "MiB")
    print_claim("proportional memory", pss, "MiB", claim="under 130 MB resident")
    print_claim("sum of resident sizes", rss, "MiB", claim="under 130 MB resident")
    print_claim("CPU of all processes", percent, "%", claim="under 1 %")


def _memory(service: Service) -> tuple[float, float]:
    rss = pss = 0.0
    for process in service.processes():
        info = process.memory_full_info()
        name = " ".join(process.cmdline())[-40:]
        print(
            f"  {info.rss / 1048576:7.1f} MiB rss {info.pss / 1048576:7.1f} pss  {name}"
        )
        rss += info.rss / 1048576
        pss += info.pss / 1048576
    return rss, pss


def _cpu_percent(service: Service) -> float:
    before = _cpu_seconds(service)
    time.sleep(WATCH_SECONDS)
    return 100 * (_cpu_seconds(service) - before) / WATCH_SECONDS


def _cpu_seconds(service: Service) -> float:
    times = [process.cpu_times() for process in service.processes()]
    return sum(each.user + each.system for each in times)
