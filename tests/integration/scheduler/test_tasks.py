"""Tasks are made, changed, paused and deleted; their secrets and their past."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.engine.paths import ScriptMissingError
from scriptrunner.engine.plan import TooManyArgsError
from scriptrunner.errors import MalformedInputError
from scriptrunner.scheduler.errors import TaskExistsError, TaskNotFoundError
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.tidying import TaskTidier
from tests.task_world import TaskWorld


def test_what_no_database_can_store_is_no_task_and_no_defect(world: TaskWorld) -> None:
    world.add()
    for fields in (
        {"task_id": "a\0"},
        {"task_id": "b", "dependencies": ("t\0",)},
        {"task_id": "b", "description": "\0"},
    ):
        with pytest.raises(MalformedInputError):
            world.add(**fields)
    with pytest.raises(TaskNotFoundError):
        world.tasks.views.get("t\0")
    with pytest.raises(TaskNotFoundError):
        world.tasks.delete("t\0")
    with pytest.raises(TaskNotFoundError):
        world.tasks.run_now("t\0", principal="ann")


def test_what_cannot_be_a_task_is_refused_with_every_fault(world: TaskWorld) -> None:
    with pytest.raises(MalformedInputError) as raised:
        world.add(
            "-x",
            schedule="every 0 minutes",
            cron_expr="61 * * * *",
            timezone="Mars/X",
            events=("a b",),
            dependencies=("zz",),
            delay_seconds=-1,
        )
    places = [fault["loc"][1] for fault in raised.value.faults]
    assert sorted(set(places)) == [
        "cron_expr",
        "delay_seconds",
        "dependencies",
        "events",
        "schedule",
        "task_id",
        "timezone",
    ]


def test_a_bad_script_or_option_is_refused_as_for_a_run(world: TaskWorld) -> None:
    with pytest.raises(ScriptMissingError):
        world.add(script="missing.py")
    with pytest.raises(TooManyArgsError):
        world.add(script_args=("x",) * 51)
    with pytest.raises(MalformedInputError):
        world.add(run_options={"retry_max_attempts": 99})


def test_an_id_is_taken_until_its_task_is_deleted(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    with pytest.raises(TaskExistsError):
        world.add()
    world.tick(600)
    run_id = world.runs_of()[0].id
    world.tasks.delete("t")
    again = world.add(schedule="every 10 minutes")
    assert (again.run_count, again.last_run_id, world.fires()) == (0, None, [])
    world.finish()
    assert world.get(run_id).status == "completed"
    assert world.task().last_status is None


def test_a_time_in_the_past_is_refused(world: TaskWorld) -> None:
    with pytest.raises(MalformedInputError, match="run_at leaves no time"):
        world.add(run_at=world.later(minutes=-1))
    with pytest.raises(MalformedInputError, match="end_at leaves no time"):
        world.add(schedule="daily", end_at=world.later(hours=1))


def test_changing_the_schedule_moves_the_next_time(world: TaskWorld) -> None:
    world.add(schedule="hourly")
    task = world.tasks.update("t", {"schedule": "every 5 minutes"}, principal="bob")
    assert task.next_fire_at == world.later(minutes=5)
    task = world.tasks.update("t", {"description": "x"}, principal="bob")
    assert task.next_fire_at == world.later(minutes=5)
    assert task.principal == "bob"
    world.tick(300)
    assert len(world.runs_of()) == 1


def test_a_paused_task_does_not_fire_and_resumes_from_now(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    world.tasks.pause("t", principal="ann")
    world.tick(3600)
    assert (world.runs_of(), world.state()) == ([], "paused")
    assert world.task().paused_reason == "paused by ann"
    task = world.tasks.resume("t", principal="ann")
    assert task.next_fire_at == world.later(minutes=10)
    world.tick(600)
    assert len(world.runs_of()) == 1


def test_secret_values_stay_in_files_of_our_own(world: TaskWorld) -> None:
    options = {"env_vars": {"API_TOKEN": "hunter22", "MODE": "x"}}
    task = world.add(schedule="every 10 minutes", run_options=options)
    shown = {"env_vars": {"API_TOKEN": "***", "MODE": "x"}}
    assert task.definition.run_options == shown
    folder = world.settings.data_dir / "tasks"
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    # What is shown can be sent back.
    world.tasks.update("t", {"run_options": shown}, principal="ann")
    assert len(list(folder.iterdir())) == 1
    world.tick(600)
    assert world.claim_one().environment["API_TOKEN"] == "hunter22"
    world.tasks.delete("t")
    assert list(folder.iterdir()) == []
    with pytest.raises(MalformedInputError, match="is masked"):
        world.add(run_options=shown)


def test_tasks_come_along_all_or_none(world: TaskWorld) -> None:
    world.add("old", schedule="hourly")
    new = [
        TaskDefinition(task_id="a", script_path="ok.py", dependencies=("b",)),
        TaskDefinition(task_id="b", script_path="ok.py", dependencies=("old",)),
        TaskDefinition(task_id="old", script_path="ok.py", schedule="daily"),
    ]

    def bring(definitions, **more):
        return world.tasks.import_all(
            definitions, principal="ann", **{"replace_existing": False, **more}
        )

    looked = bring(new, dry_run=True)
    assert (looked.created, looked.kept) == (["a", "b"], ["old"])
    with pytest.raises(TaskNotFoundError):
        world.task("a")
    circle = [*new[:2], replace(new[2], dependencies=("a",))]
    with pytest.raises(MalformedInputError, match="old: the dependencies form a cycle"):
        bring(circle, replace_existing=True)
    assert bring(new, replace_existing=True).updated == ["old"]
    assert world.task("old").definition.schedule == "daily"
    assert world.task("a").definition.dependencies == ("b",)


def test_old_decisions_are_forgotten(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scriptrunner.scheduler.firing.PRUNE_EVERY", 1)
    monkeypatch.setattr("scriptrunner.scheduler.repository.fires.KEPT", 3)
    world.add(schedule="every minute")
    for _ in range(8):
        world.tick(60)
    assert 3 <= len(world.fires()) <= 4


def test_the_calendar_shows_what_was_and_what_will_be(world: TaskWorld) -> None:
    world.add(schedule="hourly")
    world.tick(3600)
    views = world.tasks.views
    begin = world.later(hours=-2)
    shown = views.draw_calendar(begin, begin + timedelta(hours=5))["fires"]
    assert [each["state"] for each in shown] == ["started", "planned", "planned"]


def test_a_file_that_no_task_names_is_removed_after_a_while(world: TaskWorld) -> None:
    world.add(run_options={"env_vars": {"API_TOKEN": "hunter22"}})
    folder = world.settings.data_dir / "tasks"
    left = folder / "left.json"
    left.write_text("{}")
    tidier = TaskTidier(world.database, world.settings, world.clock)
    written = left.stat().st_mtime
    for age, count in ((1_000, 2), (8_000, 1)):
        # The clock of the test against that of the files.
        world.clock._now = datetime.fromtimestamp(written + age, UTC)
        world.clock._monotonic += 4_000
        tidier.tick()
        assert len(list(folder.iterdir())) == count
    assert not left.exists()


def test_a_finished_task_can_be_changed_and_used_again(world: TaskWorld) -> None:
    world.add(schedule="every minute", max_runs=1)
    world.add("once", run_at=world.later(seconds=30))
    world.tick(60)
    world.finish()
    assert (world.state(), world.state("once")) == ("finished", "finished")
    world.tasks.update("once", {"description": "done"}, principal="ann")
    world.tasks.pause("once", principal="ann")
    world.tasks.resume("once", principal="ann")
    world.tasks.update("t", {"max_runs": 2}, principal="ann")
    world.tick(60)
    assert world.task().run_count == 2
