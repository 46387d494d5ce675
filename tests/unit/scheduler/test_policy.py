"""What becomes of missed and overlapping fires, and of those with dependencies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scriptrunner.scheduler import policy
from scriptrunner.scheduler.models import Task, TaskDefinition, Upstream
from scriptrunner.scheduler.policy import ActiveRun, Move, decide, decide_by_hand
from scriptrunner.scheduler.triggers import find_trigger

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUNNING = ActiveRun("r1", "running", False)
WAITING = ActiveRun("r2", "queued", True)


def make_task(**fields: Any) -> Task:
    fields = {"schedule": "hourly", "start_at": START, **fields}
    definition = TaskDefinition(task_id="t", script_path="s.py", **fields)
    return Task(
        definition=definition,
        change=1,
        created_at=START,
        principal="ann",
        next_fire_at=START,
    )


def find_due(task: Task, now: datetime) -> policy.Due:
    trigger = find_trigger(task.definition, created_at=task.created_at)
    assert trigger is not None
    return policy.find_due(task, trigger, now=now)


def hours(fires: Any, *, ran: bool) -> list[int]:
    return [f.fire_time.hour for f in fires if (f.skip_reason is None) is ran]


def test_nothing_is_due_before_its_time():
    due = find_due(make_task(), START - timedelta(microseconds=1))
    assert (due.fires, due.next_fire_at) == ([], START)


def test_a_fire_within_the_grace_is_on_time():
    due = find_due(make_task(), START + timedelta(seconds=60))
    assert hours(due.fires, ran=True) == [10]
    assert due.next_fire_at == START + HOUR


@pytest.mark.parametrize(
    ("fields", "ran", "skipped"),
    [
        # Service down from 10:00 until 14:30: 10, 11, 12, 13 and 14 o'clock were missed.
        ({"misfire_policy": "run_once"}, [14], [10, 11, 12, 13]),
        ({"misfire_policy": "skip"}, [], [10, 11, 12, 13, 14]),
        ({"misfire_policy": "run_all"}, [10, 11, 12, 13, 14], []),
        (
            {"misfire_policy": "run_all", "misfire_limit": 2},
            [10, 11],
            [12, 13, 14],
        ),
        # Within an hour of grace 14 o'clock is on time, so it is no part of the rest.
        (
            {"misfire_policy": "run_once", "misfire_grace_seconds": 3600.0},
            [13, 14],
            [10, 11, 12],
        ),
    ],
)
def test_missed_fires(fields, ran, skipped):
    due = find_due(make_task(**fields), START + 4.5 * HOUR)
    assert hours(due.fires, ran=True) == ran
    assert hours(due.fires, ran=False) == skipped
    assert due.next_fire_at == START + 5 * HOUR


def test_no_fire_is_decided_twice_and_none_left_out():
    task, now = make_task(misfire_policy="skip", schedule="every 7 minutes"), START
    times: list[datetime] = []
    for jump in (0.1, 3, 0.05, 24, 1, 0.5):
        now += jump * HOUR
        while task.next_fire_at is not None and task.next_fire_at <= now:
            due = find_due(task, now)
            times += [each.fire_time for each in due.fires]
            task.next_fire_at = due.next_fire_at
    planned = [each for each in times if each.microsecond == 0]
    assert planned == sorted(set(planned))
    given_up = [each for each in times if each.microsecond]
    first_100 = [START + n * timedelta(minutes=7) for n in range(101)]
    assert planned[:36] == first_100[:36]
    # 24 hours are 205 fires of 7 minutes: the rest is given up in one entry.
    assert len(given_up) == 1


def test_more_than_a_hundred_missed_fires_end_in_one_entry():
    task = make_task(schedule="every minute", misfire_policy="run_all")
    due = find_due(task, START + 24 * HOUR)
    assert len([f for f in due.fires if f.skip_reason is None]) == 100
    assert due.fires[-1].skip_reason is not None
    assert "further fires were missed" in due.fires[-1].skip_reason
    # What is not yet later than the grace of 60 s is still to come.
    assert due.next_fire_at == START + 24 * HOUR


def test_a_century_of_seconds_is_caught_up_at_once():
    task = make_task(schedule="every second")
    due = find_due(task, START + timedelta(days=36_500))
    assert len(due.fires) == 102
    assert due.next_fire_at is not None


@pytest.mark.parametrize(
    ("overlap", "active", "move", "after"),
    [
        ("skip", [], Move.START, None),
        ("skip", [RUNNING], Move.SKIP, None),
        ("queue", [RUNNING], Move.FOLLOW, "r1"),
        ("queue", [RUNNING, WAITING], Move.SKIP, None),
        ("allow", [RUNNING, WAITING], Move.START, None),
        ("cancel_running", [RUNNING], Move.REPLACE, "r1"),
        ("cancel_running", [], Move.START, None),
    ],
)
def test_overlap(overlap, active, move, after):
    decision = decide(overlap, active, "its time had come")
    assert (decision.move, decision.after_run) == (move, after)


@pytest.mark.parametrize(
    ("overlap", "move", "after"),
    [
        ("skip", Move.FOLLOW, "r2"),
        ("queue", Move.FOLLOW, "r2"),
        ("allow", Move.START, None),
        ("cancel_running", Move.REPLACE, "r2"),
    ],
)
def test_an_order_by_hand_is_never_skipped(overlap, move, after):
    decision = decide_by_hand(overlap, [RUNNING, WAITING])
    assert (decision.move, decision.after_run) == (move, after)


@pytest.mark.parametrize(
    ("ended", "status", "since", "words"),
    [
        (None, None, None, "has not run yet"),
        (START, "success", None, None),
        (START, "success", START - HOUR, None),
        (START, "success", START, "has not run since"),
        (START, "failed", None, "ended failed at"),
        (START, "failed", START + HOUR, "has not run since"),
    ],
)
def test_when_a_dependency_holds_a_fire(ended, status, since, words):
    task = make_task(dependencies=("up",))
    task.last_run_at = since
    upstream = Upstream(task_id="up", last_ended_at=ended, last_end_status=status)
    unmet = policy.find_unmet(task, [upstream])
    assert (words is None and not unmet) or words in unmet["up"]


def test_a_dependency_that_is_gone_holds_a_fire():
    task = make_task(dependencies=("up",))
    assert policy.find_unmet(task, []) == {"up": "does not exist any more"}
