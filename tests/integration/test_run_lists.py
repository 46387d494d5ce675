"""Lists of runs: order, pages, filters, figures, and what an item may weigh."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.runs.errors import UnknownCursorError
from scriptrunner.runs.models import RunFilter
from scriptrunner.runs.representation import to_json
from tests.run_world import RunWorld


def ids_of(world: RunWorld, **wanted) -> list[str]:
    return [each.id for each in world.service.list_runs(RunFilter(**wanted)).items]


def test_newest_first(world: RunWorld) -> None:
    ids = [world.submit() for _ in range(3)]
    assert ids_of(world) == ids[::-1]


def test_equal_times_are_ordered_by_id(world: RunWorld) -> None:
    ids = [world.service.submit(world.submission()).run_id for _ in range(5)]
    assert ids_of(world) == sorted(ids, reverse=True)


def test_pages_neither_skip_nor_repeat(world: RunWorld) -> None:
    ids = [world.service.submit(world.submission()).run_id for _ in range(7)]
    seen: list[str] = []
    before = None
    while True:
        page = world.service.list_runs(limit=3, before=before)
        seen += [each.id for each in page.items]
        world.submit()  # newer runs do not move the older ones
        before = page.next_before
        if before is None:
            break
    assert seen == sorted(ids, reverse=True)
    assert page.total == 9  # 7 and what came after the first two pages


def test_offset_and_limit(world: RunWorld) -> None:
    ids = [world.submit() for _ in range(5)]
    page = world.service.list_runs(limit=2, offset=1)
    assert [each.id for each in page.items] == [ids[3], ids[2]]
    assert page.total == 5
    assert world.service.list_runs(offset=5).items == []


def test_before_a_run_and_before_a_cursor(world: RunWorld) -> None:
    ids = [world.submit() for _ in range(4)]
    page = world.service.list_runs(before=ids[2])
    assert [each.id for each in page.items] == [ids[1], ids[0]]
    cursor = world.service.list_runs(limit=2).next_before
    assert cursor is not None
    world.service.cancel(ids[2], principal="alice")
    world.service.delete(ids[2])
    page = world.service.list_runs(before=cursor)
    assert [each.id for each in page.items] == [ids[1], ids[0]]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "x",
        "00000000-0000-4000-8000-000000000000",
        "12.x",
        "-1.a",
        "1" * 18 + "." + "a" * 36,
    ],
)
def test_an_unknown_cursor_is_refused(world: RunWorld, before: str) -> None:
    with pytest.raises(UnknownCursorError):
        world.service.list_runs(before=before)


class TestFilters:
    def test_status(self, world: RunWorld) -> None:
        done = world.run_to_end()
        failed = world.run_to_end(exit_code=1)
        queued = world.submit()
        assert ids_of(world, statuses=("completed",)) == [done]
        assert ids_of(world, statuses=("queued", "failed")) == [queued, failed]
        page = world.service.list_runs(RunFilter(statuses=("failed",)), limit=1)
        assert page.total == 1

    @pytest.mark.parametrize(
        ("part", "expected"),
        [
            ("JOB", {"jobs/a_1.py", "jobs/a%1.py"}),
            ("a_1", {"jobs/a_1.py"}),
            ("a%1", {"jobs/a%1.py"}),
            ("\\", {"back\\slash.py"}),
            ("ÄPFEL", {"äpfel.py"}),
            ("nothing", set()),
        ],
    )
    def test_script(self, world: RunWorld, part: str, expected: set[str]) -> None:
        for name in ("jobs/a_1.py", "jobs/a%1.py", "back\\slash.py", "äpfel.py"):
            world.write_script(name)
            world.submit(name)
        page = world.service.list_runs(RunFilter(script=part))
        assert {each.script_path for each in page.items} == expected

    def test_text(self, world: RunWorld) -> None:
        by_args = world.submit(args=("--Region", "eu_west"))
        launch = world.claim_one()
        world.end(launch, 42)
        other = world.submit()
        correlation_id = launch.environment["SCRIPT_RUNNER_CORRELATION_ID"]
        for part in ("--region EU_WEST", "Exit Code 42", correlation_id, by_args[:13]):
            assert ids_of(world, text=part) == [by_args], part
        assert ids_of(world, text="ok.PY") == [other, by_args]
        assert ids_of(world, text="eu%west") == []

    def test_trigger_and_task(self, world: RunWorld) -> None:
        task = world.submit(trigger="schedule", task_id="nightly")
        world.submit()
        assert ids_of(world, trigger="schedule") == [task]
        assert ids_of(world, task_id="nightly") == [task]

    def test_time(self, world: RunWorld) -> None:
        first = world.submit()
        world.clock.advance(60)
        second = world.submit()
        moment = world.clock.utc_now()
        assert ids_of(world, since=moment) == [second]
        assert ids_of(world, until=moment) == [first]
        assert ids_of(world, since=moment, until=moment) == []

    def test_together(self, world: RunWorld) -> None:
        world.run_to_end()
        wanted = world.run_to_end(exit_code=1, args=("x",))
        assert ids_of(world, statuses=("failed",), text="x", script="ok") == [wanted]


def test_places_in_the_queue(world: RunWorld) -> None:
    first, second = world.submit(), world.submit()
    urgent = world.submit(priority=1)
    places = {e.id: e.queue_position for e in world.service.list_runs().items}
    assert places == {urgent: 1, first: 2, second: 3}
    assert world.get(second).item.queue_position == 3
    world.claim(1)
    assert world.get(urgent).item.queue_position is None
    assert world.get(second).item.queue_position == 2


class TestItems:
    def test_has_no_output(self, world: RunWorld) -> None:
        run_id = world.submit()
        world.end(world.claim_one(), 3, out=b"x" * 50_000, err=b"secret words\n")
        (item,) = world.service.list_runs().items
        shown = to_json(item)
        assert "secret words" not in json.dumps(shown)
        assert shown["result"] == {
            "returncode": 3,
            "success": False,
            "status": "failed",
            "metrics": {
                "execution_time_seconds": 0.25,
                "cpu_max": 60.0,
                "memory_max_mb": 20.0,
            },
        }
        full = world.get(run_id).error_summary
        assert full is not None
        assert shown["error_summary"] == {**full, "stderr_snippet": ""}
        assert shown["attempts"] == 1

    def test_stays_small(self, world: RunWorld) -> None:
        folder = "/".join("d" * 200 for _ in range(8))
        name = f"{folder}/" + 'n"' * 90 + ".py"
        world.write_script(name)
        world.submit(
            name,
            args=("ä" * 16_000,) * 50,
            working_dir=folder,
            env_vars={f"N{n}": "v" * 400 for n in range(200)},
        )
        world.end(world.claim_one(), 3, err=b"x" * 100_000)
        (item,) = world.service.list_runs().items
        shown = to_json(item)
        assert len(json.dumps(shown, ensure_ascii=False).encode()) < 16 << 10
        assert shown["request"]["script_path"] == name
        assert set(shown["request"]) == {
            "script_path",
            "args",
            "timeout",
            "working_dir",
            "dry_run",
            "retry_on_failure",
        }


class TestStats:
    def test_of_nothing(self, world: RunWorld) -> None:
        stats = world.service.get_stats()
        assert (stats.total_runs, stats.by_status, stats.active) == (0, {}, 0)
        assert stats.by_run_status == {}
        assert (stats.success_rate, stats.success_rate_24h) == (None, None)
        assert stats.p95_duration_seconds is None

    def test_counts(self, world: RunWorld) -> None:
        world.run_to_end()
        world.run_to_end(exit_code=1)
        world.clock.advance(25 * 3600)
        world.run_to_end()
        world.service.cancel(world.submit(), principal="a")
        world.submit()
        stats = world.service.get_stats()
        assert stats.total_runs == 5
        assert stats.by_status == {
            "completed": 2,
            "failed": 1,
            "cancelled": 1,
            "queued": 1,
        }
        assert stats.by_run_status == {"success": 2, "failed": 1}
        assert stats.runs_24h == 3
        assert stats.success_rate == 66.67
        assert stats.success_rate_24h == 100.0
        assert stats.active == 1

    def test_bounds(self, world: RunWorld) -> None:
        world.run_to_end()
        world.clock.advance(60)
        moment = world.clock.utc_now()
        world.run_to_end(exit_code=1)
        assert world.service.get_stats(since=moment).by_status == {"failed": 1}
        assert world.service.get_stats(until=moment).by_status == {"completed": 1}


def test_figures_of_the_queue(world: RunWorld) -> None:
    world.submit()
    world.claim(1)
    world.submit()
    world.submit()
    world.clock.advance(5)
    figures = world.service.get_queue()
    assert figures["queued"] == 2
    assert figures["running"] == 1
    assert figures["oldest_queued_seconds"] == pytest.approx(5.001)
    assert figures["limit"] == world.settings.queue_limit


class TestChanges:
    def test_each_change_is_told_once(self, world: RunWorld) -> None:
        first = world.service.changes_since(0)
        assert (first.items, first.deleted, first.more) == ([], [], False)
        run_id = world.submit()
        second = world.service.changes_since(first.change)
        assert [each.id for each in second.items] == [run_id]
        assert world.service.changes_since(second.change).items == []
        world.claim(1)
        third = world.service.changes_since(second.change)
        assert [each.status for each in third.items] == ["running"]
        assert third.change == world.service.current_change()

    def test_only_the_last_state_is_told(self, world: RunWorld) -> None:
        before = world.service.current_change()
        world.run_to_end()
        (item,) = world.service.changes_since(before).items
        assert item.status == "completed"

    def test_deletions_are_told(self, world: RunWorld) -> None:
        run_id = world.run_to_end()
        before = world.service.current_change()
        world.service.delete(run_id)
        changes = world.service.changes_since(before)
        assert changes.items == []
        assert [each for _, each in changes.deleted] == [run_id]

    def test_many_come_in_pieces(self, world: RunWorld) -> None:
        ids = [world.run_to_end() for _ in range(5)]
        for run_id in ids[:2]:
            world.service.delete(run_id)
        change, seen, deleted = 0, [], []
        while True:
            piece = world.service.changes_since(change, limit=2)
            seen += [each.id for each in piece.items]
            deleted += [each for _, each in piece.deleted]
            change = piece.change
            if not piece.more:
                break
        assert seen == ids[2:]
        assert deleted == ids[:2]
        assert change == world.service.current_change()

    def test_an_offset_of_the_future_or_far_past_resets(
        self, world: RunWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            world.submit()
        newest = world.service.current_change()
        future = world.service.changes_since(newest + 1)
        assert (future.reset, future.change, future.items) == (True, newest, ())
        monkeypatch.setattr("scriptrunner.runs.service.MAX_CHANGES_BEHIND", 2)
        assert world.service.changes_since(0).reset
        assert not world.service.changes_since(newest - 2).reset


def test_times_survive_exactly(world: RunWorld) -> None:
    moment = datetime(2026, 3, 29, 1, 59, 59, 999_999, tzinfo=UTC)
    world.clock._now = moment - timedelta(milliseconds=1)
    run_id = world.submit()
    queued_at = world.get(run_id).item.queued_at
    assert queued_at == moment
    assert queued_at.tzinfo is UTC
    assert to_json(world.get(run_id))["queued_at"] == "2026-03-29T01:59:59.999999Z"
