"""What becomes of fires: missed ones, overlapping ones, those with dependencies. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice, takewhile

from scriptrunner.clock import to_text
from scriptrunner.scheduler.models import (
    MisfirePolicy,
    OverlapPolicy,
    Task,
    Upstream,
)
from scriptrunner.scheduler.triggers import TimeTrigger, due_time

#: Fires of one task looked at in one go.
MAX_AT_ONCE = 100
#: The status of a run that counts as a success.
SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Planned:
    """A fire by time that has come due."""

    fire_time: datetime
    #: Why it does not run, or None if it may.
    skip_reason: str | None = None
    #: Words about it if it runs.
    reason: str = "its time had come"


@dataclass(frozen=True, slots=True)
class Due:
    """The fires of a task that have come due, and what is next."""

    fires: Sequence[Planned]
    next_fire_at: datetime | None


def find_due(task: Task, trigger: TimeTrigger, *, now: datetime) -> Due:
    """Return which planned fires have come due by ``now``, after the misfire policy.

    Fires that are later than the task's grace were missed. At most 100 fires are listed,
    the oldest first; beyond that the rest of the missed ones is given up in one entry.

    Args:
        task: The task; its ``next_fire_at`` is the first that may be due.
        trigger: When it fires.
        now: The time, aware.
    """
    definition = task.definition
    if task.next_fire_at is None:
        return Due((), None)
    grace = timedelta(seconds=definition.misfire_grace_seconds)
    candidates = [task.next_fire_at]
    candidates += islice(trigger.iter_after(task.next_fire_at), MAX_AT_ONCE)
    due = list(takewhile(lambda each: due_time(definition, each) <= now, candidates))
    missed = [each for each in due if now - due_time(definition, each) > grace]
    on_time = [Planned(each) for each in due if each not in missed]
    fires = sorted([*_make_up(task, missed, now), *on_time], key=_fire_time)
    rest = candidates[len(due) :]
    if rest:
        return Due(fires, rest[0])
    if len(candidates) <= MAX_AT_ONCE:
        return Due(fires, None)
    if due[-1] not in missed:
        return Due(fires, trigger.next_after(due[-1]))
    # More were missed than can be listed: go on with what is not missed yet.
    since = now - grace - timedelta(seconds=definition.delay_seconds)
    words = f"further fires were missed up to {to_text(since)}"
    fires.append(Planned(due[-1] + timedelta(microseconds=1), words))
    return Due(fires, trigger.next_after(max(due[-1], since)))


def _fire_time(planned: Planned) -> datetime:
    return planned.fire_time


def _make_up(
    task: Task, missed: Sequence[datetime], now: datetime
) -> Sequence[Planned]:
    """Return what becomes of missed fires."""
    definition = task.definition
    if not missed:
        return ()
    late = f"more than {definition.misfire_grace_seconds:g} s late at {to_text(now)}"
    policy = definition.misfire_policy
    if policy == MisfirePolicy.SKIP:
        return [Planned(each, f"missed: {late}") for each in missed]
    if policy == MisfirePolicy.RUN_ONCE:
        last = to_text(missed[-1])
        merged = [
            Planned(each, f"missed: {late}; the run for {last} stands for it")
            for each in missed[:-1]
        ]
        words = f"made up for {len(missed)} missed fires: {late}"
        return [*merged, Planned(missed[-1], None, words)]
    limit = definition.misfire_limit
    made_up = [Planned(each, None, f"made up: {late}") for each in missed[:limit]]
    beyond = [
        Planned(each, f"missed: {late}; only {limit} are made up for")
        for each in missed[limit:]
    ]
    return [*made_up, *beyond]


def find_unmet(task: Task, upstream: Sequence[Upstream]) -> dict[str, str]:
    """Return the dependencies that have not succeeded since the last run began.

    Args:
        task: The task.
        upstream: The tasks it depends on, as far as they are there.

    Returns:
        Why, in words, by the id of each that holds it.
    """
    since = task.last_run_at
    known = {each.task_id: each for each in upstream}
    unmet = {}
    for name in task.definition.dependencies:
        problem = _find_problem(known.get(name), since)
        if problem is not None:
            unmet[name] = problem
    return unmet


def _find_problem(upstream: Upstream | None, since: datetime | None) -> str | None:
    if upstream is None:
        return "does not exist any more"
    ended_at = upstream.last_ended_at
    if ended_at is None:
        return "has not run yet"
    if since is not None and ended_at <= since:
        return f"has not run since {to_text(since)}"
    if upstream.last_end_status != SUCCESS:
        return f"ended {upstream.last_end_status} at {to_text(ended_at)}"
    return None


def describe_unmet(unmet: dict[str, str]) -> str:
    """Return what a task waits for, in words."""
    return "waits: " + "; ".join(f"{name} {why}" for name, why in unmet.items())


class Move(Enum):
    """What to do about a fire that may run."""

    START = "start"
    #: It starts when the run that is named has ended.
    FOLLOW = "follow"
    #: The active runs are cancelled, then it starts.
    REPLACE = "replace"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run of a task that is not over, the oldest first in lists."""

    run_id: str
    status: str
    #: Whether it waits for another run of the task.
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a fire that is not held by dependencies."""

    move: Move
    #: Words for people.
    reason: str
    #: Run whose end it waits for.
    after_run: str | None = None


def decide(policy: str, active: Sequence[ActiveRun], reason: str) -> Decision:
    """Return what becomes of a fire while ``active`` runs of its task are not over.

    Args:
        policy: The overlap policy.
        active: Runs of the task that are queued or running, oldest first.
        reason: Why it fires, in words.
    """
    if not active or policy == OverlapPolicy.ALLOW:
        return Decision(Move.START, reason)
    last = active[-1].run_id
    if policy == OverlapPolicy.CANCEL_RUNNING:
        words = f"{reason}; it replaces the run {last}"
        return Decision(Move.REPLACE, words, last)
    if policy == OverlapPolicy.SKIP:
        return Decision(Move.SKIP, f"the run {last} is still active")
    if len(active) > 1 or active[-1].is_waiting:
        return Decision(Move.SKIP, f"the run {last} is waiting already")
    return Decision(Move.FOLLOW, f"{reason}; it follows the run {last}", last)


def decide_by_hand(policy: str, active: Sequence[ActiveRun]) -> Decision:
    """Return what becomes of an order to run now: it is never skipped."""
    reason = "started by hand"
    if active and policy in (OverlapPolicy.SKIP, OverlapPolicy.QUEUE):
        last = active[-1].run_id
        return Decision(Move.FOLLOW, f"{reason}; it follows the run {last}", last)
    return decide(policy, active, reason)
