"""Scripts that are there more than once, by three rules; each group says which."""

import time
from collections.abc import Iterable, Sequence

from scriptrunner.library.fingerprints import runs_of, similarity
from scriptrunner.library.models import DuplicateGroup, DuplicateRule, Script
from scriptrunner.library.repository import contents, figures, lists
from scriptrunner.storage.database import Connection, Database

#: Least share of equal lines of near duplicates.
MIN_SIMILARITY = 0.8
#: Rows of fingerprints, and contents, that are compared.
MAX_ROWS = 50_000
MAX_CONTENTS = 2_000
#: Seconds that comparing may take.
MAX_SECONDS = 5.0


def find_groups(
    database: Database, rule: DuplicateRule, *, limit: int
) -> tuple[int, list[DuplicateGroup]]:
    """Return how many groups a rule finds, and the largest of them, largest first."""
    with database.read() as connection:
        if rule is DuplicateRule.NEAR:
            groups = _find_near(connection)
            return len(groups), groups[:limit]
        if rule is DuplicateRule.EXACT:
            total, found = lists.list_identical(connection, limit=limit)
        else:
            total, found = lists.list_alike(connection, limit=limit)
        share = 1.0 if rule is DuplicateRule.EXACT else None
        return total, _to_groups(connection, rule, found, [share] * len(found))


def _to_groups(
    connection: Connection,
    rule: DuplicateRule,
    groups: Sequence[Sequence[int]],
    shares: Sequence[float | None],
) -> list[DuplicateGroup]:
    known: dict[int, Script] = {}
    wanted = [each for group in groups for each in group]
    for start in range(0, len(wanted), 500):
        part = lists.get_many(connection, wanted[start : start + 500])
        known |= {script.id: script for script in part}
    return [
        DuplicateGroup(
            rule=rule,
            members=[known[each] for each in group if each in known],
            similarity=share,
        )
        for group, share in zip(groups, shares, strict=True)
    ]


def _find_near(connection: Connection) -> list[DuplicateGroup]:
    """Compare what shares a fingerprint; what is alike comes into one group."""
    candidates = figures.list_near(connection, limit=MAX_ROWS)
    ids = sorted({each for group in candidates for each in group})[:MAX_CONTENTS]
    owners = lists.list_with_contents(connection, ids)
    runs: dict[int, frozenset[int]] = {}
    for start in range(0, len(ids), 200):
        part = [each for each in ids[start : start + 200] if each in owners]
        for number, data in contents.list_bytes(connection, part).items():
            runs[number] = runs_of(data)
    clusters = _cluster(_pairs(candidates, runs), runs)
    groups = [
        [script for content in members for script in owners[content]]
        for members, _ in clusters
    ]
    found = _to_groups(
        connection, DuplicateRule.NEAR, groups, [share for _, share in clusters]
    )
    return sorted(found, key=lambda group: (-len(group.members), group.members[0].name))


def _pairs(
    candidates: Iterable[Sequence[int]], runs: dict[int, frozenset[int]]
) -> Iterable[tuple[int, int]]:
    seen: set[tuple[int, int]] = set()
    for group in candidates:
        members = [each for each in group if each in runs]
        for place, first in enumerate(members):
            for second in members[place + 1 :]:
                if (first, second) not in seen:
                    seen.add((first, second))
                    yield first, second


def _cluster(
    pairs: Iterable[tuple[int, int]], runs: dict[int, frozenset[int]]
) -> list[tuple[list[int], float]]:
    """Return groups of contents that are alike, each with its least similarity."""
    parent: dict[int, int] = {}
    share: dict[int, float] = {}

    def find(each: int) -> int:
        while parent.setdefault(each, each) != each:
            each = parent[each]
        return each

    deadline = time.monotonic() + MAX_SECONDS
    for first, second in pairs:
        if time.monotonic() > deadline:
            break
        found = similarity(runs[first], runs[second])
        if found < MIN_SIMILARITY:
            continue
        one, other = find(first), find(second)
        least = min(found, share.get(one, 1.0), share.get(other, 1.0))
        parent[other] = one
        share[one] = least
    groups: dict[int, list[int]] = {}
    for each in sorted(parent):
        groups.setdefault(find(each), []).append(each)
    return [
        (members, round(share[top], 3))
        for top, members in groups.items()
        if len(members) > 1
    ]
