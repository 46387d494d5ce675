"""Histories made up by the hundred: how often a shift is found, and how often invented.

python -m tests.unit.analytics.simulations [histories]
"""

import math
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from scriptrunner.analytics.causes import find_causes
from scriptrunner.analytics.change_points import find_levels
from scriptrunner.history.models import Point

RUNS = 100
#: Shape → one value, and the standard deviation of such values.
SHAPES = ("normal", "log-normal", "heavy-tailed")
DEVIATIONS = {
    "normal": 1.0,
    # sqrt((e^s² - 1) e^s²) with s = 0.5
    "log-normal": math.sqrt((math.exp(0.25) - 1) * math.exp(0.25)),
    # t distribution with 3 degrees of freedom: sqrt(3 / (3 - 2))
    "heavy-tailed": math.sqrt(3.0),
}
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NEAR = 5


def draw_history(shape: str, count: int, draw: random.Random) -> list[float]:
    """Return values around 10 without any shift."""
    if shape == "normal":
        return [10 + draw.gauss(0, 1) for _ in range(count)]
    if shape == "log-normal":
        return [10 + draw.lognormvariate(0, 0.5) for _ in range(count)]
    return [10 + _draw_t3(draw) for _ in range(count)]


def _draw_t3(draw: random.Random) -> float:
    squares = sum(draw.gauss(0, 1) ** 2 for _ in range(3))
    return draw.gauss(0, 1) / math.sqrt(squares / 3)


def count_false_alarms(shape: str, histories: int) -> int:
    """Return in how many histories without a shift one is found."""
    draw = random.Random(f"{shape} without a shift")
    return sum(
        bool(find_levels(draw_history(shape, RUNS, draw)).shifts)
        for _ in range(histories)
    )


@dataclass(frozen=True, slots=True)
class Found:
    """In how many of the histories ..."""

    #: ... a shift was found within five runs.
    near: int
    #: ... and the right version was blamed first.
    blamed: int


def count_found(shape: str, histories: int) -> Found:
    """Shift each history by three deviations at a new version of the script.

    The shift lies anywhere between the 10th and the 90th run. Versions also change where
    nothing else does, every 15 to 30 runs, and arguments alternate.
    """
    draw = random.Random(f"{shape} with a shift")
    near = blamed = 0
    for _ in range(histories):
        at = draw.randint(10, RUNS - 10)
        values = draw_history(shape, RUNS, draw)
        for place in range(at, RUNS):
            values[place] += 3 * DEVIATIONS[shape]
        versions = _draw_versions(at, draw)
        points = _to_points(values, versions, draw)
        shifts = find_levels(values).shifts
        edges = [0, *(shift.index for shift in shifts), RUNS]
        for number, shift in enumerate(shifts):
            if abs(shift.index - at) > NEAR:
                continue
            near += 1
            causes = find_causes(
                points, shift, begin=edges[number], end=edges[number + 2]
            )
            first = causes[0] if causes else None
            blamed += (
                first is not None and first.kind == "version" and first.index == at
            )
            break
    return Found(near, blamed)


def _draw_versions(at: int, draw: random.Random) -> list[int]:
    """Return a version per run: a new one at ``at``, others well away from it."""
    places, place = {at}, 0
    while place < RUNS:
        place += draw.randint(15, 30)
        if abs(place - at) > 2 * NEAR:
            places.add(place)
    versions, version = [], 0
    for run in range(RUNS):
        version += run in places
        versions.append(version)
    return versions


def _to_points(
    values: list[float], versions: list[int], draw: random.Random
) -> list[Point]:
    return [
        Point(
            place,
            f"run-{place}",
            BEGIN + timedelta(hours=place),
            value,
            "/srv/etl.py",
            f"{version:064x}",
            draw.randint(0, 1),
            "3.11.7",
            "Linux",
        )
        for place, (value, version) in enumerate(zip(values, versions, strict=True))
    ]


def main() -> None:
    """Print the long form."""
    histories = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    for shape in SHAPES:
        alarms = count_false_alarms(shape, histories)
        print(f"{shape:13} false alarms {100 * alarms / histories:.2f} %")
    for shape in SHAPES:
        found = count_found(shape, histories)
        print(
            f"{shape:13} found within {NEAR} runs {100 * found.near / histories:.2f} %,"
            f" blamed rightly {100 * found.blamed / histories:.2f} %"
        )


if __name__ == "__main__":
    main()
