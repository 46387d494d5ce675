"""The command line of the benchmarks."""

import argparse
import importlib

#: Module and what it measures, in the order in which ``all`` runs them.
BENCHMARKS = {
    "throughput": "runs a second through the API against bare subprocess.run",
    "latency": "submit-to-known-finished of one run above bare subprocess.run",
    "accept": "POST /api/run a second from eight clients",
    "listing": "GET /api/runs of 50 with 100,000 runs stored",
    "idle": "resident memory and CPU of all processes without work",
    "start": "seconds from the command to the first answer",
    "scan": "what the scans of a 2,000-line script add to a run",
    "scheduler": "10,000 tasks: 100 due at once, lateness, idle cost, next times",
    "analytics": "questions and exports with 1,000,000 executions of 500 scripts",
    "library": "first scan and rescan of 20,000 files against bare walks; lists of 100,000",
    "output": "a script that prints 1 GB: memory, and the newest 64 KiB meanwhile",
}


def main() -> None:
    """Run the benchmark that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    lines = "\n".join(f"  {name:11} {text}" for name, text in BENCHMARKS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"benchmarks:\n{lines}\n  all         one after another"
    parser.add_argument("name", choices=[*BENCHMARKS, "all"], metavar="NAME")
    chosen = parser.parse_known_args()[0].name
    for name in BENCHMARKS if chosen == "all" else [chosen]:
        print(f"== {name}: {BENCHMARKS[name]}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
