"""The ledger that the scripts write themselves: which attempt began, and which ended."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the ledger."""

    mark: str
    run_id: str
    attempt: int
    tag: str
    pid: int


class Ledger:
    """Reads the file that all scripts of a test append to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)

    def read(self) -> list[Note]:
        """Return all whole lines in the order in which they were written."""
        lines = self.path.read_text().splitlines()
        return [_parse(line) for line in lines if line.count(" ") == 4]

    def begins(self) -> Counter[str]:
        """Return how often scripts began, by tag."""
        return Counter(note.tag for note in self.read() if note.mark == "begin")

    def ends(self) -> Counter[str]:
        """Return how often scripts came to their own end, by tag."""
        return Counter(note.tag for note in self.read() if note.mark == "end")

    def repeated(self) -> list[tuple[str, int]]:
        """Return attempts (run id and number) of which more than one script began."""
        begun = Counter(
            (note.run_id, note.attempt) for note in self.read() if note.mark == "begin"
        )
        return [attempt for attempt, count in begun.items() if count > 1]


def _parse(line: str) -> Note:
    mark, run_id, attempt, tag, pid = line.split(" ")
    return Note(mark, run_id, int(attempt), tag, int(pid))
