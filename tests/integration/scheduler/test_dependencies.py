"""Tasks wait for others; what fails holds up what waits for it."""

import pytest

from scriptrunner.errors import MalformedInputError
from tests.task_world import TaskWorld


def test_a_fire_waits_for_its_dependencies(world: TaskWorld) -> None:
    world.add("up")
    world.add("down", schedule="every 10 minutes", dependencies=("up",))
    world.tick(600)
    assert world.state("down") == "waiting"
    assert world.tasks.views.list_due()[0]["waiting_for"] == ["up"]
    assert "up has not run yet" in world.tasks.views.explain("down")["summary"]
    world.tick(600)
    assert world.decisions("down") == ["waiting", "skipped"]
    world.tasks.run_now("up", principal="ann")
    world.finish()
    world.tick()
    (run,) = world.runs_of("down")
    assert run.trigger == "schedule"
    assert world.state("down") == "scheduled"


def test_a_failed_upstream_holds_its_downstream_and_says_so(world: TaskWorld) -> None:
    world.add("up")
    world.add("down", dependencies=("up",))
    world.tasks.run_now("up", principal="ann")
    world.finish(exit_code=3)
    world.tick()
    assert world.runs_of("down") == []
    world.tasks.events.fire("none", principal="ann")
    world.tasks.update("down", {"events": ("go",)}, principal="ann")
    assert world.tasks.events.fire("go", principal="ann").waiting == ["down"]
    why = world.tasks.views.explain("down")
    assert "ended failed at" in why["waiting_for"][0]["reason"]


def test_a_task_without_times_fires_when_all_have_succeeded(world: TaskWorld) -> None:
    for name in ("a", "b"):
        world.add(name)
    world.add("down", dependencies=("a", "b"))
    for name, count in (("a", 0), ("b", 1), ("b", 1), ("a", 2)):
        world.tasks.run_now(name, principal="ann")
        world.finish()
        world.tick()
        world.finish()
        assert len(world.runs_of("down")) == count
    assert {run.trigger for run in world.runs_of("down")} == {"dependency"}


def test_deleting_a_task_pauses_those_that_wait_for_it(world: TaskWorld) -> None:
    world.add("up")
    world.add("down", schedule="every 10 minutes", dependencies=("up",))
    world.tick(600)
    assert world.tasks.delete("up") == ["down"]
    task = world.task("down")
    assert (task.state, task.waiting_since) == ("paused", None)
    assert "up, which was deleted" in str(task.paused_reason)
    assert world.decisions("down") == ["skipped"]
    world.tasks.update("down", {"description": "later"}, principal="ann")
    with pytest.raises(MalformedInputError, match="there is no task up"):
        world.tasks.resume("down", principal="ann")


@pytest.mark.parametrize(
    ("task", "wanted", "words"),
    [
        ("a", ("c",), "the dependencies form a cycle: a -> c -> b -> a"),
        ("a", ("a",), "a cannot depend on itself"),
        ("a", ("zz",), "there is no task zz"),
    ],
)
def test_cycles_and_unknown_tasks_are_refused(
    world: TaskWorld, task: str, wanted: tuple[str, ...], words: str
) -> None:
    world.add("a")
    world.add("b", dependencies=("a",))
    world.add("c", dependencies=("b",))
    with pytest.raises(MalformedInputError, match=words):
        world.tasks.update(task, {"dependencies": wanted}, principal="ann")
    assert world.task(task).definition.dependencies == ()
