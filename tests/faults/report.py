"""What one fault test found: counters that must be zero, and faults planned and done."""

import threading
from collections import Counter
from collections.abc import Mapping

#: What is counted in every test; all must be zero.
COUNTERS = (
    "acknowledged but missing",
    "started twice",
    "wrong exit code",
    "incomplete log",
    "orphan processes",
    "stuck",
    "illegal transitions",
)
MISSING, TWICE, WRONG_CODE, CUT_LOG, ORPHANS, STUCK, ILLEGAL = COUNTERS
#: Examples shown per counter.
EXAMPLES = 5


class Report:
    """Counts failures and faults of one test. Threads may share it.

    Args:
        test_id: Such as ``T1``.
        seed: What the test's random numbers come from.
        planned: Faults by kind; a test that did fewer has failed.
        criteria: Names of further counters of this test, which must be zero too.
    """

    def __init__(
        self,
        test_id: str,
        seed: int,
        *,
        planned: Mapping[str, int],
        criteria: tuple[str, ...] = (),
    ) -> None:
        self.test_id = test_id
        self.seed = seed
        self.planned = dict(planned)
        self.counters = Counter(dict.fromkeys((*COUNTERS, *criteria), 0))
        self.done: Counter[str] = Counter()
        self.facts: dict[str, object] = {}
        self._examples: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def fail(self, counter: str, example: str) -> None:
        """Count one failure; ``counter`` must have been announced."""
        with self._lock:
            if counter not in self.counters:
                raise KeyError(counter)
            self.counters[counter] += 1
            examples = self._examples.setdefault(counter, [])
            if len(examples) < EXAMPLES:
                examples.append(example)

    def fault(self, kind: str, count: int = 1) -> None:
        """Count faults that were done."""
        with self._lock:
            self.done[kind] += count

    def state(self, name: str, value: object) -> None:
        """Keep a fact for people, such as how many runs there were."""
        with self._lock:
            self.facts[name] = value

    @property
    def lacking(self) -> dict[str, int]:
        """Faults by kind that were planned and not done."""
        missing = {k: n - self.done[k] for k, n in self.planned.items()}
        return {kind: count for kind, count in missing.items() if count > 0}

    @property
    def is_passed(self) -> bool:
        """Whether all counters are zero and all planned faults were done."""
        return not any(self.counters.values()) and not self.lacking

    def lines(self) -> list[str]:
        """Return the report as text: counters, faults, facts, seed, verdict."""
        lines = [self.test_id]
        for counter, count in self.counters.items():
            lines.append(f"  {counter:<28} {count}")
            lines += [f"      {example}" for example in self._examples.get(counter, ())]
        for kind in sorted({*self.planned, *self.done}):
            planned, done = self.planned.get(kind, 0), self.done[kind]
            lines.append(f"  fault: {kind:<21} planned {planned}, done {done}")
        lines += [f"  {name:<28} {value}" for name, value in self.facts.items()]
        verdict = "PASS" if self.is_passed else "FAIL"
        return [*lines, f"  seed {self.seed}", f"{self.test_id} {verdict}"]
