"""What the three scans of a 2,000-line script add to a run, the first time and later."""

import itertools
import time
from pathlib import Path

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import PROJECT, Client, running

ROUNDS = 15
LINES = 2_000
#: A snapshot of a real database where it lies beside the project, else invented data.
ADVISORIES = (
    PROJECT.parent / "shared" / "data" / "osv-pypi.json.gz",
    PROJECT / "tests" / "unit" / "engine" / "scans" / "advisories.json",
)
SCANS = {
    "enable_code_analysis": True,
    "enable_secret_scanning": True,
    "enable_dependency_scanning": True,
}
#: Ordinary code: 20 lines, repeated with other names.
PIECE = '''
def step_{n}(items, limit={n}, *, label="step {n}", url="https://example.org/{n}"):
    """Keep what is below the limit."""
    kept = []
    for position, item in enumerate(items):
        if item is None or position > limit:
            continue
        try:
            value = int(item) * {n} + len(label)
        except ValueError:
            value = {{"name": label, "url": url, "position": position}}
        kept.append(value)
    with open(__file__, encoding="utf-8") as file:
        first = file.readline().strip()
    return [each for each in kept if each != first]


OPTIONS_{n} = {{"limit": {n}, "label": "step {n}", "retry": [1, 2, 3]}}

'''


def main() -> None:
    """Print what the scans add when the content is new and when it is known."""
    print_machine()
    data = next(path for path in ADVISORIES if path.exists())
    print(f"advisories: {data.name}")
    with running(WEBAPI_ADVISORY_DB=str(data)) as service:
        (service.scripts / "requirements.txt").write_text("requests==2.32.3\n")
        client = service.connect()
        numbers = itertools.count(1)

        def write() -> str:
            return write_script(service.scripts, next(numbers))

        time_run(client, write(), **SCANS)  # the first one compiles the libraries
        plain = [time_run(client, write()) for _ in range(ROUNDS)]
        names = [write() for _ in range(ROUNDS)]
        cold = [time_run(client, name, **SCANS) for name in names]
        cached = [time_run(client, name, **SCANS) for name in names]
    floor = print_values("without scans", plain, "ms")
    new = print_values("new content", cold, "ms")
    known = print_values("known content", cached, "ms")
    print_claim("added to new content", new - floor, "ms", claim="under 1500 ms")
    print_claim("added to known content", known - floor, "ms", claim="under 100 ms")


def write_script(folder: Path, number: int) -> str:
    """Write a script of ``LINES`` lines that no other has, and return its name."""
    text = f"# {number}\n" + "".join(
        PIECE.format(n=each) for each in range(LINES // PIECE.count("\n"))
    )
    name = f"long{number}.py"
    (folder / name).write_text(text)
    return name


def time_run(client: Client, name: str, **options: bool) -> float:
    """Return the milliseconds from the POST to the answer that tells of the end."""
    started = time.perf_counter()
    record = client.get(f"/api/runs/{client.submit(name, **options)}?wait=30")
    passed = (time.perf_counter() - started) * 1000
    if record["exit_code"] != 0:
        raise RuntimeError(f"the run failed: {record['error']}")
    return passed
