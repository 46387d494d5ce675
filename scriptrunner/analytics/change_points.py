"""Where the level of a series shifted: a rank scan, so that no shape of values matters.

1. Values are replaced by normal scores of their ranks (van der Waerden). Whatever the
   values looked like, without a shift every order of the scores is equally likely, so one
   outlier or a heavy tail cannot pose as a shift.
2. For every place with at least five runs on either side, the difference of the mean
   scores is divided by its deviation under all orders (Hájek and Šidák, "Theory of Rank
   Tests"). The place with the largest one is the candidate.
3. The p-value of a maximum over places is that of James, James and Siegmund, "Tests for a
   change-point", Biometrika 74 (1987), equation 2: b phi(b) times the integral of
   nu(b / sqrt(n t (1 - t))) / (t (1 - t)).
4. A candidate with p below 1 % and different medians splits the series, and both parts
   are looked at in the same way (binary segmentation). Then every shift is looked for once
   more between its neighbours, which places it better, and must still hold there.
5. If a straight line says more than the steps do (by the Bayesian information criterion on
   the scores), the series drifts, and there are no shifts.

The place of a shift is uncertain by some runs: those whose split explains nearly as much
(likelihood ratio up to 7.35, which is 95 %; Hansen, "Sample splitting and threshold
estimation", Econometrica 68, 2000).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from scriptrunner.analytics.summary import median, percent_change

#: Runs that a level has at least.
MIN_RUNS = 5
#: p-value below which a shift is taken for one.
SIGNIFICANCE = 0.01
#: Difference of the medians in percent that is worth a word.
MIN_CHANGE_PERCENT = 1.0
#: Likelihood ratio up to which another place is as good.
_LIKELY = 7.35
#: Rounds of placing the shifts anew.
_ROUNDS = 3
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Shift:
    """A place where the level of a series changed."""

    #: First run of the new level, counted from the oldest.
    index: int
    #: Where the first run of the new level may as well be, with 95 % confidence.
    earliest: int
    latest: int
    #: Medians of the runs before and after, up to the neighbouring shifts.
    before: float
    after: float
    #: How many runs these are.
    runs_before: int
    runs_after: int
    p_value: float

    @property
    def percent(self) -> float | None:
        """The change in percent of the level before."""
        return percent_change(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Levels:
    """What was found in a series."""

    shifts: tuple[Shift, ...] = ()
    #: Whether it changes steadily rather than in steps.
    drifts: bool = False


@dataclass(frozen=True, slots=True)
class _Split:
    """The best split of a stretch of runs."""

    index: int
    statistic: float
    p_value: float
    earliest: int
    latest: int


def find_levels(
    values: Sequence[float],
    *,
    min_runs: int = MIN_RUNS,
    significance: float = SIGNIFICANCE,
) -> Levels:
    """Return the shifts of a series in the order of time.

    Args:
        values: One per run, oldest first.
        min_runs: Runs that a level has at least.
        significance: p-value below which a shift is taken for one.
    """
    if len(values) < 2 * min_runs:
        return Levels()
    search = _Search(values, min_runs, significance)
    places = search.place_again(search.split(0, len(values)))
    if not places:
        return Levels()
    if _is_rather_a_line(values, places):
        return Levels(drifts=True)
    edges = [0, *places, len(values)]
    shifts = [
        search.describe(begin, place, end)
        for begin, place, end in zip(edges, edges[1:], edges[2:], strict=False)
    ]
    return Levels(tuple(shifts))


class _Search:
    def __init__(
        self, values: Sequence[float], min_runs: int, significance: float
    ) -> None:
        self._values = values
        self._min_runs = min_runs
        self._significance = significance

    def split(self, begin: int, end: int) -> list[int]:
        """Return the places that split the stretch, in order."""
        places: list[int] = []
        stretches = [(begin, end)]
        while stretches:
            begin, end = stretches.pop()
            place = self._find(begin, end)
            if place is not None:
                places.append(place)
                stretches += [(begin, place), (place, end)]
        return sorted(places)

    def place_again(self, places: list[int]) -> list[int]:
        """Look for each shift between its neighbours; drop what does not hold there."""
        if not places:
            return []
        for _ in range(_ROUNDS):
            placed: list[int] = []
            for right in [*places[1:], len(self._values)]:
                found = self._find(placed[-1] if placed else 0, right)
                if found is not None:
                    placed.append(found)
            if not placed or placed == places:
                return placed
            places = placed
        return places

    def _find(self, begin: int, end: int) -> int | None:
        """Return the place of a shift in a stretch, or None."""
        split = find_split(self._values[begin:end], min_runs=self._min_runs)
        if split is None or split.p_value >= self._significance:
            return None
        place = begin + self._settle(split, begin, end)
        before = median(self._values[begin:place])
        after = median(self._values[place:end])
        if abs(after - before) * 100.0 < MIN_CHANGE_PERCENT * abs(before):
            return None
        return None if after == before else place

    def _settle(self, split: _Split, begin: int, end: int) -> int:
        """Return the likely place where the values lie closest to the two levels.

        Ranks cannot tell the highest run of the old level from one of the new level; the
        sum of absolute deviations from the two medians can.
        """
        values = self._values[begin:end]
        before, after = median(values[: split.index]), median(values[split.index :])
        best, cost, found = 0.0, 0.0, split.earliest
        for place in range(split.earliest, split.latest):
            cost += abs(values[place] - before) - abs(values[place] - after)
            if cost < best:
                best, found = cost, place + 1
        return found

    def describe(self, begin: int, place: int, end: int) -> Shift:
        """Return the shift at ``place`` between two neighbours."""
        split = find_split(self._values[begin:end], min_runs=self._min_runs)
        if split is None:  # pragma: no cover - it was found in this very stretch
            raise ValueError("no place in so few runs")
        return Shift(
            index=place,
            earliest=min(begin + split.earliest, place),
            latest=max(begin + split.latest, place),
            before=median(self._values[begin:place]),
            after=median(self._values[place:end]),
            runs_before=place - begin,
            runs_after=end - place,
            p_value=split.p_value,
        )


def find_split(values: Sequence[float], *, min_runs: int = MIN_RUNS) -> _Split | None:
    """Return the place at which the ranks before and after differ most.

    None if there are too few values, or all are equal.
    """
    count = len(values)
    if count < 2 * min_runs:
        return None
    scores = normal_scores(values)
    squares = math.fsum(score * score for score in scores)
    if squares == 0.0:
        return None
    scale = squares / (count * (count - 1))
    total, best, found = 0.0, -1.0, 0
    explained: list[tuple[int, float]] = []
    for place in range(1, count - min_runs + 1):
        total += scores[place - 1]
        if place < min_runs:
            continue
        share = place * (count - place)
        statistic = total * total / (share * scale)
        explained.append((place, total * total * count / share))
        if statistic > best:
            best, found = statistic, place
    left = squares - max(value for _, value in explained)
    likely = [
        place
        for place, value in explained
        if count * (squares - value - left) <= _LIKELY * left
    ]
    statistic = math.sqrt(best)
    return _Split(
        index=found,
        statistic=statistic,
        p_value=scan_p_value(statistic, count, min_runs=min_runs),
        earliest=min([*likely, found]),
        latest=max([*likely, found]),
    )


def normal_scores(values: Sequence[float]) -> list[float]:
    """Return the normal quantile of rank / (n + 1) for each value, with mean 0.

    Equal values share the mean of their ranks.
    """
    count = len(values)
    order = sorted(range(count), key=values.__getitem__)
    scores = [0.0] * count
    begin = 0
    while begin < count:
        end = begin
        while end + 1 < count and values[order[end + 1]] == values[order[begin]]:
            end += 1
        score = _NORMAL.inv_cdf(((begin + end) / 2 + 1) / (count + 1))
        for place in range(begin, end + 1):
            scores[order[place]] = score
        begin = end + 1
    middle = math.fsum(scores) / count
    return [score - middle for score in scores]


def scan_p_value(statistic: float, count: int, *, min_runs: int = MIN_RUNS) -> float:
    """Return the probability of so large a maximum if there is no shift (0 to 1)."""
    if statistic < 1.0:
        return 1.0
    density = math.exp(-statistic * statistic / 2) / math.sqrt(2 * math.pi)
    total = 0.0
    for place in range(min_runs, count - min_runs + 1):
        share = place * (count - place) / count
        total += _nu(statistic / math.sqrt(share)) / share
    return min(1.0, statistic * density * total)


def _nu(x: float) -> float:
    """Return Siegmund's correction for discrete time (Siegmund and Yakir, 2007)."""
    half = x / 2
    below = _NORMAL.cdf(half)
    density = math.exp(-half * half / 2) / math.sqrt(2 * math.pi)
    return (2 / x) * (below - 0.5) / (half * below + density)


def _is_rather_a_line(values: Sequence[float], places: Sequence[int]) -> bool:
    """Return whether a straight line explains the scores better than the steps do."""
    count = len(values)
    scores = normal_scores(values)
    squares = math.fsum(score * score for score in scores)
    edges = [0, *places, count]
    steps = math.fsum(
        math.fsum(scores[begin:end]) ** 2 / (end - begin)
        for begin, end in itertools.pairwise(edges)
    )
    middle = (count - 1) / 2
    product = math.fsum((at - middle) * score for at, score in enumerate(scores))
    line = product * product / (count * (count * count - 1) / 12)
    # A level costs its mean, a step also its place; a line costs one more than a level.
    penalty = math.log(count)
    by_steps = count * math.log(max(squares - steps, 1e-12)) + penalty * (
        2 * len(places) + 1
    )
    by_line = count * math.log(max(squares - line, 1e-12)) + penalty * 2
    return by_line < by_steps
