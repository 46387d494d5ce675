"""Seconds from the command to the first answer, on a warm install.

The floor is the bare interpreter with the libraries the service cannot do without.
"""

import subprocess
import sys
import time

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import PROJECT, running

ROUNDS = 5
SERVE = PROJECT / "WEBAPI" / "serve.sh"


def main() -> None:
    """Print the medians of ``WEBAPI/serve.sh`` and of the bare imports."""
    print_machine()
    ready, first_run, floor = [], [], []
    with running([str(SERVE)]):
        pass  # the first start may install
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with running([str(SERVE)]) as service:
            ready.append(time.perf_counter() - started)
            service.add_script("hello.py", 'print("hello")\n')
            client = service.connect()
            client.get(f"/api/runs/{client.submit('hello.py')}?wait=30")
            first_run.append(time.perf_counter() - started)
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "import fastapi, sqlalchemy, uvicorn"], check=True
        )
        floor.append(time.perf_counter() - started)
    seconds = print_values("command to first answer", ready, "s")
    print_values("command to first finished run", first_run, "s")
    bare = print_values("bare imports", floor, "s")
    print_values("ratio", [seconds / bare], "")
    print_claim("ready to serve", seconds, "s", claim="within 1.5 s")
