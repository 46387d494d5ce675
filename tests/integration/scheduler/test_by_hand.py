"""Tasks are run by hand."""

import pytest

from scriptrunner.engine.paths import ScriptMissingError
from scriptrunner.scheduler.errors import TaskNotFoundError
from tests.task_world import TaskWorld


def test_a_run_by_hand_ignores_pause_dependencies_and_times(world: TaskWorld) -> None:
    world.add("up")
    task = world.add(
        schedule="hourly", dependencies=("up",), run_options={"timeout": 9}
    )
    world.tasks.pause("t", principal="ann", reason="holiday")
    accepted = world.tasks.run_now("t", principal="bob")
    (run,) = world.runs_of()
    assert (run.id, run.trigger, run.principal) == (accepted.run_id, "manual", "bob")
    after = world.task()
    assert (after.run_count, after.next_fire_at) == (1, task.next_fire_at)
    assert world.get(run.id).request["timeout"] == 9


def test_a_run_by_hand_follows_the_active_one(world: TaskWorld) -> None:
    world.add()
    for _ in range(3):
        world.clock.advance(1)
        world.tasks.run_now("t", principal="ann")
    first, second, third = world.runs_of()
    assert (second.waiting_for, third.waiting_for) == (first.id, second.id)


def test_a_run_by_hand_of_a_script_that_is_gone_is_refused(world: TaskWorld) -> None:
    script = world.write_script("gone.py")
    world.add(script="gone.py")
    script.unlink()
    with pytest.raises(ScriptMissingError):
        world.tasks.run_now("t", principal="ann")
    with pytest.raises(TaskNotFoundError):
        world.tasks.run_now("other", principal="ann")
    assert world.task().run_count == 0
