"""Tasks become runs at their times, each fire once."""

from sqlalchemy import event

from tests.task_world import TaskWorld


def test_a_due_task_is_queued_once_at_its_time(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    world.tick(599)
    assert world.runs_of() == []
    world.tick(1)
    world.tick()
    (run,) = world.runs_of()
    assert (run.trigger, run.task_id, run.principal) == ("schedule", "t", "ann")
    assert run.fire_time == world.now
    task = world.task()
    assert (task.run_count, task.last_run_id, task.last_status) == (
        1,
        run.id,
        "running",
    )
    assert task.next_fire_at == world.later(minutes=10)


def test_the_end_of_a_run_is_on_its_task_at_once(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes", overlap_policy="allow")
    for exit_code, status in ((0, "success"), (3, "failed")):
        world.tick(600)
        world.finish(exit_code)
        assert world.task().last_status == status
    assert [fire.run_status for fire in world.fires()] == ["success", "failed"]


def test_a_cancelled_run_is_cancelled_on_its_task(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    world.tick(600)
    world.service.cancel(world.runs_of()[0].id, principal="ann")
    assert world.task().last_status == "cancelled"


def test_a_task_tells_how_its_last_runs_went_in_a_row(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    world.add("other", schedule="every 10 minutes")
    for exit_code in (0, 1, 0, 0):
        world.tick(600)
        world.finish(exit_code)
    world.tick(600)
    world.service.cancel(world.runs_of()[-1].id, principal="ann")
    (other, task), _ = world.tasks.views.list_tasks()
    # The cancelled run does not count, nor does the one that still waits.
    assert task["streak"] == {"outcome": "success", "count": 2, "at_least": False}
    newest_first = ["success", "success", "failed", "success"]
    assert task["recent_statuses"] == other["recent_statuses"] == newest_first
    world.add("new")
    assert world.tasks.views.describe(world.task("new"))["streak"] is None


def test_streaks_of_a_page_of_tasks_are_one_question(world: TaskWorld) -> None:
    for number in range(5):
        world.add(f"t{number}", schedule="every 10 minutes")
    world.tick(600)
    world.finish()
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        asked.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    shown, _ = world.tasks.views.list_tasks()
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert [each["streak"]["count"] for each in shown] == [1] * 5
    assert sum("task_fires" in statement for statement in asked) == 1


def test_a_fire_while_a_run_is_active_is_recorded_as_skipped(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    world.tick(600)
    world.tick(600)
    assert len(world.runs_of()) == 1
    assert world.decisions() == ["started", "skipped"]
    assert "is still active" in world.fires()[-1].reason


def test_a_queued_fire_starts_when_the_run_has_ended(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes", overlap_policy="queue")
    for _ in range(3):
        world.tick(600)
    first, second = world.runs_of()
    assert second.waiting_for == first.id
    assert world.decisions() == ["started", "started", "skipped"]
    assert [launch.run_id for launch in world.claim()] == [first.id]


def test_a_fire_may_replace_the_active_run(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes", overlap_policy="cancel_running")
    world.tick(600)
    world.tick(600)
    first, second = world.runs_of()
    assert (first.status, second.status) == ("cancelled", "queued")
    world.claim_one()
    world.tick(600)
    assert [run.phase for run in world.runs_of()] == ["final", "stopping", "queued"]


def test_a_task_makes_no_more_runs_than_it_may(world: TaskWorld) -> None:
    world.add(schedule="every minute", max_runs=2, overlap_policy="allow")
    for _ in range(4):
        world.tick(60)
    assert world.task().run_count == 2
    assert world.state() == "finished"
    assert world.task().next_fire_at is None


def test_a_single_time_fires_once(world: TaskWorld) -> None:
    world.add(run_at=world.later(minutes=5))
    world.tick(300)
    world.tick(300)
    assert (world.task().run_count, world.state()) == (1, "finished")


def test_delay_and_jitter_move_the_run_and_not_the_fire(world: TaskWorld) -> None:
    task = world.add(schedule="hourly", delay_seconds=30, jitter_seconds=60)
    assert task.next_fire_at == world.later(hours=1)
    assert task.due_at is not None
    world.tick(3600 + 29)
    assert world.runs_of() == []
    world.tick(61)
    (run,) = world.runs_of()
    assert run.fire_time == task.next_fire_at
