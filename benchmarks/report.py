"""Figures as the benchmarks print them: medians with their spread, and ratios."""

import os
import platform
import statistics
from collections.abc import Sequence


def print_machine() -> None:
    """Say what the figures were measured on."""
    load = os.getloadavg()[0]
    print(
        f"machine: {os.cpu_count()} CPUs, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.2f}"
    )


def print_values(name: str, values: Sequence[float], unit: str) -> float:
    """Print median, smallest and largest of ``values`` and return the median."""
    median = statistics.median(values)
    print(
        f"{name:32} median {median:10.2f} {unit}  "
        f"({min(values):.2f} .. {max(values):.2f}, n={len(values)})"
    )
    return median


def print_claim(name: str, value: float, unit: str, *, claim: str) -> None:
    """Print one figure beside what we claim of it."""
    print(f"{name:32} {value:17.2f} {unit}  claim: {claim}")
