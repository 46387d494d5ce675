"""Submit-to-known-finished of a single run, above a bare ``subprocess.run``."""

import subprocess
import sys
import time

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Client, Service, running

ROUNDS = 100


def main() -> None:
    """Print both medians and what the service adds."""
    print_machine()
    ours, bare = [], []
    with running() as service:
        service.add_script("hello.py", 'print("hello")\n')
        client = service.connect()
        for _ in range(5):
            time_service(client)
        for _ in range(ROUNDS):
            ours.append(time_service(client))
            bare.append(time_bare(service))
    known = print_values("through the API", ours, "ms")
    floor = print_values("bare subprocess.run", bare, "ms")
    print_claim("added by the service", known - floor, "ms", claim="at most 10 ms")


def time_service(client: Client) -> float:
    """Return the milliseconds from the POST to the answer that tells of the end."""
    started = time.perf_counter()
    record = client.get(f"/api/runs/{client.submit('hello.py')}?wait=30")
    passed = (time.perf_counter() - started) * 1000
    if record["exit_code"] != 0:
        raise RuntimeError(f"the run failed: {record['error']}")
    return passed


def time_bare(service: Service) -> float:
    """Return the milliseconds of the same script by hand."""
    script = service.scripts / "hello.py"
    started = time.perf_counter()
    subprocess.run([sys.executable, script], capture_output=True, check=True)
    return (time.perf_counter() - started) * 1000
