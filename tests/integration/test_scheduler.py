"""Tasks become runs: by time, by dependency, by event, by hand; each fire once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from scriptrunner.engine.paths import ScriptMissingError
from scriptrunner.engine.plan import TooManyArgsError
from scriptrunner.errors import MalformedInputError, StorageFullError
from scriptrunner.runs.errors import IdempotencyConflictError, QueueFullError
from scriptrunner.runs.models import IdempotencyKey
from scriptrunner.scheduler.errors import TaskExistsError, TaskNotFoundError
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.tidying import TaskTidier
from scriptrunner.storage.database import DatabaseGoneError
from tests.task_world import TaskWorld

KEY = IdempotencyKey(route="fire_event", key="k1", body_sha256="0" * 64)


@pytest.fixture
def world(task_world: TaskWorld) -> TaskWorld:
    return task_world


# By time


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


def test_the_service_was_down(world: TaskWorld) -> None:
    world.add("once", schedule="hourly")
    world.add("skip", schedule="hourly", misfire_policy="skip")
    world.add(
        "all", schedule="hourly", misfire_policy="run_all", overlap_policy="allow"
    )
    world.tick(3 * 3600 + 1800)
    counts = {name: world.task(name).run_count for name in ("once", "skip", "all")}
    assert counts == {"once": 1, "skip": 0, "all": 3}
    assert world.decisions("once") == ["skipped", "skipped", "started"]
    assert world.decisions("skip") == ["skipped"] * 3


def test_a_clock_that_jumps_back_fires_nothing_twice(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes", overlap_policy="allow")
    world.tick(600)
    world.clock.advance(-3600)
    for _ in range(12):
        world.tick(600)
    times = [run.fire_time for run in world.runs_of()]
    assert len(times) == len(set(times)) == 7
    assert max(times) == world.now


def test_of_two_supervisors_only_one_fires(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes", overlap_policy="allow")
    other = world.make_ticker()
    other.tick()
    for _ in range(5):
        world.clock.advance(600)
        # Both have read what is due; whoever has the turn to write second does nothing.
        step = world.tasks.firer
        with world.database.read() as connection:
            due = other_due(connection, world)
        steps = [step._preparer.prepare_due(each, now=world.now) for each in due]
        world.tick()
        other.poke()
        while other.seconds_left() == 0.0:
            other.tick()
        outcome = step._commit(steps)
        assert outcome.started == []
        assert outcome.void == ["t"]
    assert world.task().run_count == 5


def other_due(connection, world: TaskWorld):
    from scriptrunner.scheduler.repository import tasks  # noqa: PLC0415

    return tasks.list_due(connection, now=world.now, limit=10)


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


def test_a_script_that_has_moved_gives_a_failed_run_that_says_why(
    world: TaskWorld,
) -> None:
    script = world.write_script("gone.py")
    world.add(script="gone.py", schedule="every 10 minutes")
    script.unlink()
    world.tick(600)
    assert world.claim() == []
    (run,) = world.runs_of()
    assert (run.status, run.reason) == ("failed", "script_changed")
    assert "must point to an existing file" in str(run.error)
    assert world.task().last_status == "failed"
    assert "the run fails: " in world.fires()[0].reason
    world.write_script("gone.py")
    world.tick(600)
    world.finish()
    assert world.task().last_status == "success"


def test_a_full_queue_delays_fires_and_loses_none(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(schedule="every 10 minutes")
    monkeypatch.setattr(world.ticker._firer._runs, "find_room", lambda _: 0)
    world.clock.advance(600)
    world.ticker.tick()
    assert world.runs_of() == []
    assert 0 < world.ticker.seconds_left() <= 1
    monkeypatch.undo()
    world.tick(1)
    assert len(world.runs_of()) == 1


# By dependency


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


# By event


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


# By hand


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


# Making, changing, deleting


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


def test_tasks_survive_a_restart(world: TaskWorld) -> None:
    world.add(schedule="every 10 minutes")
    world.ticker = world.make_ticker()
    world.tick(600)
    assert len(world.runs_of()) == 1


def test_the_ticker_costs_a_look_a_second_when_nothing_is_due(world: TaskWorld) -> None:
    world.add(schedule="hourly")
    world.tick()
    assert world.ticker.seconds_left() == pytest.approx(1.0)
    assert world.ticker.tick() is False
    world.clock.advance(3599.5)
    world.ticker.tick()
    assert world.ticker.seconds_left() == pytest.approx(0.5)


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


def test_a_task_that_cannot_be_understood_holds_up_no_other(world: TaskWorld) -> None:
    world.add("broken", schedule="daily at 11:00", events=("go",))
    world.add("sound", schedule="daily at 11:00", events=("go",))
    with world.database.write() as connection:
        damage = "UPDATE tasks SET timezone = 'Mars/X', run_options = '{\"x\": 1}'"
        connection.exec_driver_sql(f"{damage} WHERE id = 'broken'")
    world.tick(3600)
    assert world.task("sound").run_count == 1
    assert world.decisions("broken") == ["skipped"]
    assert "cannot be understood" in world.fires("broken")[0].reason
    assert world.task("broken").next_fire_at is None
    # Also at the very moment of another fire.
    answer = world.tasks.events.fire("go", principal="ann")
    assert "its run cannot be made" in dict(answer.skipped)["broken"]
    assert "is still active" in dict(answer.skipped)["sound"]


def test_options_that_are_not_taken_any_more_skip_the_fire(world: TaskWorld) -> None:
    world.add(schedule="hourly")
    with world.database.write() as connection:
        connection.exec_driver_sql("UPDATE tasks SET run_options = '{\"x\": 1}'")
    world.tick(3600)
    (fire,) = world.fires()
    assert (fire.state, fire.reason) == (
        "skipped",
        "its run cannot be made: x is not an option of a run",
    )
    assert world.state() == "scheduled"


def test_a_full_disk_delays_fires_and_loses_none(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(schedule="every 10 minutes")

    def refuse() -> None:
        raise StorageFullError

    monkeypatch.setattr(world.ticker._firer._runs, "check_disk", refuse)
    world.clock.advance(600)
    assert world.ticker.tick() is False
    assert 0 < world.ticker.seconds_left() <= 1
    monkeypatch.undo()
    world.tick(1)
    assert len(world.runs_of()) == 1


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


def commit_unheard(world: TaskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose the answer to the next commit, and the database with it."""

    def lose(action: Any) -> Any:
        with world.database.write() as connection:
            action(connection)
        raise DatabaseGoneError

    monkeypatch.setattr(world.database, "retrying", lose)


@pytest.mark.parametrize("way", ["event", "time"])
def test_files_of_a_run_stay_when_its_commit_was_not_answered(
    world: TaskWorld, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """They were removed, and the run, which was queued, started without its secret."""
    world.add(
        schedule="every 1 minutes",
        events=("go",),
        run_options={"env_vars": {"API_TOKEN": "real"}},
    )
    world.clock.advance(60)
    ways: dict[str, Callable[[], object]] = {
        "event": partial(world.tasks.events.fire, "go", principal="ann"),
        "time": partial(world.tasks.firer.fire_due, limit=10),
    }
    with monkeypatch.context() as lost:
        commit_unheard(world, lost)
        with pytest.raises(DatabaseGoneError):
            ways[way]()
    (launch,) = world.claim()
    assert launch.environment["API_TOKEN"] == "real"
