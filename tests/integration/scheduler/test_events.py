"""Events start those who listen: all or none, once, with what they bring."""

from dataclasses import replace

import pytest

from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.errors import IdempotencyConflictError, QueueFullError
from scriptrunner.runs.models import IdempotencyKey
from tests.task_world import TaskWorld

KEY = IdempotencyKey(route="fire_event", key="k1", body_sha256="0" * 64)


def test_an_event_starts_its_subscribers(world: TaskWorld) -> None:
    world.add("a", events=("deploy",))
    world.add("b", events=("deploy", "other"))
    world.add("off", events=("deploy",), enabled=False)
    answer = world.tasks.events.fire("deploy", payload={"v": 2}, principal="bot")
    assert [task_id for task_id, _ in answer.runs] == ["a", "b"]
    assert answer.skipped[0][0] == "off"
    (run,) = world.runs_of("a")
    assert (run.trigger, run.event, run.principal) == ("event", "deploy", "bot")
    launches = {each.run_id: each for each in world.claim()}
    environment = launches[run.id].environment
    assert environment["SCRIPT_RUNNER_EVENT"] == "deploy"
    assert environment["SCRIPT_RUNNER_EVENT_PAYLOAD"] == '{"v": 2}'
    (event, _) = world.tasks.events.list_events()
    assert (event.event, event.fire_count, event.last_fired) == ("deploy", 1, world.now)


def test_an_event_nobody_listens_to(world: TaskWorld) -> None:
    answer = world.tasks.events.fire("nobody", principal="ann").to_json()
    assert answer == {
        "event": "nobody",
        "triggered_tasks": [],
        "runs": [],
        "waiting": [],
        "skipped": [],
    }


def test_a_payload_waits_with_its_fire(world: TaskWorld) -> None:
    world.add("up")
    world.add("down", dependencies=("up",), events=("go",))
    assert world.tasks.events.fire("go", payload=[1], principal="ann").waiting == [
        "down"
    ]
    world.tasks.run_now("up", principal="ann")
    world.finish()
    world.tick()
    launch = world.claim_one()
    assert launch.environment["SCRIPT_RUNNER_EVENT_PAYLOAD"] == "[1]"


def test_a_repeated_request_is_one_event(world: TaskWorld) -> None:
    world.add(events=("go",))
    first = world.tasks.events.fire("go", principal="ann", idempotency=KEY)
    second = world.tasks.events.fire("go", principal="ann", idempotency=KEY)
    assert first.runs == second.runs
    assert second.replayed
    assert world.task().run_count == 1
    other = replace(KEY, body_sha256="1" * 64)
    with pytest.raises(IdempotencyConflictError):
        world.tasks.events.fire("go", principal="ann", idempotency=other)


@pytest.mark.parametrize("payload", ["x" * 40_000, "a\0b", "\ud800"])
def test_a_payload_that_no_script_could_get_is_refused(
    world: TaskWorld, payload: str
) -> None:
    with pytest.raises(MalformedInputError):
        world.tasks.events.fire("go", payload=payload, principal="ann")


def test_an_event_starts_all_or_none(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("a", events=("go",))
    world.add("b", events=("go",))
    monkeypatch.setattr(world.tasks._runs, "find_room", lambda _: 1)
    with pytest.raises(QueueFullError):
        world.tasks.events.fire("go", principal="ann")
    assert world.runs_of("a") == []
